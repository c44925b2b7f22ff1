import { OrderFlowError } from '../runtime/errors';

const MAX_URL_LENGTH = 512;

export type BaseUrlKind = 'rest' | 'webSocket';

const SCHEMES: { readonly [kind in BaseUrlKind]: readonly string[] } = {
  rest: ['https:', 'http:'],
  webSocket: ['wss:', 'ws:'],
};

/**
 * A base URL in one spelling, without a slash at its end, so that equal ones share a feed. A path prefix may stay.
 * @throws OrderFlowError OF_BASE_URL; the message never repeats what could be a password
 */
export function parseBaseUrl(input: unknown, kind: BaseUrlKind, field: string): string {
  const refuse = (detail: string) =>
    new OrderFlowError('OF_BASE_URL', `${field} ${detail}`, { subject: field });
  if (typeof input !== 'string' || input.trim() === '') throw refuse('is empty');
  const text = input.trim();
  if (text.length > MAX_URL_LENGTH) throw refuse(`is longer than ${MAX_URL_LENGTH} characters`);
  if (/[\p{Cc}\p{Cf}\s\\]/u.test(text)) throw refuse('holds white space, a control character or a backslash');
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refuse('is not a URL');
  }
  const schemes = SCHEMES[kind];
  if (!schemes.includes(url.protocol))
    throw refuse(`begins with ${url.protocol} where ${schemes.map((s) => `${s}//`).join(' or ')} is wanted`);
  // Also "https://@host", which URL reads as no user at all.
  if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/]*@/.test(text))
    throw refuse('holds a user name or password');
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text)) throw refuse('holds a query or a fragment');
  if (url.hostname === '') throw refuse('names no host');
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
}
