import { OrderFlowError } from '../../runtime/errors';
import { monotonicMs } from '../../runtime/time';
import { CONNECT_TIMEOUT_MS, createRedisClient, tlsVerdict, type RedisClient } from './redisClient';
import { toRedisError, type RedisErrorContext } from './redisErrors';
import { serverName, type RedisSettings } from './redisSettings';

/** Longest wait for the reply to a command before the connection is given up, milliseconds. */
const COMMAND_TIMEOUT_MS = 5_000;
/** After a reply is overdue, the wait for one that is still unread because this process was busy, milliseconds. */
const LATE_READ_MS = 250;
/** Commands that may wait for a reply on one connection. */
export const MAX_IN_FLIGHT = 100_000;

export type RedisCommand = ReadonlyArray<string | Buffer>;

/** One connection, from its opening to its end. Replies come in order: the oldest command shows whether it is alive. */
export class RedisSession {
  /** When each unanswered command was sent; the oldest at `oldest`. */
  private sentAt: number[] = [];
  private oldest = 0;
  private watch: NodeJS.Timeout | undefined;
  private endedWith: OrderFlowError | null = null;
  private retired = false;
  private answered = 0;
  /** `answered` when the oldest command was first seen overdue. */
  private overdueAt = -1;
  /** The reply to the first command. */
  private firstReply: unknown;

  private constructor(
    private readonly client: RedisClient,
    private readonly abort: AbortController,
    private readonly errors: RedisErrorContext,
    private readonly onEnd: (error: OrderFlowError) => void,
    private readonly commandTimeoutMs: number,
  ) {
    client.on('error', (error: unknown) => this.end(toRedisError(error, errors)));
  }

  /**
   * Opens a connection and has the server answer once, all within CONNECT_TIMEOUT_MS; rejects with a coded error.
   * @param onEnd called once when an opened session ends by itself
   * @param first what the server has to answer to be let in; its clock, unless it is a Sentinel
   */
  static async open(
    settings: RedisSettings,
    signal: AbortSignal,
    onEnd: (error: OrderFlowError) => void,
    commandTimeoutMs = COMMAND_TIMEOUT_MS,
    first: RedisCommand = ['TIME'],
  ): Promise<RedisSession> {
    const server = serverName(settings);
    const errors: RedisErrorContext = {
      server,
      secrets: [settings.password],
      clientCertificate: settings.clientKey !== '',
    };
    const abort = new AbortController();
    const hint = settings.tls ? ', or does not speak TLS on this port' : '';
    const late = new OrderFlowError(
      'OF_REDIS_TIMEOUT',
      `${server} did not let us in within ${CONNECT_TIMEOUT_MS / 1000} s${hint}`,
      { subject: server },
    );
    let reason: OrderFlowError | null = null;
    const giveUp = (why: OrderFlowError) => {
      reason ??= why;
      session.destroy();
    };
    const closed = () =>
      giveUp(
        new OrderFlowError('OF_REDIS_CONNECT', `${server} (closed while connecting)`, { subject: server }),
      );
    let client: RedisClient;
    try {
      client = createRedisClient(settings, abort.signal);
    } catch (error) {
      throw toRedisError(error, errors);
    }
    let opened = false;
    const session = new RedisSession(
      client,
      abort,
      errors,
      (error) => opened && onEnd(error),
      commandTimeoutMs,
    );
    const timer = setTimeout(() => giveUp(late), CONNECT_TIMEOUT_MS);
    signal.addEventListener('abort', closed, { once: true });
    if (signal.aborted) closed();
    try {
      await client.connect();
      // Without a password nothing was asked of the server yet; a stopped server accepts connections, too.
      session.firstReply = await session.ask(first);
      if (reason !== null) throw reason;
      // Data that came with that reply may have ended it, before anything could listen.
      if (session.endedWith !== null) throw session.endedWith;
      opened = true;
      return session;
    } catch (error) {
      const failure = reason ?? session.endedWith ?? toRedisError(error, errors);
      session.destroy();
      if (!CUT_OFF.test(failure.message) || reason !== null) throw failure;
      throw (await tlsObjection(settings, signal, errors)) ?? failure;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', closed);
    }
  }

  /** What the server answered first: its clock when the connection was opened. */
  get opened(): unknown {
    return this.firstReply;
  }

  /** A Sentinel does not know the store's commands, but says what it is when asked for its role. */
  private async ask(first: RedisCommand): Promise<unknown> {
    try {
      return await this.client.sendCommand(first as string[]);
    } catch (error) {
      if (toRedisError(error, this.errors).code !== 'OF_REDIS_COMMAND') throw error;
      const role: unknown = await this.client.sendCommand(['ROLE']).catch(() => null);
      if (!Array.isArray(role) || role[0] !== 'sentinel') throw error;
      throw new OrderFlowError('OF_REDIS_SENTINEL', this.errors.server, { subject: this.errors.server });
    }
  }

  /** Why it takes no more commands; null while it does. */
  get ended(): OrderFlowError | null {
    return this.endedWith;
  }

  get inFlight(): number {
    return this.sentAt.length - this.oldest;
  }

  /** Sends at once; rejects with a coded error. Never repeats a command. */
  command(args: RedisCommand): Promise<unknown> {
    if (this.endedWith !== null) return Promise.reject(this.endedWith);
    if (this.inFlight >= MAX_IN_FLIGHT) {
      return Promise.reject(
        new OrderFlowError('OF_REDIS_TIMEOUT', `${this.errors.server} has ${MAX_IN_FLIGHT} commands waiting`),
      );
    }
    this.sentAt.push(monotonicMs());
    this.watch ??= this.watchIn(this.commandTimeoutMs);
    return this.client.sendCommand(args as Array<string | Buffer>).then(this.onReply, this.onFailure);
  }

  /** Takes no more commands, lets those in flight finish, then closes. */
  retire(): void {
    this.retired = true;
    if (this.inFlight === 0) this.destroy();
  }

  /** Closes the socket now; commands in flight reject. Idempotent. */
  destroy(): void {
    this.end(
      new OrderFlowError('OF_REDIS_CONNECT', `${this.errors.server} (connection closed)`, {
        subject: this.errors.server,
      }),
    );
  }

  ref(): void {
    this.client.ref();
  }

  unref(): void {
    this.client.unref();
  }

  private readonly onReply = (reply: unknown): unknown => {
    this.settled();
    return reply;
  };

  private readonly onFailure = (error: unknown): never => {
    this.settled();
    throw this.endedWith ?? toRedisError(error, this.errors);
  };

  private settled(): void {
    this.answered++;
    this.oldest++;
    if (this.oldest === this.sentAt.length) {
      this.sentAt.length = 0;
      this.oldest = 0;
      if (this.retired) this.destroy();
    } else if (this.oldest > 1024 && this.oldest * 2 > this.sentAt.length) {
      this.sentAt.splice(0, this.oldest);
      this.oldest = 0;
    }
  }

  private watchIn(ms: number): NodeJS.Timeout {
    const timer = setTimeout(() => this.checkOldest(), ms);
    timer.unref();
    return timer;
  }

  private checkOldest(): void {
    this.watch = undefined;
    if (this.inFlight === 0 || this.endedWith !== null) return;
    const age = monotonicMs() - this.sentAt[this.oldest];
    if (age < this.commandTimeoutMs) {
      this.watch = this.watchIn(Math.ceil(this.commandTimeoutMs - age));
    } else if (this.overdueAt !== this.answered) {
      // Seen overdue for the first time: perhaps this process was stalled and the reply is there to be read.
      this.overdueAt = this.answered;
      this.watch = this.watchIn(LATE_READ_MS);
    } else
      this.end(new OrderFlowError('OF_REDIS_TIMEOUT', this.errors.server, { subject: this.errors.server }));
  }

  private end(error: OrderFlowError): void {
    if (this.endedWith !== null) return;
    this.endedWith = error;
    clearTimeout(this.watch);
    this.watch = undefined;
    // The abort also reaches a socket that is still connecting, which destroy() does not know of.
    this.abort.abort();
    this.client.destroy();
    this.onEnd(error);
  }
}

/** How a connection ends that the server does not want. */
const CUT_OFF = /closed the connection|\(ECONNRESET\)|\(EPIPE\)/;

/** What TLS has to do with it that a connection was cut off before the first reply; null where it has nothing. */
async function tlsObjection(
  settings: RedisSettings,
  signal: AbortSignal,
  errors: RedisErrorContext,
): Promise<OrderFlowError | null> {
  const verdict = await tlsVerdict(settings, signal);
  // Not instanceof: test runners have an Error class of their own.
  if (typeof verdict === 'object' && settings.tls) return toRedisError(verdict, errors);
  if (verdict === false || settings.tls) return null;
  return new OrderFlowError('OF_REDIS_TLS', `${errors.server} expects TLS`, { subject: errors.server });
}

/** The reply to TIME in milliseconds. */
export function clockMs(reply: unknown): number {
  if (!Array.isArray(reply)) throw new OrderFlowError('OF_REDIS_ERROR', 'the reply to TIME is no time');
  return Number(reply[0]) * 1000 + Math.floor(Number(reply[1]) / 1000);
}
