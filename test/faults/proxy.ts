import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Lane, NO_TOXICS, type Cut, type Toxics } from './proxyLane';

export type { Cut, Toxics } from './proxyLane';

/** `up`: from the client to the server; `down`: back. */
export type Direction = 'up' | 'down';

export interface FaultProxyOptions {
  /** Decides the jitter. */
  readonly random?: () => number;
  /** Sees all bytes as they arrive. `connection` counts from 1. */
  readonly onBytes?: (connection: number, direction: Direction, bytes: Buffer) => void;
  /** The client has gone. */
  readonly onLeft?: (connection: number) => void;
}

/** What was written has to leave before the reset, or it would be thrown away with the connection, milliseconds. */
const RESET_AFTER_MS = 5;

/** What a black hole says to the first bytes that it is sent. */
export type Answer = (request: Buffer) => Buffer;

interface NewCut {
  readonly direction: Direction;
  readonly bytes: number;
  readonly then: Cut;
  left: number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket | null;
  readonly lanes: Readonly<Record<Direction, Lane>> | null;
}

/**
 * A TCP proxy on loopback that troubles what passes through it. Toxics are switched while it runs and hold for the
 * bytes that come after. It is the one owner of its sockets and timers; `close` ends them all.
 */
export class FaultProxy {
  /** Where later connections lead; open ones stay where they are. */
  upstreamPort: number;
  /** Connections taken in so far. */
  accepted = 0;
  private readonly pairs = new Set<Pair>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly toxics: Record<Direction, Toxics> = { up: NO_TOXICS, down: NO_TOXICS };
  private hole: { readonly answer: Answer | null } | null = null;
  private newCut: NewCut | null = null;
  private closing: Promise<void> | null = null;

  private constructor(
    private readonly listener: Server,
    upstreamPort: number,
    private readonly options: FaultProxyOptions,
  ) {
    this.upstreamPort = upstreamPort;
    listener.on('connection', (client) => this.accept(client));
  }

  static async start(upstreamPort: number, options: FaultProxyOptions = {}): Promise<FaultProxy> {
    const listener = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(0, '127.0.0.1', resolve);
    });
    return new FaultProxy(listener, upstreamPort, options);
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** Open connections. */
  get connections(): number {
    return this.pairs.size;
  }

  /** Switches toxics on for one direction, or both; others stay as they are. */
  set(toxics: Partial<Toxics>, direction?: Direction): void {
    for (const one of direction === undefined ? (['up', 'down'] as const) : [direction])
      this.toxics[one] = { ...this.toxics[one], ...toxics };
  }

  /** No toxic any more. What fell silent stays silent: its bytes are lost. */
  clear(): void {
    this.set(NO_TOXICS);
    this.hole = null;
    this.newCut = null;
  }

  /** Connections yet to come are taken in and lead nowhere; with `answer` that is all they hear. */
  blackHole(answer: Answer | null = null): void {
    this.hole = { answer };
  }

  /** Half-open: one direction, or both, of all open connections falls silent for good; neither side is informed. */
  silence(direction?: Direction): void {
    for (const { lanes } of this.pairs) {
      if (direction !== 'down') lanes?.up.silence();
      if (direction !== 'up') lanes?.down.silence();
    }
  }

  /** Every open connection is reset on both sides. */
  reset(): void {
    for (const pair of [...this.pairs]) this.resetPair(pair);
  }

  /** Done to each open connection once this many more bytes have passed. */
  cutAfter(direction: Direction, bytes: number, then: Cut): void {
    for (const { lanes } of this.pairs) lanes?.[direction].cutAfter(bytes, then);
  }

  /** Done to later connections, until cleared or to a number of them, once this many bytes have passed. */
  cutNew(direction: Direction, bytes: number, then: Cut, times = Infinity): void {
    this.newCut = { direction, bytes, then, left: times };
  }

  /** Idempotent. Every socket and timer is gone after it. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    const sockets = [...this.pairs].flatMap(({ client, server }) => [client, server]);
    const gone = sockets.map((socket) => socket && !socket.closed && once(socket, 'close'));
    for (const pair of [...this.pairs]) this.drop(pair);
    const closed = once(this.listener, 'close');
    this.listener.close();
    await Promise.all([...gone, closed]);
  }

  private accept(client: Socket): void {
    const id = ++this.accepted;
    client.on('error', () => undefined);
    if (this.closing !== null) return void client.destroy();
    const pair = this.hole === null ? this.join(id, client) : swallow(client, this.hole.answer);
    this.pairs.add(pair);
    const ends = [pair.client, pair.server].filter((socket) => socket !== null);
    for (const socket of ends) socket.on('close', () => this.closed(pair, socket));
    let left = false;
    const leave = (): void => {
      if (!left) this.options.onLeft?.(id);
      left = true;
    };
    client.once('end', leave).once('close', leave);
    // Who waits behind a silent connection for its end would wait for ever.
    client.on('end', () => (pair.lanes === null || isSilent(pair)) && this.drop(pair));
  }

  private join(id: number, client: Socket): Pair {
    const address = { port: this.upstreamPort, host: '127.0.0.1' };
    const server = connect({ ...address, allowHalfOpen: true, noDelay: true });
    server.on('error', () => undefined);
    const lane = (direction: Direction, from: Socket, to: Socket): Lane =>
      new Lane(from, to, {
        toxics: () => this.toxics[direction],
        random: this.options.random ?? Math.random,
        onBytes: (bytes) => this.options.onBytes?.(id, direction, bytes),
        onReset: () => this.resetSoon(pair),
      });
    const lanes = { up: lane('up', client, server), down: lane('down', server, client) };
    const pair: Pair = { client, server, lanes };
    const cut = this.newCut;
    if (cut !== null && cut.left-- > 0) lanes[cut.direction].cutAfter(cut.bytes, cut.then);
    return pair;
  }

  private closed(pair: Pair, socket: Socket): void {
    const other = socket === pair.client ? pair.server : pair.client;
    if (other === null || other.destroyed) {
      this.pairs.delete(pair);
      pair.lanes?.up.close();
      pair.lanes?.down.close();
      return;
    }
    // Both have said all there is: what is on its way to the other still arrives.
    if (socket.readableEnded && other.readableEnded) return;
    if (!(isSilent(pair) && other === pair.client)) this.resetPair(pair);
  }

  private resetSoon(pair: Pair): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.resetPair(pair);
    }, RESET_AFTER_MS);
    this.timers.add(timer);
  }

  private resetPair(pair: Pair): void {
    pair.client.resetAndDestroy();
    pair.server?.resetAndDestroy();
  }

  private drop(pair: Pair): void {
    pair.client.destroy();
    pair.server?.destroy();
  }
}

function swallow(client: Socket, answer: Answer | null): Pair {
  client.once('data', (request: Buffer) => answer && client.write(answer(request)));
  client.resume();
  return { client, server: null, lanes: null };
}

function isSilent({ lanes }: Pair): boolean {
  return lanes !== null && (lanes.up.isSilent || lanes.down.isSilent);
}
