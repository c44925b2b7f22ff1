import * as net from 'node:net';

/** The variables that name a proxy, in both cases. */
export const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

export type ProxyMood =
  | 'serve'
  /** 407. */
  | 'password'
  /** 403. */
  | 'refuse'
  /** Closes as soon as it is spoken to. */
  | 'drop'
  /** Never answers. */
  | 'mute'
  /** Answers with what is no HTTP, without end. */
  | 'babble'
  /** No proxy at all: hands every byte on. */
  | 'relay';

/** A proxy on loopback that sends every CONNECT to a port, or does as its mood is. */
export class ConnectProxy {
  /** What clients asked for, heads as they came. */
  readonly connects: string[] = [];
  mood: ProxyMood = 'serve';
  private readonly sockets = new Set<net.Socket>();
  private readonly server = net.createServer((socket) => this.take(socket));

  /** @param target the port, or what tells it by the host that a client names */
  constructor(private readonly target: number | ((host: string) => number)) {}

  /** @returns the port */
  async listen(port = 0): Promise<number> {
    await new Promise<void>((done, failed) =>
      this.server.once('error', failed).listen(port, '127.0.0.1', done),
    );
    return (this.server.address() as net.AddressInfo).port;
  }

  get open(): number {
    return this.sockets.size;
  }

  /** Ends every connection at once, as a proxy that is restarted does. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.cut();
    await new Promise((done) => this.server.close(done));
  }

  private take(socket: net.Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    if (this.mood === 'relay') return this.tunnel(socket);
    socket.once('data', (head: Buffer) => {
      this.connects.push(head.toString());
      switch (this.mood) {
        case 'password':
          return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
        case 'refuse':
          return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
        case 'drop':
          return void socket.destroy();
        case 'babble':
          return void socket.write('x'.repeat(64 * 1024));
        case 'mute':
          return;
      }
      const [, host = ''] = /^CONNECT ([^\s:]+)/.exec(head.toString()) ?? [];
      this.tunnel(socket, 'HTTP/1.1 200 Connection established\r\n\r\n', host);
    });
  }

  private tunnel(socket: net.Socket, greeting = '', host = ''): void {
    const port = typeof this.target === 'number' ? this.target : this.target(host);
    const upstream = net.connect(port, '127.0.0.1', () => {
      socket.write(greeting);
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  }
}
