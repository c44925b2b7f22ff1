import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';

/** Servers on loopback that fail in one way each, for as long as a test runs. */
export class FailingServers {
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();

  /** A REST host that gives every request the same answer. @returns `127.0.0.1:port` */
  http(
    answer: RequestListener,
    certificate?: { readonly cert: Buffer; readonly key: Buffer },
  ): Promise<string> {
    return this.listen(certificate ? createTlsServer(certificate, answer) : createServer(answer));
  }

  /** The usual case: a status and a body. */
  status(status: number, body = '', headers: Record<string, string> = {}): Promise<string> {
    return this.http((_request, response) => void response.writeHead(status, headers).end(body));
  }

  /** A proxy that opens no tunnel: `answer` gives its refusal for a host, or '' to hang up. @returns `127.0.0.1:port` */
  proxy(answer: (host: string) => string): Promise<string> {
    const server = createServer();
    server.on('connect', ({ url = '' }, socket) => socket.on('error', () => undefined).end(answer(url)));
    return this.listen(server);
  }

  /** Speaks Redis's protocol. `answer` gets a command's words and gives the reply as it is sent; none: it keeps silent. */
  redis(answer: (command: readonly string[]) => string | null): Promise<string> {
    const onSocket = (socket: Socket): void => {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        for (let taken = takeCommand(text); taken !== null; taken = takeCommand(text)) {
          text = text.slice(taken.length);
          const reply = answer(taken.words);
          if (reply !== null) socket.write(reply, 'latin1');
        }
      });
    };
    return this.listen(createTcpServer(onSocket));
  }

  /**
   * An address that refuses every connection, until `close`. Its port is the near end of a connection that is kept
   * open: nothing listens there, and no other server can get it in the meantime. @returns `127.0.0.1:port`
   */
  async refusing(): Promise<string> {
    const [host, port] = (await this.listen(createTcpServer())).split(':');
    const socket = connect(Number(port), host);
    await once(socket, 'connect');
    this.sockets.add(socket.on('error', () => undefined));
    return `${host}:${socket.localPort}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private async listen(server: Server): Promise<string> {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket.on('error', () => undefined));
      socket.once('close', () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.servers.push(server);
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
}

/**
 * The environment of an n8n whose proxies fail: `broken.invalid` by HTTP is hung up on, `locked.invalid` asks for a
 * password, and the proxy for HTTPS is of a kind that is not supported. Loopback and `dns.invalid` need none.
 */
export async function failingProxies(servers: FailingServers): Promise<NodeJS.ProcessEnv> {
  const proxy = await servers.proxy((host) =>
    host.startsWith('locked') ? 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n' : '',
  );
  const direct = '127.0.0.1,localhost,dns.invalid';
  return {
    ...{ http_proxy: `http://${proxy}`, https_proxy: 'socks5://127.0.0.1:1' },
    ...{ NO_PROXY: direct, no_proxy: direct },
  };
}

/** The first whole command of the text: a list of texts, each with its length in front. */
function takeCommand(text: string): { words: string[]; length: number } | null {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return null;
  const words: string[] = [];
  let at = head[0].length;
  for (let i = 0; i < Number(head[1]); i++) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20));
    if (size === null) return null;
    const from = at + size[0].length;
    at = from + Number(size[1]) + 2;
    if (text.length < at) return null;
    words.push(text.slice(from, at - 2));
  }
  return { words, length: at };
}

/** A text as Redis sends it. */
export const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;

/** What a sound server says; `odd` has its own answer to some commands. */
export function soundRedis(
  odd: (command: readonly string[]) => string | undefined,
): (command: readonly string[]) => string {
  return (command) => {
    const name = command[0].toUpperCase();
    const ms = Date.now();
    if (name === 'TIME')
      return `*2\r\n${bulk(String(Math.floor(ms / 1000)))}${bulk(String((ms % 1000) * 1000))}`;
    return odd(command) ?? '+OK\r\n';
  };
}
