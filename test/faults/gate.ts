import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Direction } from './proxy';

/** Bytes on their way: the `nth` piece, from 1, of this direction on its connection. */
export type Holds = (direction: Direction, bytes: Buffer, nth: number) => boolean;

/**
 * A TCP proxy on loopback that holds back the first piece that it is to hold, and all that comes after on that connection,
 * until it is opened: code that waits for the answer waits at a named place. It owns its sockets; `close` ends them.
 */
export class Gate {
  /** Resolves when a connection waits at the gate. */
  readonly reached: Promise<void>;
  private reach!: () => void;
  private isReached = false;
  private readonly sockets = new Set<Socket>();
  private readonly held: Array<() => void> = [];

  private constructor(
    private readonly listener: Server,
    private readonly upstreamPort: number,
    private readonly holds: Holds,
  ) {
    this.reached = new Promise((resolve) => (this.reach = resolve));
    listener.on('connection', (client) => this.accept(client));
  }

  static async before(upstreamPort: number, holds: Holds): Promise<Gate> {
    const listener = createServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return new Gate(listener, upstreamPort, holds);
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** What was held goes on its way. Idempotent. */
  open(): void {
    for (const pass of this.held.splice(0)) pass();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.listener.close();
    await once(this.listener, 'close');
  }

  private accept(client: Socket): void {
    const server = connect(this.upstreamPort, '127.0.0.1');
    this.lane('up', client, server);
    this.lane('down', server, client);
  }

  private lane(direction: Direction, from: Socket, to: Socket): void {
    this.sockets.add(from);
    let nth = 0;
    from.on('error', () => undefined);
    from.on('data', (bytes: Buffer) => {
      if (!this.isReached && this.holds(direction, bytes, ++nth)) {
        this.isReached = true;
        from.pause();
        this.held.push(() => {
          to.write(bytes);
          from.resume();
        });
        return this.reach();
      }
      to.write(bytes);
    });
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }
}
