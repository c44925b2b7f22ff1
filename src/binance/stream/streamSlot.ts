import { backoffMs } from '../../runtime/backoff';
import { isOrderFlowError, OrderFlowError, toOrderFlowError } from '../../runtime/errors';
import { monotonicMs, sleep, wallMs } from '../../runtime/time';
import { Changeover } from './changeover';
import type { AttemptWindow } from '../../limits/connectAttempts';
import { isBanCode } from '../../limits/refusals';
import { retryMs } from '../timings';
import { StreamConnection, type StreamHandlers, type StreamSettings } from './streamConnection';

export interface SlotHandlers {
  onFrame(slot: StreamSlot, connection: StreamConnection, frame: Buffer): void;
  /** These streams run from now on. */
  onUp(slot: StreamSlot, streams: readonly string[]): void;
  /** The only connection is gone: every stream of the slot has lost updates. */
  onLost(slot: StreamSlot, error: OrderFlowError): void;
  /** The exchange does not take this one stream. */
  onRefused(slot: StreamSlot, stream: string, answer: string): void;
  /**
   * The younger of two connections serves alone from now on. What the changeover still holds is to be judged; streams
   * that it does not know to be safe may have lost updates without a sign.
   * @param missing streams that the exchange has not acknowledged there yet
   */
  onReplaced(slot: StreamSlot, changeover: Changeover, missing: readonly string[]): void;
  /** An attempt failed. @returns false: no retry helps, and nothing waits for one */
  onFailed(slot: StreamSlot, error: OrderFlowError): boolean;
  onLog(level: 'info' | 'warn', message: string): void;
}

export interface SlotSettings extends StreamSettings {
  readonly attempts: AttemptWindow;
  readonly random: () => number;
}

/** How often symbols report why, while the host refuses connections: also those that join meanwhile. */
const REPORT_EVERY_MS = 1_000;

/**
 * Keeps one connection to the exchange for a set of streams: opens it, opens it again after a failure with growing
 * pauses, and replaces it in time by a second one without a pause. At most two connections are open at any time, and the
 * older one goes as soon as the younger carries on every stream.
 *
 *             opened               due, or announced            every stream acknowledged
 *  opening ───────────▶ serving ───────────────────▶ preparing ──────────────────────────▶ joining
 *   │   ▲                 │  ▲  ▲                     │  │                                  │  │
 *   │   └── backing off ◀─┘  │  └── failed, a pause ──┘  │        joined, or waited enough  │  │
 *   │            ▲  ▲        └──────────────────────────────────────────────────────────────┘  │
 *   └─ refused ──┘  └── the serving connection is lost ─┴──────────────────────────────────────┘
 *
 *   opening      `current` is being opened, after its turn among all attempts of this address (run, open, turn)
 *   serving      `current` carries every stream alone (serve)
 *   preparing    `next` is opened beside it, until each stream is acknowledged there (openReady)
 *   joining      both feed the same books; `changeover` holds what is ahead (untilJoined), then `next` takes over (promote)
 *   backing off  no connection; a growing pause (run)
 *
 * `close` ends it from every state: it aborts whatever is waited for and closes both connections.
 */
export class StreamSlot {
  readonly streams = new Set<string>();
  private current: StreamConnection | null = null;
  private next: StreamConnection | null = null;
  /** While a second connection is being opened or is open. */
  changeover: Changeover | null = null;
  /** Connections that the server is about to close. */
  private readonly announced = new WeakSet<StreamConnection>();
  private readonly abort = new AbortController();
  private readonly loop: Promise<void>;
  private replaceNow: () => void = () => undefined;
  /** While a replacement is being prepared: is every stream so far? */
  private checkNextReady: () => void = () => undefined;
  /** Those that it waits for. */
  private unready = new Set<string>();

  constructor(
    private readonly settings: SlotSettings,
    private readonly handlers: SlotHandlers,
  ) {
    this.loop = this.run(this.abort.signal).catch((error: unknown) => {
      if (!this.abort.signal.aborted) this.handlers.onLost(this, toOrderFlowError(error));
    });
  }

  /** Connections that are open or being opened. */
  get connections(): number {
    return (this.current ? 1 : 0) + (this.next ? 1 : 0);
  }

  /** Is the connection the second one, beside an older one that serves? */
  isYounger(connection: StreamConnection): boolean {
    return connection === this.next;
  }

  /** Monotonic time up to which everything of the stream is known to have been delivered. */
  provenMs(stream: string): number {
    const ofCurrent = this.current?.provenMs ?? -Infinity;
    if (!this.changeover?.hasJoined(stream)) return ofCurrent;
    return Math.max(ofCurrent, this.next?.provenMs ?? -Infinity);
  }

  add(streams: readonly string[]): void {
    for (const stream of streams) {
      this.streams.add(stream);
      this.unready.add(stream);
    }
    this.current?.subscribe(streams);
    this.next?.subscribe(streams);
  }

  remove(streams: readonly string[]): void {
    for (const stream of streams) {
      this.streams.delete(stream);
      this.unready.delete(stream);
    }
    this.current?.unsubscribe(streams);
    this.next?.unsubscribe(streams);
    for (const stream of streams) this.changeover?.forget(stream);
    this.checkNextReady();
  }

  /** The connection that serves is of no use any more: frames that cannot be read, or a silent route. */
  fail(error: OrderFlowError): void {
    this.next?.fail(error);
    this.current?.fail(error);
  }

  /** The server is about to close: replace the connection before it does. */
  onShutdownNotice(connection: StreamConnection): void {
    this.announced.add(connection);
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
      const waitMs = retryMs(error, failures++, { random: random(), timings });
      await sleep(waitMs, signal).catch(() => undefined);
    }
    await Promise.all([this.current?.close(), this.next?.close()]);
    this.current = this.next = null;
  }

  /** @param made gets the connection before it is open, so that it can be closed meanwhile */
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

  /** Waits for a place among the attempts of this address, and for the pause that the host gave any of them. */
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
      const detail = `${url.host} (no connection before ${until})`;
      // A connection that serves meanwhile leaves its symbols as they are. Those that join later get the error too.
      if (this.current === null)
        this.handlers.onFailed(this, new OrderFlowError(pause.code, detail, { subject: url.host }));
      await sleep(Math.min(pause.forMs, REPORT_EVERY_MS), signal);
    }
  }

  /** A refusal of one connection holds for every other one of this address. */
  private noteRefusal(error: unknown): void {
    if (!isOrderFlowError(error)) return;
    const { code, retryAfterMs = null } = error;
    if (retryAfterMs !== null || isBanCode(code))
      this.settings.attempts.refused(monotonicMs(), code, retryAfterMs);
  }

  private readonly streamHandlers: StreamHandlers = {
    onFrame: (connection, frame) => this.handlers.onFrame(this, connection, frame),
    onSubscribed: (connection, streams) => {
      this.handlers.onUp(this, streams);
      if (connection === this.next) this.checkNextReady();
    },
    onRefused: (_connection, stream, answer) => this.handlers.onRefused(this, stream, answer),
  };

  /** Until the connection that serves is lost and no other took its place. */
  private async serve(signal: AbortSignal): Promise<OrderFlowError> {
    const { timings, random } = this.settings;
    let hurried = 0;
    for (;;) {
      const serving = this.current as StreamConnection;
      const begun = monotonicMs();
      const why = await this.untilLostOrDue(serving);
      if (why instanceof OrderFlowError) return why;
      if (monotonicMs() - begun >= timings.stableAfterMs) hurried = 0;
      if (why === 'announced' && hurried++ > 0) {
        // A server whose every connection says that it is about to close is not asked for one after the other.
        const lost = await this.pause(
          backoffMs(hurried - 2, random()) * timings.backoffFactor,
          serving,
          signal,
        );
        if (lost) return lost;
      }
      const replaced = await this.replace(serving, signal);
      if (replaced !== null) return replaced;
    }
  }

  private async untilLostOrDue(serving: StreamConnection): Promise<OrderFlowError | 'due' | 'announced'> {
    const { timings, random } = this.settings;
    let timer: NodeJS.Timeout | undefined;
    const due = new Promise<'due' | 'announced'>((resolve) => {
      this.replaceNow = () => resolve('announced');
      if (this.announced.has(serving)) this.replaceNow();
      const afterMs = Math.max(timings.rotateAfterMs - timings.rotateJitterMs * random(), 1);
      timer = setTimeout(() => resolve('due'), afterMs);
      timer.unref();
    });
    try {
      return await Promise.race([serving.closed, due]);
    } finally {
      clearTimeout(timer);
      this.replaceNow = () => undefined;
    }
  }

  /** @returns why the serving connection ended meanwhile; null where it is still open, or all is over */
  private async pause(
    ms: number,
    serving: StreamConnection,
    signal: AbortSignal,
  ): Promise<OrderFlowError | null> {
    const pause = sleep(ms, signal);
    pause.catch(() => undefined);
    return Promise.race([serving.closed, pause.then(() => null)]).catch(() => null);
  }

  /**
   * Opens a second connection beside the serving one; when it carries every stream on from where the first one is,
   * the first one goes. Both feed the same books meanwhile: what comes twice is ignored by its ids.
   * @returns null: replaced; else why the slot has no connection any more
   */
  private async replace(serving: StreamConnection, signal: AbortSignal): Promise<OrderFlowError | null> {
    const { timings, random } = this.settings;
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.tryReplacing(serving, signal);
      if (signal.aborted) return signal.reason as OrderFlowError;
      if (outcome !== 'failed') return outcome;
      const lost = await this.pause(backoffMs(attempt, random()) * timings.backoffFactor, serving, signal);
      if (lost) return lost;
    }
  }

  /** One attempt. Whatever comes of it, it leaves at most one connection, and nothing of it goes on afterwards. */
  private async tryReplacing(
    serving: StreamConnection,
    signal: AbortSignal,
  ): Promise<OrderFlowError | 'failed' | null> {
    const over = new AbortController();
    const attempt = AbortSignal.any([signal, over.signal]);
    const changeover = (this.changeover = new Changeover(() => this.checkNextReady()));
    const opened = this.openReady(attempt);
    opened.catch(() => undefined);
    try {
      const ready = await Promise.race([serving.closed, opened]);
      if (ready instanceof OrderFlowError) return ready;
      await this.untilJoined(serving, ready, changeover, attempt);
      attempt.throwIfAborted();
      this.promote(serving, ready, changeover);
      await serving.close();
      return null;
    } catch {
      return 'failed';
    } finally {
      over.abort(new OrderFlowError('OF_INTERNAL', 'the attempt is over'));
      this.checkNextReady = () => undefined;
      this.changeover = null;
      const { next } = this;
      this.next = null;
      await next?.close();
      await opened.catch(() => undefined);
    }
  }

  /** A second connection on which every stream is acknowledged. */
  private async openReady(signal: AbortSignal): Promise<StreamConnection> {
    const next = await this.open(signal, (connection) => (this.next = connection));
    await this.untilEach((stream) => next.acknowledged.has(stream), next, signal);
    return next;
  }

  /** Until the older connection is not needed any more, has ended, or has been waited for long enough. */
  private async untilJoined(
    serving: StreamConnection,
    next: StreamConnection,
    changeover: Changeover,
    signal: AbortSignal,
  ): Promise<void> {
    const carried = [...next.acknowledged];
    void serving.caughtUp().then(() => changeover.settle(carried));
    const all = (stream: string) => next.acknowledged.has(stream) && changeover.hasJoined(stream);
    await Promise.race([
      this.untilEach(all, next, signal),
      serving.closed,
      sleep(this.settings.timings.changeoverMs, signal),
    ]);
  }

  /** Until something holds of every stream, looked at again whenever `checkNextReady` is called. */
  private async untilEach(
    holds: (stream: string) => boolean,
    next: StreamConnection,
    signal: AbortSignal,
  ): Promise<void> {
    const unready = (this.unready = new Set(this.streams));
    const each = new Promise<void>((resolve, reject) => {
      // Looks no further than the first that is not ready: each is passed once, however often this is called.
      this.checkNextReady = () => {
        for (const stream of unready) {
          if (!holds(stream)) return;
          unready.delete(stream);
        }
        resolve();
      };
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      this.checkNextReady();
    });
    await Promise.race([each, next.closed.then((error) => Promise.reject(error))]);
  }

  /** In one turn of the event loop: no frame comes between the two. */
  private promote(serving: StreamConnection, next: StreamConnection, changeover: Changeover): void {
    this.current = next;
    this.next = this.changeover = null;
    void serving.close();
    const missing = [...this.streams].filter((stream) => !next.acknowledged.has(stream));
    this.handlers.onReplaced(this, changeover, missing);
  }
}
