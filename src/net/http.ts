import * as http from 'node:http';
import * as https from 'node:https';
import { OrderFlowError } from '../runtime/errors';
import { networkError } from './networkErrors';
import { openTunnel, proxyFor } from './proxy';

export interface GetOptions {
  /** Milliseconds until the connection must be open. */
  readonly connectTimeoutMs: number;
  /** Milliseconds for the whole exchange. */
  readonly requestTimeoutMs: number;
  /** A body beyond this is refused. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
  /** Milliseconds that an aborted request, once sent, stays to receive its reply; 0 by default. */
  readonly lateHeadMs?: number;
  /**
   * Status and headers have come: before the body, and also where the caller has given up meanwhile. What it returns
   * says whether the body matters to those who did not ask, too.
   */
  readonly onHead?: (head: HttpHead) => boolean;
  /** The whole body has come; after an abort only where `onHead` wanted it. */
  readonly onReply?: (reply: HttpReply) => void;
  /** The request is over on the wire; called once, after the others. */
  readonly onEnd?: () => void;
}

export interface HttpHead {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
}

export interface HttpReply extends HttpHead {
  readonly body: string;
}

/**
 * One GET, bounded in time and size, over a new connection that is gone afterwards. Redirects are refused: a
 * base URL names the host that is trusted.
 * @throws OrderFlowError OF_CONNECT, OF_DNS, OF_TLS, OF_TIMEOUT, OF_PROXY, OF_PROXY_AUTH, OF_PROXY_SETTING,
 *   OF_HTTP_REDIRECT, OF_RESPONSE_TOO_LARGE, OF_BAD_RESPONSE; the signal's reason after an abort
 */
export async function httpGet(url: URL, options: GetOptions): Promise<HttpReply> {
  let proxy: URL | null;
  try {
    options.signal?.throwIfAborted();
    proxy = proxyFor(url);
  } catch (error) {
    options.onEnd?.();
    throw error;
  }
  const stop = new AbortController();
  const target = url.host;
  return await new Promise<HttpReply>((resolve, reject) => {
    let request: http.ClientRequest | null = null;
    let [connected, answered, bodyMatters, over] = [false, false, false, false];
    let headTimer: NodeJS.Timeout | undefined;
    const end = () => {
      if (over) return;
      over = true;
      clearTimeout(connectTimer);
      clearTimeout(totalTimer);
      clearTimeout(headTimer);
      options.signal?.removeEventListener('abort', onAbort);
      stop.abort();
      request?.destroy();
      options.onEnd?.();
    };
    const finish = (error: unknown, reply?: HttpReply) => {
      if (reply && !over) options.onReply?.(reply);
      end();
      if (reply) resolve(reply);
      else reject(error);
    };
    // The exchange may refuse what was sent, and all have to obey that: so the reply is read although no caller waits.
    const onAbort = () => {
      const lateHeadMs = options.lateHeadMs ?? 0;
      if (!connected || (answered && !bodyMatters) || lateHeadMs === 0) return finish(options.signal?.reason);
      clearTimeout(totalTimer);
      headTimer = setTimeout(end, lateHeadMs);
      headTimer.unref();
      request?.socket?.unref();
      reject(options.signal?.reason as Error);
    };
    const late = (what: string) => () => finish(new OrderFlowError('OF_TIMEOUT', `${target} ${what}`));
    const connectTimer = setTimeout(late('could not be connected to'), options.connectTimeoutMs);
    const totalTimer = setTimeout(late('did not answer'), options.requestTimeoutMs);
    options.signal?.addEventListener('abort', onAbort, { once: true });

    const send = url.protocol === 'https:' ? https.request : http.request;
    const settings: https.RequestOptions = {
      method: 'GET',
      agent: false,
      headers: { 'User-Agent': 'n8n-nodes-orderflow', Accept: 'application/json' },
    };
    if (proxy) {
      settings.agent = undefined;
      settings.createConnection = (_options, done) => {
        openTunnel(proxy, url, options.connectTimeoutMs, stop.signal).then(
          (socket) => done(null, socket),
          (error: Error) => done(error, undefined as never),
        );
        return undefined;
      };
    }
    try {
      request = send(url, settings);
    } catch (error) {
      // Node refuses some requests at once, without an event.
      return finish(networkError(error, target));
    }
    request.on('error', (error) => finish(networkError(error, target)));
    request.on('socket', (socket) => {
      const onConnected = () => {
        connected = true;
        clearTimeout(connectTimer);
      };
      if (!socket.connecting) onConnected();
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', onConnected);
    });
    request.on('response', (response) => {
      clearTimeout(connectTimer);
      answered = true;
      bodyMatters =
        options.onHead?.({ status: response.statusCode ?? 0, headers: response.headers }) ?? false;
      if (options.signal?.aborted && !bodyMatters) return end();
      readBody(response, options.maxBytes, target, finish);
    });
    request.end();
  });
}

/** The start of a body as text: what came within the time, at most so many bytes. Ends the response; never rejects. */
export function startOfBody(
  response: http.IncomingMessage,
  maxBytes: number,
  withinMs: number,
): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8'));
      response.destroy();
    };
    const timer = setTimeout(finish, withinMs);
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= maxBytes) finish();
    });
    response.on('end', finish).on('error', finish).on('close', finish);
  });
}

function readBody(
  response: http.IncomingMessage,
  maxBytes: number,
  target: string,
  finish: (error: unknown, reply?: HttpReply) => void,
): void {
  const status = response.statusCode ?? 0;
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (status >= 300 && status < 400)
    return finish(new OrderFlowError('OF_HTTP_REDIRECT', `${target} answered ${status}`));
  if (encoding !== 'identity')
    return finish(new OrderFlowError('OF_BAD_RESPONSE', `${target} sent an encoding that was not asked for`));
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) return void chunks.push(chunk);
    finish(new OrderFlowError('OF_RESPONSE_TOO_LARGE', `${target} sent more than ${maxBytes} bytes`));
  });
  response.on('error', (error) => finish(networkError(error, target)));
  response.on('aborted', () =>
    finish(new OrderFlowError('OF_CONNECT', `${target} broke off in the middle of its reply`)),
  );
  response.on('end', () =>
    finish(null, { status, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') }),
  );
}
