import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Profile } from '../profiles';
import type { Faults } from './faults';
import { answerRequest } from './requests';
import type { Counters } from './stats';

export interface ConnectionClocks {
  readonly pingMs: number;
  readonly pongTimeoutMs: number;
  readonly maxConnectionMs: number;
  /** The stretch over which incoming messages are counted. */
  readonly messageWindowMs: number;
}

/** A reader this far behind is cut off, unless the options say otherwise. */
export const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

export interface ConnectionContext {
  readonly profile: Profile;
  readonly clocks: ConnectionClocks;
  readonly maxBufferedBytes: number;
  readonly faults: Faults;
  readonly counters: Counters;
  subscribe(connection: Connection, stream: string): void;
  unsubscribe(connection: Connection, stream: string): void;
  closed(connection: Connection): void;
}

export interface ConnectionSetup {
  readonly id: number;
  readonly path: string;
  readonly combined: boolean;
  /** Acknowledges, and never sends data. */
  readonly silent: boolean;
  readonly microseconds: boolean;
}

/** One client's WebSocket: what it subscribes, what it is sent, and when it is cut. */
export class Connection {
  readonly streams = new Set<string>();
  /** First diff event sent since subscribing, by symbol: what a stale REST reply has to be older than. */
  readonly firstSent = new Map<string, { firstUpdateId: number; previousFinalUpdateId: number }>();
  readonly openedAtMs = Date.now();
  combined: boolean;
  halfOpen = false;
  private lagMs = 0;
  private readonly late = new Set<NodeJS.Timeout>();
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly arrivals: number[] = [];
  private unanswered: Array<{ payload: string; timer: NodeJS.Timeout }> = [];
  private ended = false;

  constructor(
    readonly webSocket: WebSocket,
    readonly socket: Duplex,
    readonly setup: ConnectionSetup,
    private readonly context: ConnectionContext,
  ) {
    this.combined = setup.combined;
    const { clocks } = context;
    webSocket.on('message', (data: Buffer) => this.onMessage(data));
    webSocket.on('ping', (payload: Buffer) => this.onPing(payload));
    webSocket.on('pong', (payload: Buffer) => this.onPong(payload));
    webSocket.on('close', () => this.end('peer'));
    webSocket.on('error', () => this.end('error'));
    this.timers.push(setInterval(() => this.ping(), clocks.pingMs));
    this.timers.push(
      setTimeout(() => this.close(1001, 'connection lifetime reached'), clocks.maxConnectionMs),
    );
  }

  get isOpen(): boolean {
    return !this.ended;
  }

  get bufferedBytes(): number {
    return this.webSocket.bufferedAmount;
  }

  /** A fault has this stream refused. */
  refuses(stream: string): boolean {
    return this.context.faults.take(['refuseStream'], stream.split('@')[0].toUpperCase()) !== null;
  }

  subscribe(stream: string): boolean {
    if (this.streams.has(stream)) return true;
    if (this.streams.size >= this.context.profile.streamsPerConnection) return false;
    this.streams.add(stream);
    this.context.subscribe(this, stream);
    return true;
  }

  unsubscribe(stream: string): void {
    if (this.streams.delete(stream)) this.context.unsubscribe(this, stream);
  }

  send(frame: string | Buffer, binary = false): void {
    if (this.lagMs === 0) return this.sendNow(frame, binary);
    // Timers of one length end in the order in which they began.
    const timer = setTimeout(() => {
      this.late.delete(timer);
      this.sendNow(frame, binary);
    }, this.lagMs);
    this.late.add(timer);
  }

  /** Everything sent from now on comes so much later. */
  lag(ms: number): void {
    this.lagMs = ms;
  }

  private sendNow(frame: string | Buffer, binary: boolean): void {
    if (this.ended || this.halfOpen || this.webSocket.readyState !== this.webSocket.OPEN) return;
    this.webSocket.send(frame, { binary });
    this.context.counters.framesSent++;
    if (this.webSocket.bufferedAmount > this.context.maxBufferedBytes) this.terminate('slow reader');
  }

  close(code: number, reason: string): void {
    if (this.ended || this.halfOpen) return;
    this.context.counters.closed(`${code} ${reason}`.trim());
    // 1005, 1006 and 1015 must not be sent in a frame: the socket just ends.
    if (code === 1005 || code === 1006 || code === 1015) this.socket.end();
    else this.webSocket.close(code, reason);
    this.timers.push(setTimeout(() => this.terminate(null), 1000));
  }

  /** Ends it without a close frame. */
  terminate(reason: string | null): void {
    if (this.ended) return;
    if (reason !== null) this.context.counters.closed(reason);
    this.webSocket.terminate();
    this.socket.destroy();
    this.end(null);
  }

  /** A TCP reset. */
  reset(): void {
    if (this.ended) return;
    this.context.counters.closed('reset');
    const socket = this.socket as Duplex & { resetAndDestroy?: () => void };
    if (socket.resetAndDestroy !== undefined) socket.resetAndDestroy();
    else socket.destroy();
    this.end(null);
  }

  /** The beginning of a frame, then the end of the connection. */
  cut(): void {
    if (this.ended || this.halfOpen) return;
    this.context.counters.closed('cut in mid-frame');
    const payload = Buffer.from('{"e":"depthUpdate","E":1,"s":"');
    const head = Buffer.from([0x81, 126, 0x04, 0x00]);
    this.halfOpen = true;
    this.socket.write(Buffer.concat([head, payload]), () => {
      this.socket.destroy();
      this.end(null);
    });
  }

  /** Nothing is sent any more and nothing that comes is heard; only the client's own end of the socket is noticed. */
  freeze(): void {
    if (this.ended || this.halfOpen) return;
    this.halfOpen = true;
    this.stopTimers();
    this.socket.removeAllListeners('data');
    this.socket.on('data', () => undefined);
    this.socket.on('end', () => this.terminate('half-open, left by the client'));
    this.socket.resume();
  }

  private ping(): void {
    if (this.halfOpen || this.ended || this.context.faults.has('noPings')) return;
    const payload = String(Date.now()) + String(this.unanswered.length);
    const timer = setTimeout(() => this.close(1008, 'Pong timeout'), this.context.clocks.pongTimeoutMs);
    this.unanswered.push({ payload, timer });
    this.webSocket.ping(payload);
    this.context.counters.pingsSent++;
  }

  private onPong(payload: Buffer): void {
    const at = this.unanswered.findIndex((ping) => ping.payload === payload.toString());
    // Answers to pings that a test has quickened cost nothing, or they alone would use up the messages of a second.
    const isFree = at >= 0 && this.context.clocks.pingMs < this.context.profile.pingMs;
    if (!isFree && !this.count()) return;
    if (at < 0 || this.context.faults.has('ignorePongs')) return; // unsolicited: keeps nothing alive
    // The client is alive: earlier pings need no answer any more.
    for (const { timer } of this.unanswered.splice(0, at + 1)) clearTimeout(timer);
  }

  private onPing(payload: Buffer): void {
    if (!this.count() || this.halfOpen || this.ended || this.context.faults.has('ignorePings')) return;
    this.webSocket.pong(payload);
  }

  private onMessage(data: Buffer): void {
    if (this.halfOpen || this.ended || !this.count()) return;
    const text = data.toString();
    this.context.counters.message(text);
    this.send(answerRequest(this, text));
  }

  /** Counts an incoming message; false where it was one too many in the rolling window. */
  private count(): boolean {
    const nowMs = performance.now();
    const { arrivals } = this;
    arrivals.push(nowMs);
    while (arrivals[0] <= nowMs - this.context.clocks.messageWindowMs) arrivals.shift();
    if (arrivals.length <= this.context.profile.messagesPerSecond) return true;
    this.close(1008, 'Too many requests');
    return false;
  }

  private stopTimers(): void {
    for (const timer of [...this.timers.splice(0), ...this.late]) clearTimeout(timer);
    this.late.clear();
    for (const { timer } of this.unanswered.splice(0)) clearTimeout(timer);
  }

  private end(reason: string | null): void {
    if (this.ended) return;
    this.ended = true;
    if (reason !== null) this.context.counters.closed(reason);
    this.stopTimers();
    this.context.closed(this);
  }
}
