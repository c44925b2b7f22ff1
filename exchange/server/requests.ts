/** What control messages ask about and change: the connection that they came over. */
export interface StreamOwner {
  readonly streams: ReadonlySet<string>;
  combined: boolean;
  /** True for a stream that a fault refuses. */
  refuses(stream: string): boolean;
  /** False where it is one stream too many. */
  subscribe(stream: string): boolean;
  unsubscribe(stream: string): void;
  close(code: number, reason: string): void;
}

const METHODS = ['SUBSCRIBE', 'UNSUBSCRIBE', 'LIST_SUBSCRIPTIONS', 'SET_PROPERTY', 'GET_PROPERTY'];

/** Answers a control message, in the exchange's words where it is wrong. */
export function answerRequest(connection: StreamOwner, text: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return failure(3, `Invalid JSON: expected value at line ${lineOf(text)} column 1`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return failure(2, 'Invalid request: invalid type, expected a request object');
  }
  const request = parsed as Record<string, unknown>;
  const id = request.id ?? null;
  if (!isRequestId(id)) return failure(2, 'Invalid request: request ID must be an unsigned integer');
  const { method, params } = request;
  if (method === undefined)
    return failure(2, `Invalid request: missing field \`method\` at line 1 column ${text.length}`, id);
  if (typeof method !== 'string' || !METHODS.includes(method)) {
    const variants = METHODS.map((name) => `\`${name}\``).join(', ');
    return failure(
      2,
      `Invalid request: unknown variant \`${String(method)}\`, expected one of ${variants} at line 1 column 28`,
      id,
    );
  }
  if (method === 'LIST_SUBSCRIPTIONS') return result([...connection.streams], id);
  if (method === 'SUBSCRIBE' || method === 'UNSUBSCRIBE')
    return changeStreams(connection, method, params, id);
  return property(connection, method, params, id);
}

function changeStreams(connection: StreamOwner, method: string, params: unknown, id: unknown): string {
  if (params === undefined) return failure(2, 'Invalid request: missing field `params`', id);
  if (!Array.isArray(params) || params.some((name) => typeof name !== 'string')) {
    return failure(2, 'Invalid request: params must be a list of stream names', id);
  }
  const streams = (params as string[]).map(decodeStream);
  if (method === 'SUBSCRIBE' && streams.some((stream) => connection.refuses(stream)))
    return failure(2, 'Invalid request: invalid stream', id);
  for (const stream of streams) {
    if (method === 'UNSUBSCRIBE') connection.unsubscribe(stream);
    else if (!connection.subscribe(stream)) {
      connection.close(1008, 'Too many streams');
      return failure(2, 'Invalid request: too many parameters', id);
    }
  }
  return result(null, id);
}

function property(connection: StreamOwner, method: string, params: unknown, id: unknown): string {
  if (!Array.isArray(params) || typeof params[0] !== 'string') {
    return failure(2, 'Invalid request: property name must be a string', id);
  }
  if (params.length > (method === 'SET_PROPERTY' ? 2 : 1)) {
    return failure(2, 'Invalid request: too many parameters', id);
  }
  if (params[0] !== 'combined') return failure(0, 'Unknown property', id);
  if (method === 'GET_PROPERTY') return result(connection.combined, id);
  if (typeof params[1] !== 'boolean') return failure(1, 'Invalid value type: expected Boolean', id);
  connection.combined = params[1];
  return result(null, id);
}

/** A stream's name as clients may write it: percent-encoded or not. */
export function decodeStream(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function isRequestId(id: unknown): boolean {
  if (id === null || Number.isSafeInteger(id)) return true;
  return typeof id === 'string' && /^[A-Za-z0-9]{1,36}$/.test(id);
}

function result(value: unknown, id: unknown): string {
  return JSON.stringify({ result: value, id });
}

function failure(code: number, msg: string, id?: unknown): string {
  return JSON.stringify(id === undefined ? { code, msg } : { code, msg, id });
}

function lineOf(text: string): number {
  return text.split('\n').length;
}
