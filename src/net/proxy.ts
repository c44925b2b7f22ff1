import * as net from 'node:net';
import * as tls from 'node:tls';
import { getProxyForUrl } from 'proxy-from-env';
import { OrderFlowError } from '../runtime/errors';
import { errorCode } from './networkErrors';

/** A proxy's answer to CONNECT is a few lines. */
const MAX_ANSWER_BYTES = 16 * 1024;

/**
 * The proxy that the environment names for a URL (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, either case), or null.
 * WebSocket URLs go by the HTTP variables; addresses of this machine are never proxied.
 * @throws OrderFlowError OF_PROXY_SETTING
 */
export function proxyFor(target: URL): URL | null {
  if (isLoopback(target.hostname)) return null;
  const scheme = target.protocol === 'wss:' || target.protocol === 'https:' ? 'https' : 'http';
  const defaultPort = scheme === 'https' ? 443 : 80;
  const text = getProxyForUrl(`${scheme}://${target.hostname}:${target.port || defaultPort}/`);
  if (text === '') return null;
  let proxy: URL;
  try {
    proxy = new URL(text);
  } catch {
    throw new OrderFlowError('OF_PROXY_SETTING', 'it is not a URL');
  }
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')
    throw new OrderFlowError('OF_PROXY_SETTING', `it begins with ${proxy.protocol}`);
  return proxy;
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}

/**
 * A socket to the target through the proxy's CONNECT, with TLS to the target where its scheme asks for it. Nothing is
 * left open after an abort, a timeout or a refusal.
 * @throws OrderFlowError OF_PROXY, OF_PROXY_AUTH, OF_TIMEOUT
 */
export async function openTunnel(
  proxy: URL,
  target: URL,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<net.Socket> {
  const secure = target.protocol === 'https:' || target.protocol === 'wss:';
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const socket = await connectThrough(proxy, target, secure, timeoutMs, signal);
  if (!secure) return socket;
  return tls.connect({ socket, servername: net.isIP(host) ? '' : host, host });
}

function connectThrough(
  proxy: URL,
  target: URL,
  secure: boolean,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<net.Socket> {
  const proxyHost = proxy.hostname.replace(/^\[|\]$/g, '');
  const proxyPort = Number(proxy.port || (proxy.protocol === 'https:' ? 443 : 80));
  const name = `proxy ${proxy.hostname}:${proxyPort}`;
  const address = `${target.hostname}:${target.port || (secure ? 443 : 80)}`;
  return new Promise((resolve, reject) => {
    const socket =
      proxy.protocol === 'https:'
        ? tls.connect({ host: proxyHost, port: proxyPort, servername: net.isIP(proxyHost) ? '' : proxyHost })
        : net.connect({ host: proxyHost, port: proxyPort });
    let answer = Buffer.alloc(0);
    const settle = (error: OrderFlowError | null) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
      if (error === null) return resolve(socket);
      socket.on('error', () => undefined).destroy();
      reject(error);
    };
    const onAbort = () => settle(new OrderFlowError('OF_PROXY', 'given up'));
    const timer = setTimeout(
      () => settle(new OrderFlowError('OF_TIMEOUT', `${name} did not answer`)),
      timeoutMs,
    );
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) => settle(new OrderFlowError('OF_PROXY', `${name} (${errorCode(error)})`)));
    socket.on('close', () => settle(new OrderFlowError('OF_PROXY', `${name} closed the connection`)));
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf('\r\n\r\n');
      if (end < 0) {
        if (answer.length > MAX_ANSWER_BYTES)
          settle(new OrderFlowError('OF_PROXY', `${name} gave no HTTP answer`));
        return;
      }
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer.toString('latin1', 0, end))?.[1] ?? 0);
      if (status === 407) return settle(new OrderFlowError('OF_PROXY_AUTH', name));
      if (status < 200 || status > 299)
        return settle(
          new OrderFlowError('OF_PROXY', `${name} answered ${status || 'no HTTP'} for ${address}`),
        );
      socket.pause();
      const rest = answer.subarray(end + 4);
      if (rest.length > 0) socket.unshift(rest);
      settle(null);
    });
    socket.once(proxy.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      socket.write(`CONNECT ${address} HTTP/1.1\r\nHost: ${address}\r\n${authorization(proxy)}\r\n`);
    });
    if (signal.aborted) onAbort();
  });
}

function authorization(proxy: URL): string {
  if (proxy.username === '' && proxy.password === '') return '';
  const pair = `${decoded(proxy.username)}:${decoded(proxy.password)}`;
  return `Proxy-Authorization: Basic ${Buffer.from(pair).toString('base64')}\r\n`;
}

/** Percent escapes resolved; any other percent sign is kept: people write passwords as they are. */
function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}
