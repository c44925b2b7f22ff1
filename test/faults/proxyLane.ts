import type { Socket } from 'node:net';

/** What is done to the bytes of one direction while it is switched on. */
export interface Toxics {
  /** How long data is held back, milliseconds. */
  readonly latencyMs: number;
  /** Up to so much more, at random, milliseconds; the order of the bytes stays. */
  readonly jitterMs: number;
  /** Infinity: as fast as they come. */
  readonly bytesPerSecond: number;
  /** Passed on in pieces of at most this many bytes, each in a separate turn of the event loop. */
  readonly sliceBytes: number;
  /** Between two slices, milliseconds. */
  readonly sliceGapMs: number;
  /** How much later the end of one side reaches the other, milliseconds. */
  readonly slowCloseMs: number;
}

export const NO_TOXICS: Toxics = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: Infinity,
  sliceBytes: Infinity,
  sliceGapMs: 0,
  slowCloseMs: 0,
};

/** What happens once this many more bytes have passed. */
export type Cut = 'reset' | 'silence';

export interface LaneHooks {
  readonly toxics: () => Toxics;
  readonly random: () => number;
  /** Bytes as they arrive, before anything is done to them. */
  readonly onBytes: (bytes: Buffer) => void;
  /** The countdown of `cutAfter` with 'reset' has run out. */
  readonly onReset: () => void;
}

interface Parcel {
  readonly dueAt: number;
  /** Null: the sender has ended. */
  readonly bytes: Buffer | null;
}

/** Beyond this the sender is not read any more, as a full network would have it. */
const MAX_QUEUED_BYTES = 256 * 1024;

/** One direction of a connection through the fault proxy. It owns its timer, not the sockets. */
export class Lane {
  private queue: Parcel[] = [];
  private queuedBytes = 0;
  private lastDueAt = 0;
  private timer: NodeJS.Timeout | NodeJS.Immediate | null = null;
  private silent = false;
  private closed = false;
  private cut: { left: number; readonly then: Cut } | null = null;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly hooks: LaneHooks,
  ) {
    from.on('data', (bytes: Buffer) => this.take(bytes));
    from.on('end', () => this.takeEnd());
    to.on('drain', () => this.pump());
  }

  get isSilent(): boolean {
    return this.silent;
  }

  /** Nothing passes any more, not even the end; lost bytes do not come back. */
  silence(): void {
    this.silent = true;
    this.queue = [];
    this.queuedBytes = 0;
    this.from.resume();
  }

  cutAfter(bytes: number, then: Cut): void {
    this.cut = { left: bytes, then };
  }

  close(): void {
    this.closed = true;
    this.queue = [];
    this.stopTimer();
  }

  private take(bytes: Buffer): void {
    this.hooks.onBytes(bytes);
    if (this.silent || this.closed) return;
    const { latencyMs, jitterMs, bytesPerSecond, sliceBytes, sliceGapMs } = this.hooks.toxics();
    const earliest = performance.now() + latencyMs + jitterMs * this.hooks.random();
    for (let at = 0; at < bytes.length; at += sliceBytes) {
      const slice = bytes.subarray(at, at + sliceBytes);
      const onTheWayMs = (slice.length / bytesPerSecond) * 1_000;
      this.put(slice, Math.max(this.lastDueAt, earliest) + onTheWayMs + sliceGapMs);
    }
    this.pump();
  }

  private takeEnd(): void {
    if (this.silent || this.closed) return;
    this.put(null, Math.max(this.lastDueAt, performance.now() + this.hooks.toxics().slowCloseMs));
    this.pump();
  }

  private put(bytes: Buffer | null, dueAt: number): void {
    this.lastDueAt = dueAt;
    this.queue.push({ dueAt, bytes });
    this.queuedBytes += bytes?.length ?? 0;
  }

  /** Passes on what is due; without toxics that is everything, at once. */
  private pump(): void {
    this.stopTimer();
    const { sliceBytes } = this.hooks.toxics();
    while (this.queue.length > 0 && !this.to.writableNeedDrain) {
      const waitMs = this.queue[0].dueAt - performance.now();
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.pump(), waitMs);
        break;
      }
      const { bytes } = this.queue.shift() as Parcel;
      if (bytes === null) this.to.end();
      else this.pass(bytes);
      if (sliceBytes !== Infinity && this.queue.length > 0) {
        this.timer = setImmediate(() => this.pump());
        break;
      }
    }
    if (this.queuedBytes > MAX_QUEUED_BYTES || this.to.writableNeedDrain) this.from.pause();
    else this.from.resume();
  }

  private pass(bytes: Buffer): void {
    this.queuedBytes -= bytes.length;
    const { cut } = this;
    if (cut === null || bytes.length < cut.left) {
      if (cut !== null) cut.left -= bytes.length;
      this.to.write(bytes);
      return;
    }
    this.cut = null;
    this.to.write(bytes.subarray(0, cut.left));
    this.silence();
    if (cut.then === 'reset') this.hooks.onReset();
  }

  private stopTimer(): void {
    clearTimeout(this.timer as NodeJS.Timeout);
    clearImmediate(this.timer as NodeJS.Immediate);
    this.timer = null;
  }
}
