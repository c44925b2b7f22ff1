import { isOrderFlowError, OrderFlowError } from '../runtime/errors';
import type { ErrorCode } from '../runtime/errorCatalogue';

/**
 * Error replies by the word they carry. A reply from inside a script has it anywhere in the text (Redis before 7) or
 * as its first word, so words are searched for, the more telling ones first.
 */
const REPLIES: ReadonlyArray<readonly [pattern: RegExp, code: ErrorCode]> = [
  [
    /^WRONGPASS|^NOAUTH|^ERR AUTH |^ERR invalid password|wrong number of arguments for 'auth'/i,
    'OF_REDIS_AUTH',
  ],
  [/\bNOPERM\b|user executing the script can't|^DENIED/, 'OF_REDIS_PERMISSION'],
  [/\bWRONGTYPE\b/, 'OF_REDIS_WRONG_TYPE'],
  [/\bMISCONF\b/, 'OF_REDIS_DISK'],
  [/\bOOM\b/, 'OF_REDIS_MEMORY'],
  [/\bREADONLY\b/, 'OF_REDIS_READ_ONLY'],
  [/DB index|SELECT is not allowed/i, 'OF_REDIS_CREDENTIAL'],
  [/max number of clients/, 'OF_REDIS_CONNECT'],
];

const SOCKET_CODES: ReadonlyMap<string, ErrorCode> = new Map([
  ['ETIMEDOUT', 'OF_REDIS_TIMEOUT'],
  ['ECONNREFUSED', 'OF_REDIS_CONNECT'],
  ['ECONNRESET', 'OF_REDIS_CONNECT'],
  ['EPIPE', 'OF_REDIS_CONNECT'],
  ['ENOTFOUND', 'OF_REDIS_CONNECT'],
  ['EAI_AGAIN', 'OF_REDIS_CONNECT'],
  ['EHOSTUNREACH', 'OF_REDIS_CONNECT'],
  ['ENETUNREACH', 'OF_REDIS_CONNECT'],
]);

/** OpenSSL's verdicts on a certificate, and what node's TLS adds. */
const TLS_CODE =
  /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$|CERT_|CRL_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(GET|VERIFY|DECRYPT|DECODE)|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED|ERROR_IN_CERT)/;

const MAX_DETAIL = 300;
/** From so many on, the first characters of a secret are hidden wherever they stand; fewer may be part of any word. */
const TELLING_CHARACTERS = 8;

/** What the error is about, and what must never be shown. */
export interface RedisErrorContext {
  /** `host:port`. */
  readonly server: string;
  readonly secrets: readonly string[];
}

function safeText(text: string, secrets: readonly string[]): string {
  let safe = oneLine(text);
  for (const secret of secrets) safe = withoutSecret(safe, oneLine(secret));
  return safe.slice(0, MAX_DETAIL);
}

/** A server that does not know a command repeats its arguments, cut short and rewritten: AUTH has a password in them. */
function withoutArguments(reply: string): string {
  return reply.replace(/,? with args beginning with:.*$/is, '');
}

/** Without control characters, which no log should get; a server rewrites them as well, each in its own way. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- this is what takes them out
  return text.replace(/[\s\u0000-\u001f\u007f]+/g, ' ');
}

/** Hides the secret, and as much of its beginning as somebody may have left of it. */
function withoutSecret(text: string, secret: string): string {
  const beginning = secret.slice(0, TELLING_CHARACTERS);
  if (beginning.trim() === '') return text;
  let safe = '';
  for (let from = 0; ;) {
    const at = text.indexOf(beginning, from);
    if (at < 0) return safe + text.slice(from);
    let end = at + beginning.length;
    while (end < text.length && text[end] === secret[end - at]) end++;
    safe += text.slice(from, at) + '[hidden]';
    from = end;
  }
}

/** Every failure of the client or the server as a coded error. The raw error is not kept as cause: it may hold arguments. */
export function toRedisError(error: unknown, context: RedisErrorContext): OrderFlowError {
  if (isOrderFlowError(error)) return error;
  const { server, secrets } = context;
  // By shape, not instanceof: n8n and test runners run code in contexts with an Error class of their own.
  const { message, code: given } = (typeof error === 'object' && error !== null ? error : {}) as {
    message?: unknown;
    code?: unknown;
  };
  const raw = withoutArguments(typeof message === 'string' ? message : String(error));
  const code = typeof given === 'string' ? given : '';
  const make = (ofCode: ErrorCode, detail: string) =>
    new OrderFlowError(ofCode, `${server} ${safeText(detail, secrets)}`.trim(), { subject: server });

  if (TLS_CODE.test(code)) return make('OF_TLS', tlsDetail(code, raw));
  const socketCode = SOCKET_CODES.get(code);
  if (socketCode !== undefined) return make(socketCode, `(${code})`);
  if (/connection timeout|^the command was aborted/i.test(raw)) return make('OF_REDIS_TIMEOUT', '');
  if (/socket closed unexpectedly/i.test(raw))
    return make('OF_REDIS_CONNECT', 'closed the connection (a server that expects TLS does this)');
  if (/^(the client is (closed|offline)|disconnects client)/i.test(raw))
    return make('OF_REDIS_CONNECT', '(not connected)');
  for (const [pattern, ofCode] of REPLIES) if (pattern.test(raw)) return make(ofCode, `(${raw})`);
  return make('OF_REDIS_ERROR', `(${raw})`);
}

function tlsDetail(code: string, raw: string): string {
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'EPROTO')
    return `does not speak TLS on this port (${code})`;
  return `${raw} (${code})`;
}
