import type { ServerResponse } from 'node:http';
import type { FaultOf, Faults, RestFault } from './faults';

const REST_KINDS = [
  'rest',
  'forbidden',
  'restricted',
  'serverError',
  'backendTimeout',
  'wrongSchema',
  'redirect',
] as const satisfies ReadonlyArray<RestFault['kind']>;

type Scripted = FaultOf<'rest'>;
interface Reply {
  readonly status: number;
  readonly body: string;
}

const FORBIDDEN_HTML =
  '<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center></body></html>';
export const RESTRICTED_BODY = JSON.stringify({
  code: 0,
  msg: "Service unavailable from a restricted location according to 'b. Eligibility' in https://www.binance.com/en/terms. Please contact customer service if you believe you received this message in error.",
});
const TIMEOUT_BODY = JSON.stringify({
  code: -1007,
  msg: 'Timeout waiting for response from backend server. Send status unknown; execution status unknown.',
});
const DEFAULT_HUGE_BYTES = 64 * 1024 * 1024;
const SLOW_CHUNK_MS = 50;

export function takeRestFault(
  faults: Faults,
  name: string,
  symbol: string | undefined,
): FaultOf<(typeof REST_KINDS)[number]> | null {
  return faults.take(REST_KINDS, symbol, (fault) => fault.path === undefined || name.endsWith(fault.path));
}

/** Answers with the fault in place of the reply, or with the reply spoilt. */
export function answerFault(
  fault: FaultOf<(typeof REST_KINDS)[number]>,
  reply: Reply,
  response: ServerResponse,
): void {
  const scripted = asScripted(fault);
  const { delayMs } = scripted;
  if (delayMs === undefined) return answer(scripted, reply, response);
  const timer = setTimeout(() => answer(scripted, reply, response), delayMs);
  response.once('close', () => clearTimeout(timer));
}

function asScripted(fault: FaultOf<(typeof REST_KINDS)[number]>): Scripted {
  switch (fault.kind) {
    case 'rest':
      return fault;
    case 'forbidden':
      return { kind: 'rest', status: 403, body: FORBIDDEN_HTML, headers: { 'Content-Type': 'text/html' } };
    case 'restricted':
      return { kind: 'rest', status: 451, body: RESTRICTED_BODY };
    case 'serverError':
      return { kind: 'rest', status: 502, body: '<html><title>502 Bad Gateway</title></html>' };
    case 'backendTimeout':
      return { kind: 'rest', status: 408, body: TIMEOUT_BODY };
    case 'wrongSchema':
      return { kind: 'rest', body: '{"lastUpdateId":"soon","bids":{"0":["1","1"]},"asks":null}' };
    case 'redirect':
      return { kind: 'rest', status: 302, body: '', headers: { Location: 'http://127.0.0.2:9/elsewhere' } };
  }
}

function answer(fault: Scripted, reply: Reply, response: ServerResponse): void {
  if (response.destroyed) return;
  const body = fault.body ?? reply.body;
  response.statusCode = fault.status ?? (fault.body === undefined ? reply.status : 200);
  for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
  switch (fault.mode) {
    case undefined:
      response.end(body);
      return;
    case 'truncated':
      // A whole reply by its headers, half a document by its content.
      response.end(body.slice(0, Math.floor(body.length / 2)));
      return;
    case 'empty':
      response.end();
      return;
    case 'hang':
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'huge':
      return huge(fault.bytes ?? DEFAULT_HUGE_BYTES, response);
    case 'slow':
      return slow(body, fault.bytes ?? 1, response);
  }
}

function huge(bytes: number, response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024, '9');
  let left = bytes;
  response.write('{"lastUpdateId":');
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= chunk.length;
      if (!response.write(chunk)) return void response.once('drain', more);
    }
    if (!response.destroyed) response.end('}');
  };
  more();
}

function slow(body: string, bytesAtOnce: number, response: ServerResponse): void {
  let sent = 0;
  const timer = setInterval(() => {
    response.write(body.slice(sent, (sent += bytesAtOnce)));
    if (sent >= body.length) response.end();
    if (sent >= body.length) clearInterval(timer);
  }, SLOW_CHUNK_MS);
  response.once('close', () => clearInterval(timer));
}
