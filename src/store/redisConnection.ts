import { backoffMs } from '../runtime/backoff';
import { OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { monotonicMs } from '../runtime/time';
import type { RedisSettings } from './redisClient';
import { RedisSession, type RedisCommand } from './redisSession';

/** Longest wait between two attempts to reconnect: a snapshot is stale after seconds, so minutes would not do. */
export const MAX_RECONNECT_WAIT_MS = 5_000;
/** A connection that lived this long counts as good: the next failure starts the backoff anew. */
const STABLE_MS = 10_000;

/**
 * Keeps a connection to one Redis, shared by everyone in the process with the same credential.
 * While someone keeps it, it comes back by itself for ever; otherwise it is opened when asked for.
 */
export class RedisConnection {
  private session: RedisSession | null = null;
  private opening: Promise<RedisSession> | null = null;
  private readonly closing = new AbortController();
  private readonly listeners = new Set<() => void>();
  private keepers = 0;
  private attempt = 0;
  private openedAt = 0;
  private retry: NodeJS.Timeout | undefined;
  private lastError: OrderFlowError | null = null;
  private idle = false;
  /** The server's clock minus our monotonic one; a little less, by the way of the reply. */
  private clockOffsetMs = 0;

  constructor(
    private readonly settings: RedisSettings,
    private readonly commandTimeoutMs?: number,
  ) {}

  get connected(): boolean {
    return this.session !== null;
  }

  get kept(): boolean {
    return this.keepers > 0;
  }

  /** Connected, or an error after 5 seconds at most. */
  async ready(): Promise<void> {
    if (this.session === null) await this.open();
  }

  /** Rejects at once where not connected: a book that waits for a connection would be old when written. */
  command(args: RedisCommand): Promise<unknown> {
    const { session } = this;
    if (session !== null) return session.command(args);
    return Promise.reject(this.lastError ?? this.offline());
  }

  /** The server's clock now, in whole milliseconds; never ahead of it unless that clock was set back. */
  serverTimeMs(): number {
    return Math.floor(monotonicMs() + this.clockOffsetMs);
  }

  /** To be called with the time in a reply when it arrives. */
  sawServerTime(timeMs: number): void {
    if (timeMs > 0) this.clockOffsetMs = timeMs - monotonicMs();
  }

  /** From now on the connection comes back by itself; returns the function that ends it. */
  keep(): () => void {
    this.keepers++;
    if (this.session === null && this.opening === null) this.reconnectIn(0);
    let kept = true;
    return () => {
      if (!kept) return;
      kept = false;
      if (--this.keepers === 0) {
        clearTimeout(this.retry);
        this.retry = undefined;
      }
    };
  }

  /** Called each time a connection was made; returns the function that ends it. */
  onReady(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Lets what is in flight finish and opens a new connection: the name may lead to another server by now. */
  renew(error: OrderFlowError): void {
    const { session } = this;
    if (session === null) return;
    this.lost(session, error);
    session.retire();
  }

  /** While idle an open socket does not keep the process alive. */
  setIdle(idle: boolean): void {
    this.idle = idle;
    if (idle) this.session?.unref();
    else this.session?.ref();
  }

  /** Closes everything now; idempotent. Resolves when no attempt to connect is left either. */
  async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.retry);
    this.retry = undefined;
    this.listeners.clear();
    const { session, opening } = this;
    this.session = null;
    session?.destroy();
    await opening?.catch(() => undefined);
  }

  private open(): Promise<RedisSession> {
    if (this.closing.signal.aborted) return Promise.reject(this.offline());
    this.opening ??= this.openOnce().finally(() => {
      this.opening = null;
    });
    return this.opening;
  }

  private async openOnce(): Promise<RedisSession> {
    clearTimeout(this.retry);
    this.retry = undefined;
    try {
      let kept: RedisSession | null = null;
      const session = await RedisSession.open(
        this.settings,
        this.closing.signal,
        (error) => kept !== null && this.lost(kept, error),
        this.commandTimeoutMs,
      );
      // It may have ended on the way here, when nobody was listening yet.
      if (session.ended !== null) throw session.ended;
      kept = session;
      this.sawServerTime(session.openedAtServerMs);
      this.session = session;
      this.lastError = null;
      this.openedAt = monotonicMs();
      if (this.idle) session.unref();
      // Not within this call: a listener that writes at once must find the connection in place.
      queueMicrotask(() => {
        for (const listener of [...this.listeners]) listener();
      });
      return session;
    } catch (error) {
      this.lastError = toOrderFlowError(error);
      this.reconnectLater();
      throw this.lastError;
    }
  }

  private lost(session: RedisSession, error: OrderFlowError): void {
    if (this.session !== session) return;
    this.session = null;
    this.lastError = error;
    if (monotonicMs() - this.openedAt > STABLE_MS) this.attempt = 0;
    this.reconnectLater();
  }

  private reconnectLater(): void {
    if (this.keepers > 0)
      this.reconnectIn(Math.min(backoffMs(this.attempt++, Math.random()), MAX_RECONNECT_WAIT_MS));
  }

  private reconnectIn(ms: number): void {
    if (this.closing.signal.aborted || this.retry !== undefined) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      if (this.keepers > 0 && this.session === null) this.open().catch(() => undefined);
    }, ms);
  }

  private offline(): OrderFlowError {
    const server = `${this.settings.host}:${this.settings.port}`;
    return new OrderFlowError('OF_REDIS_CONNECT', `${server} (not connected)`, { subject: server });
  }
}
