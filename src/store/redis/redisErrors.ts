import { isOrderFlowError, OrderFlowError } from '../../runtime/errors';
import type { ErrorCode } from '../../runtime/errorCatalogue';
import { oneLine } from '../../runtime/text';

/**
 * Error replies by the word they carry. A reply from inside a script has it anywhere in the text (Redis before 7) or
 * as its first word, so words are searched for, the more telling ones first.
 */
const REPLIES: ReadonlyArray<readonly [pattern: RegExp, code: ErrorCode]> = [
  [
    /^WRONGPASS|^NOAUTH|^ERR AUTH |^ERR invalid password|wrong number of arguments for 'auth'/i,
    'OF_REDIS_AUTH',
  ],
  [/^DENIED/, 'OF_REDIS_PROTECTED'],
  [/\bNOPERM\b|user executing the script can't|ACL failure in script/, 'OF_REDIS_PERMISSION'],
  [/\bWRONGTYPE\b/, 'OF_REDIS_WRONG_TYPE'],
  [/\bMISCONF\b/, 'OF_REDIS_DISK'],
  [/\bOOM\b/, 'OF_REDIS_MEMORY'],
  [/\bNOREPLICAS\b/, 'OF_REDIS_NO_REPLICAS'],
  // A replica that lost its primary and keeps silent says MASTERDOWN.
  [/\bREADONLY\b|\bMASTERDOWN\b/, 'OF_REDIS_READ_ONLY'],
  [/^(MOVED|ASK) \d|\bCROSSSLOT\b|not allowed in cluster mode/i, 'OF_REDIS_CLUSTER'],
  [/\bCLUSTERDOWN\b|\bTRYAGAIN\b/, 'OF_REDIS_CLUSTER_DOWN'],
  [/^(LOADING|BUSY) /, 'OF_REDIS_BUSY'],
  [/DB index/i, 'OF_REDIS_DATABASE'],
  [/max number of clients/, 'OF_REDIS_CONNECT'],
  [/(unknown|unsupported) (sub)?command/i, 'OF_REDIS_COMMAND'],
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

/** An alert with which the server ended the TLS handshake: it objects to us, not we to it. */
export const TLS_ALERT = /^ERR_SSL_.*ALERT_/;
/** Of these the ones that are about a client certificate. */
const CLIENT_CERTIFICATE_ALERT = /CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED/;
/** What node's TLS says of a server that answers in another language. */
const NO_TLS = /^(EPROTO$|ERR_SSL_)/;
/** OpenSSL's verdicts on the server's certificate, and what node adds. */
const CERTIFICATE_CODE =
  /^(ERR_TLS_|CERT_|CRL_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(GET|VERIFY|DECRYPT|DECODE)|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED|ERROR_IN_CERT)/;

const MAX_DETAIL = 300;
/** From this many on, the first characters of a secret are hidden wherever they occur; fewer may be part of any word. */
const TELLING_CHARACTERS = 8;

/** What the error is about, and what must never be shown. */
export interface RedisErrorContext {
  /** `host:port`. */
  readonly server: string;
  readonly secrets: readonly string[];
  /** Whether the credential has a client certificate. Default false. */
  readonly clientCertificate?: boolean;
}

function safeText(text: string, secrets: readonly string[]): string {
  // The whole text: a secret that is cut would not be found.
  let safe = oneLine(text, Infinity);
  for (const secret of secrets) safe = withoutSecret(safe, oneLine(secret, Infinity));
  return safe.slice(0, MAX_DETAIL);
}

/** A server that does not know a command repeats its arguments, cut short and rewritten: AUTH has a password in them. */
function withoutArguments(reply: string): string {
  return reply.replace(/,? with args beginning with:.*$/is, '');
}

/** Hides the secret, or as much of its beginning as was left where the text was cut. */
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

  if (TLS_ALERT.test(code)) return make(alertCode(code, context), `(${alertName(raw)})`);
  if (CERTIFICATE_CODE.test(code)) return make('OF_TLS', `${raw} (${code})`);
  if (NO_TLS.test(code)) return make('OF_REDIS_TLS', `does not speak TLS on this port (${code})`);
  const socketCode = SOCKET_CODES.get(code);
  if (socketCode !== undefined) return make(socketCode, `(${code})`);
  if (/connection timeout|^the command was aborted/i.test(raw)) return make('OF_REDIS_TIMEOUT', '');
  if (/socket closed unexpectedly/i.test(raw)) return make('OF_REDIS_CONNECT', 'closed the connection');
  if (/^(the client is (closed|offline)|disconnects client)/i.test(raw))
    return make('OF_REDIS_CONNECT', '(not connected)');
  for (const [pattern, ofCode] of REPLIES) if (pattern.test(raw)) return make(ofCode, `(${raw})`);
  return make('OF_REDIS_ERROR', `(${raw})`);
}

/** Before TLS 1.3 a server that misses a client certificate says no more than that the handshake failed. */
function alertCode(code: string, { clientCertificate = false }: RedisErrorContext): ErrorCode {
  if (CLIENT_CERTIFICATE_ALERT.test(code)) return 'OF_REDIS_CLIENT_CERTIFICATE';
  return code.includes('HANDSHAKE_FAILURE') && !clientCertificate
    ? 'OF_REDIS_CLIENT_CERTIFICATE'
    : 'OF_REDIS_TLS';
}

/** OpenSSL's words without its address and its source file: `tlsv13 alert certificate required`. */
function alertName(raw: string): string {
  return /:([^:]*\balert\b[^:]*):/.exec(raw)?.[1] ?? 'alert';
}
