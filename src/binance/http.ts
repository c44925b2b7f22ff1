import * as http from 'node:http';
import * as https from 'node:https';
import { OrderFlowError } from '../runtime/errors';
import { networkError } from './networkErrors';
import { openTunnel, proxyFor } from './proxy';

export interface GetOptions {
  /** Milliseconds until the connection stands. */
  readonly connectTimeoutMs: number;
  /** Milliseconds for the whole exchange. */
  readonly requestTimeoutMs: number;
  /** A body beyond this is refused. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/**
 * One GET, bounded in time and size, over a connection of its own that is gone afterwards. Redirects are refused: a
 * base URL names the host that is trusted.
 * @throws OrderFlowError OF_CONNECT, OF_DNS, OF_TLS, OF_TIMEOUT, OF_PROXY, OF_PROXY_AUTH, OF_HTTP_REDIRECT,
 *   OF_RESPONSE_TOO_LARGE, OF_BAD_RESPONSE; the signal's reason after an abort
 */
export async function httpGet(url: URL, options: GetOptions): Promise<HttpReply> {
  options.signal?.throwIfAborted();
  const proxy = proxyFor(url);
  const stop = new AbortController();
  const target = url.host;
  return await new Promise<HttpReply>((resolve, reject) => {
    let request: http.ClientRequest | null = null;
    const finish = (error: unknown, reply?: HttpReply) => {
      clearTimeout(connectTimer);
      clearTimeout(totalTimer);
      options.signal?.removeEventListener('abort', onAbort);
      stop.abort();
      request?.destroy();
      if (reply) resolve(reply);
      else reject(error);
    };
    const onAbort = () => finish(options.signal?.reason);
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
    request = send(url, settings);
    request.on('error', (error) => finish(networkError(error, target)));
    request.on('socket', (socket) => {
      const connected = () => clearTimeout(connectTimer);
      if (!socket.connecting) connected();
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected);
    });
    request.on('response', (response) => {
      clearTimeout(connectTimer);
      readBody(response, options.maxBytes, target, finish);
    });
    request.end();
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
