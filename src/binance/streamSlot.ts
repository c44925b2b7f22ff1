import { backoffMs } from '../runtime/backoff';
import { isOrderFlowError, OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { monotonicMs, sleep, wallMs } from '../runtime/time';
import type { AttemptWindow } from './pacer';
import { StreamConnection, type StreamHandlers, type StreamSettings } from './streamConnection';

export interface SlotHandlers {
  onFrame(slot: StreamSlot, connection: StreamConnection, frame: Buffer): void;
  /** These streams run from now on. */
  onUp(slot: StreamSlot, streams: readonly string[]): void;
  /** The only connection is gone: every stream of the slot has lost updates. */
  onLost(slot: StreamSlot, error: OrderFlowError): void;
  /** An attempt failed. @returns false: no retry mends it and nobody waits for one */
  onFailed(slot: StreamSlot, error: OrderFlowError): boolean;
  onLog(level: 'info' | 'warn', message: string): void;
}

export interface SlotSettings extends StreamSettings {
  readonly attempts: AttemptWindow;
  readonly random: () => number;
}

/** While the host lets nobody connect, symbols are told why so often: also those that join meanwhile. */
const TELL_EVERY_MS = 1_000;

/**
 * Keeps one connection to the exchange for a set of streams: opens it, opens it anew after a failure with growing
 * pauses, and replaces it in time by a second one without a pause. At any time at most two connections stand, and the
 * older one goes as soon as the younger has every stream acknowledged.
 */
export class StreamSlot {
  readonly streams = new Set<string>();
  private current: StreamConnection | null = null;
  private next: StreamConnection | null = null;
  private readonly abort = new AbortController();
  private readonly loop: Promise<void>;
  private replaceNow: () => void = () => undefined;
  /** While a replacement is being prepared: does it carry every stream by now? */
  private checkNextReady: () => void = () => undefined;

  constructor(
    private readonly settings: SlotSettings,
    private readonly handlers: SlotHandlers,
  ) {
    this.loop = this.run(this.abort.signal).catch((error: unknown) => {
      if (!this.abort.signal.aborted) this.handlers.onLost(this, toOrderFlowError(error));
    });
  }

  /** Connections that stand or are being opened. */
  get connections(): number {
    return (this.current ? 1 : 0) + (this.next ? 1 : 0);
  }

  get rotating(): boolean {
    return this.next !== null;
  }

  /** Monotonic time up to which a connection that serves is known to have delivered everything. */
  get provenMs(): number {
    const times = [this.current, this.next].map((connection) => connection?.provenMs ?? -Infinity);
    return Math.max(...times);
  }

  add(streams: readonly string[]): void {
    for (const stream of streams) this.streams.add(stream);
    this.current?.subscribe(streams);
    this.next?.subscribe(streams);
  }

  remove(streams: readonly string[]): void {
    for (const stream of streams) this.streams.delete(stream);
    this.current?.unsubscribe(streams);
    this.next?.unsubscribe(streams);
    this.checkNextReady();
  }

  /** The connection that serves is of no use any more: frames that cannot be read, or a silent route. */
  fail(error: OrderFlowError): void {
    this.next?.fail(error);
    this.current?.fail(error);
  }

  /** The server is about to close: replace the connection before it does. */
  onShutdownNotice(connection: StreamConnection): void {
    if (connection === this.current) this.replaceNow();
  }

  keepProcessAlive(alive: boolean): void {
    this.current?.keepProcessAlive(alive);
    this.next?.keepProcessAlive(alive);
  }

  async close(): Promise<void> {
    this.abort.abort(new OrderFlowError('OF_INTERNAL', 'closed'));
    await Promise.all([this.current?.close(), this.next?.close()]);
    await this.loop;
  }

  private async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      let error: OrderFlowError;
      const begun = monotonicMs();
      try {
        this.current = await this.open(signal, (connection) => (this.current = connection));
        this.handlers.onLog('info', `connected to ${this.settings.url.host}, ${this.streams.size} streams`);
        error = await this.serve(signal);
        signal.throwIfAborted();
        this.handlers.onLost(this, error);
      } catch (failure) {
        if (signal.aborted) break;
        error = toOrderFlowError(failure);
      }
      this.current = null;
      if (!this.handlers.onFailed(this, error)) return;
      const { timings, random } = this.settings;
      if (monotonicMs() - begun >= timings.stableAfterMs) failures = 0;
      if (failures === 0) this.handlers.onLog('warn', error.message);
      const step = backoffMs(failures++, random()) * timings.backoffFactor;
      const slow = error.retryable ? 0 : timings.terminalRetryMs;
      await sleep(Math.max(step, slow), signal).catch(() => undefined);
    }
    await Promise.all([this.current?.close(), this.next?.close()]);
    this.current = this.next = null;
  }

  /** @param made hears of the connection before it stands, so that it can be closed meanwhile */
  private async open(
    signal: AbortSignal,
    made: (connection: StreamConnection) => void,
  ): Promise<StreamConnection> {
    await this.turn(signal);
    signal.throwIfAborted();
    const connection = new StreamConnection(this.settings, this.streamHandlers);
    connection.subscribe([...this.streams]);
    made(connection);
    try {
      await connection.open();
      this.settings.attempts.accepted(monotonicMs());
      signal.throwIfAborted();
    } catch (error) {
      this.noteRefusal(error);
      await connection.close();
      throw error;
    }
    return connection;
  }

  /** Waits for a place among the attempts of this address, and as long as the host told any of its connections. */
  private async turn(signal: AbortSignal): Promise<void> {
    const { attempts } = this.settings;
    do {
      await this.pauseOver(signal);
      const waitMs = attempts.take(monotonicMs());
      if (waitMs > 0) await sleep(waitMs, signal);
    } while (attempts.pause(monotonicMs()) !== null);
  }

  private async pauseOver(signal: AbortSignal): Promise<void> {
    const { attempts, url } = this.settings;
    for (let pause = attempts.pause(monotonicMs()); pause; pause = attempts.pause(monotonicMs())) {
      // Whoever makes this slot puts its symbols into it first.
      await Promise.resolve();
      const until = new Date(wallMs() + pause.forMs).toISOString();
      const detail = `${url.host}: no connection before ${until}`;
      // A connection that serves meanwhile leaves its symbols as they are. Those that come later are told as well.
      if (this.current === null)
        this.handlers.onFailed(this, new OrderFlowError(pause.code, detail, { subject: url.host }));
      await sleep(Math.min(pause.forMs, TELL_EVERY_MS), signal);
    }
  }

  /** What one connection was told holds for every other one of this address. */
  private noteRefusal(error: unknown): void {
    if (!isOrderFlowError(error)) return;
    const { code, retryAfterMs = null } = error;
    if (retryAfterMs !== null || code === 'OF_RATE_LIMITED' || code === 'OF_BANNED')
      this.settings.attempts.refused(monotonicMs(), code, retryAfterMs);
  }

  private readonly streamHandlers: StreamHandlers = {
    onFrame: (connection, frame) => this.handlers.onFrame(this, connection, frame),
    onSubscribed: (connection, streams) => {
      this.handlers.onUp(this, streams);
      if (connection === this.next) this.checkNextReady();
    },
  };

  /** Until the connection that serves is lost and no other took its place. */
  private async serve(signal: AbortSignal): Promise<OrderFlowError> {
    for (;;) {
      const serving = this.current as StreamConnection;
      const why = await this.untilLostOrDue(serving);
      if (why !== 'due') return why;
      const replaced = await this.replace(serving, signal);
      if (replaced !== null) return replaced;
    }
  }

  private async untilLostOrDue(serving: StreamConnection): Promise<OrderFlowError | 'due'> {
    const { timings, random } = this.settings;
    let timer: NodeJS.Timeout | undefined;
    const due = new Promise<'due'>((resolve) => {
      const notice = () => resolve('due');
      this.replaceNow = notice;
      timer = setTimeout(notice, Math.max(timings.rotateAfterMs - timings.rotateJitterMs * random(), 1));
      timer.unref();
    });
    try {
      return await Promise.race([serving.closed, due]);
    } finally {
      clearTimeout(timer);
      this.replaceNow = () => undefined;
    }
  }

  /**
   * Opens a second connection beside the serving one; when every stream is acknowledged there, the first one goes.
   * Both feed the same books meanwhile: what comes twice is ignored by its ids.
   * @returns null: replaced; else why the slot has no connection any more
   */
  private async replace(serving: StreamConnection, signal: AbortSignal): Promise<OrderFlowError | null> {
    const { timings, random } = this.settings;
    for (let attempt = 0; ; attempt++) {
      const lost = serving.closed.then((error) => ({ error }));
      const ready = this.openReady(signal).then(() => null);
      ready.catch(() => undefined);
      let outcome: { error: OrderFlowError } | null | 'failed';
      try {
        outcome = await Promise.race([lost, ready]);
      } catch {
        outcome = 'failed';
      }
      if (signal.aborted) return signal.reason as OrderFlowError;
      if (outcome === null) {
        this.current = this.next;
        this.next = null;
        await serving.close();
        return null;
      }
      const { next } = this;
      this.next = null;
      this.checkNextReady = () => undefined;
      await next?.close();
      if (outcome !== 'failed') return outcome.error;
      const pause = sleep(backoffMs(attempt, random()) * timings.backoffFactor, signal);
      pause.catch(() => undefined);
      const meanwhile = await Promise.race([lost, pause.then(() => null)]).catch(() => null);
      if (meanwhile) return meanwhile.error;
    }
  }

  private async openReady(signal: AbortSignal): Promise<void> {
    const next = await this.open(signal, (connection) => (this.next = connection));
    const ready = new Promise<void>((resolve) => {
      this.checkNextReady = () => {
        const missing = [...this.streams].some((stream) => !next.acknowledged.has(stream));
        if (!missing) resolve();
      };
      this.checkNextReady();
    });
    await Promise.race([ready, next.closed.then((error) => Promise.reject(error))]);
  }
}
