import { backoffMs } from '../../runtime/backoff';
import { OrderFlowError, toOrderFlowError } from '../../runtime/errors';
import { monotonicMs } from '../../runtime/time';
import { clockMs, RedisSession, type RedisCommand } from './redisSession';
import { serverName, type RedisAddress, type RedisSettings } from './redisSettings';
import { Sentinels } from './sentinels';

/** Longest wait between two attempts to reconnect: a snapshot is stale after seconds, so minutes would not do. */
const MAX_RECONNECT_WAIT_MS = 5_000;
/** A connection that lived this long counts as good: the next failure starts the backoff from its first step. */
const STABLE_MS = 10_000;

/** A server that commands go to, with its clock. */
export interface RedisNode {
  /** Rejects at once where not connected: a book that waits for a connection would be old when written. */
  command(args: RedisCommand): Promise<unknown>;
  /** The server's clock now, in whole milliseconds; never ahead of it unless that clock was set back. */
  serverTimeMs(): number;
  /** To be called with the time in a reply when it arrives. */
  sawServerTime(timeMs: number): void;
  /** Lets what is in flight finish and opens a new connection: the name may lead to another server by now. */
  renew(error: OrderFlowError): void;
}

/** Where the keys are: at one server, or spread over the nodes of a cluster. */
export interface RedisPlace {
  readonly connected: boolean;
  /** Connected, or an error after 5 seconds at most. */
  ready(): Promise<void>;
  /** The server that holds the key, connected. */
  reach(key: string): Promise<RedisNode>;
  /** Every server that holds keys, connected. */
  all(): Promise<readonly RedisNode[]>;
  /** The server that holds the key, connected or not; throws where it is not known. */
  nodeOf(key: string): RedisNode;
  /** Where a refused command has to go instead; null where it was refused for another reason. */
  redirected(key: string, error: unknown): Promise<RedisNode | null>;
  /** From now on connections come back by themselves; returns the function that ends it. */
  keep(): () => void;
  /** Called each time a connection was made; returns the function that ends it. */
  onReady(listener: () => void): () => void;
  /** While idle an open socket does not keep the process alive. */
  setIdle(idle: boolean): void;
  /** Closes everything now; idempotent. Resolves when no attempt to connect is left either. */
  close(): Promise<void>;
}

/** How often the Sentinels are asked whether another server is the primary one by now, milliseconds. */
const LOOK_FOR_PRIMARY_MS = 1_000;

/**
 * Keeps a connection to one Redis, or to the one that the Sentinels call the primary; shared by everyone in the process with the same credential.
 * While it is kept, it reconnects without end; otherwise it is opened when asked for.
 *
 * Why not node-redis's own (read in 6.3.1): its socketTimeout counts writes as life, so that a server that hangs under a
 * writer is never given up, and its time limit for a command ends when that is sent; the deadline of RedisSession would
 * stay. Its wait between two attempts can be neither cut short, when Sentinels name another server, nor ended by close,
 * and keeps the process alive; destroy() does not reach a socket that is still connecting; connectTimeout does not cover
 * the server's first answer. What would go is the dozen lines of reconnectIn and reconnectLater.
 */
export class RedisConnection implements RedisPlace, RedisNode {
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

  private readonly sentinels: Sentinels | null;
  private looking: NodeJS.Timeout | undefined;
  /** The server of the session, or of the attempt to open one. */
  private target: RedisAddress;
  /** Ends the attempt when another server has become the primary one. */
  private attempted = new AbortController();

  constructor(private readonly settings: RedisSettings) {
    this.target = settings;
    this.sentinels = settings.topology === 'sentinel' ? new Sentinels(settings) : null;
  }

  get connected(): boolean {
    return this.session !== null;
  }

  /** The server of the session, or of the last attempt to open one. */
  get address(): RedisAddress {
    return this.target;
  }

  nodeOf(): RedisConnection {
    return this;
  }

  async reach(): Promise<RedisConnection> {
    await this.ready();
    return this;
  }

  async all(): Promise<RedisConnection[]> {
    return [await this.reach()];
  }

  redirected(): Promise<null> {
    return Promise.resolve(null);
  }

  async ready(): Promise<void> {
    if (this.session === null) await this.open();
  }

  command(args: RedisCommand): Promise<unknown> {
    const { session } = this;
    if (session !== null) return session.command(args);
    return Promise.reject(this.lastError ?? this.offline());
  }

  serverTimeMs(): number {
    return Math.floor(monotonicMs() + this.clockOffsetMs);
  }

  sawServerTime(timeMs: number): void {
    if (timeMs > 0) this.clockOffsetMs = timeMs - monotonicMs();
  }

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

  onReady(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  renew(error: OrderFlowError): void {
    const { session } = this;
    if (session === null) return;
    this.lost(session, error);
    session.retire();
  }

  setIdle(idle: boolean): void {
    this.idle = idle;
    if (idle) this.session?.unref();
    else this.session?.ref();
  }

  async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.retry);
    this.retry = undefined;
    clearInterval(this.looking);
    this.sentinels?.close();
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
      const session = await this.openSession((error) => kept !== null && this.lost(kept, error));
      // It may have ended on the way here, before the listener was set.
      if (session.ended !== null) throw session.ended;
      kept = session;
      this.sawServerTime(clockMs(session.opened));
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

  private async openSession(onEnd: (error: OrderFlowError) => void): Promise<RedisSession> {
    for (;;) {
      const attempted = (this.attempted = new AbortController());
      if (this.sentinels !== null) this.target = await this.primary(this.sentinels);
      const signal = AbortSignal.any([this.closing.signal, attempted.signal]);
      const server = { ...this.settings, host: this.target.host, port: this.target.port };
      try {
        return await RedisSession.open(server, signal, onEnd);
      } catch (error) {
        if (!attempted.signal.aborted || this.closing.signal.aborted) throw error;
      }
    }
  }

  private primary(sentinels: Sentinels): Promise<RedisAddress> {
    this.looking ??= setInterval(() => {
      sentinels.primary().then(
        (address) => this.sawPrimary(address),
        // A connected client needs no Sentinel, and a connecting one asks by itself.
        () => undefined,
      );
    }, LOOK_FOR_PRIMARY_MS).unref();
    return sentinels.primary();
  }

  /** After a failover the old server may answer on, or hang: neither is waited for. */
  private sawPrimary(address: RedisAddress): void {
    const { target } = this;
    if (this.closing.signal.aborted || serverName(target) === serverName(address)) return;
    this.attempt = 0;
    this.attempted.abort();
    const { session } = this;
    const now = `${serverName(address)} is the primary server now`;
    if (session !== null) this.lost(session, new OrderFlowError('OF_REDIS_CONNECT', now, { subject: now }));
    session?.destroy();
    clearTimeout(this.retry);
    this.retry = undefined;
    if (this.keepers > 0 && this.session === null) this.open().catch(() => undefined);
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
    const server = serverName(this.target);
    return new OrderFlowError('OF_REDIS_CONNECT', `${server} (not connected)`, { subject: server });
  }
}
