import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import WebSocket from 'ws';
import { deferred } from '../../runtime/deferred';
import { OrderFlowError } from '../../runtime/errors';
import { monotonicMs } from '../../runtime/time';
import { ControlChannel } from './controlChannel';
import { networkError } from '../../net/networkErrors';
import { Pacer } from '../../net/pacer';
import { openTunnel, proxyFor } from '../../net/proxy';
import { startOfBody } from '../../net/http';
import { type BanCode, banCode, bannedUntilMs, MAX_REFUSAL_TEXT, retryAfterMs } from '../../limits/refusals';
import { oneLine } from '../../runtime/text';
import type { FeedTimings } from '../timings';
import { Watchdog } from '../../net/watchdog';

/** The largest real frame, thousands of levels, is far below. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024;
/** A real message comes in one frame; no gateway splits one into this many. */
const MAX_FRAGMENTS = 1_024;
const MAX_BUFFERED_CHUNKS = 64 * 1024;
/** How long the text of a refused upgrade may take. */
const REFUSAL_READ_MS = 1_000;
/** What ws says of a message beyond these bounds. */
const TOO_LARGE: ReadonlySet<string> = new Set([
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
  'WS_ERR_TOO_MANY_BUFFERED_PARTS',
]);

export interface StreamHandlers {
  /** A text message. In the receive path. */
  onFrame(connection: StreamConnection, frame: Buffer): void;
  /** The exchange has acknowledged these streams: every later update of theirs arrives here. */
  onSubscribed(connection: StreamConnection, streams: readonly string[]): void;
  /** The exchange does not take this one stream; the others are not touched. */
  onRefused(connection: StreamConnection, stream: string, answer: string): void;
}

export interface StreamSettings {
  readonly url: URL;
  readonly timings: FeedTimings;
  readonly messagesPerSecond: number;
}

/**
 * One WebSocket to the exchange and the only owner of its socket. It neither reconnects nor knows what frames mean.
 * `closed` resolves once, with the reason, when the connection ends for whatever cause.
 */
export class StreamConnection {
  private readonly ending = deferred<OrderFlowError>();
  readonly closed = this.ending.promise;
  private readonly control: ControlChannel;
  private readonly pacer: Pacer;
  private readonly abort = new AbortController();
  private readonly target: string;
  private watchdog: Watchdog;
  private socket: WebSocket | null = null;
  /** What carries the WebSocket, once it is open. */
  private tcp: Socket | null = null;
  private checkTimer: NodeJS.Timeout | null = null;
  private handshakeTimer: NodeJS.Timeout | null = null;
  /** Waits for everything that was sent before; the serial is the probe's that answers this, null until it is sent. */
  private barrier: { serial: number | null; readonly passed: () => void } | null = null;
  private ended = false;
  private closing: Promise<void> | null = null;

  constructor(
    private readonly settings: StreamSettings,
    private readonly handlers: StreamHandlers,
  ) {
    this.target = settings.url.host;
    this.pacer = new Pacer(settings.messagesPerSecond);
    this.watchdog = this.newWatchdog();
    this.control = new ControlChannel(this.pacer, settings.timings.acknowledgeTimeoutMs, {
      send: (text) => this.send(text),
      onSubscribed: (streams) => this.handlers.onSubscribed(this, streams),
      onRefused: (stream, answer) => this.handlers.onRefused(this, stream, answer),
      onFailed: (error) => this.fail(error),
      now: monotonicMs,
    });
  }

  /** Monotonic time up to which this connection is known to have delivered everything. */
  get provenMs(): number {
    return this.watchdog.provenMs(monotonicMs());
  }

  get acknowledged(): ReadonlySet<string> {
    return this.control.acknowledged;
  }

  /** @throws OrderFlowError: why the connection could not be opened */
  open(): Promise<void> {
    const { url } = this.settings;
    const proxy = proxyFor(url);
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: MAX_FRAME_BYTES,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_BUFFERED_CHUNKS,
      ...(proxy ? { createConnection: this.throughProxy(proxy) } : {}),
    } as WebSocket.ClientOptions);
    this.socket = socket;
    if (!proxy) this.startHandshake();
    socket.on('message', (data, isBinary) => this.onMessage(data as Buffer, isBinary));
    socket.on('ping', () => {
      // ws answers by itself; the answer counts as a message of ours.
      this.pacer.note(monotonicMs());
      this.onTraffic();
    });
    socket.on('pong', (data) => this.onPong(Number(data.toString('latin1'))));
    socket.on('upgrade', (response) => (this.tcp = response.socket));
    socket.on('unexpected-response', (_request, response) => void this.onRefusal(response));
    socket.on('error', (error) => this.fail(this.socketError(error)));
    socket.on('close', (code, reason) => this.fail(this.closeError(code, reason)));
    return new Promise((resolve, reject) => {
      socket.on('open', () => {
        this.endHandshake();
        this.watchdog = this.newWatchdog();
        this.startChecks();
        this.control.start();
        resolve();
      });
      void this.closed.then(reject);
    });
  }

  subscribe(streams: readonly string[]): void {
    this.control.subscribe(streams);
  }

  unsubscribe(streams: readonly string[]): void {
    this.control.unsubscribe(streams);
  }

  /** Resolves, if it ever does, when everything that the exchange had sent before this call has arrived. One at a time. */
  caughtUp(): Promise<void> {
    return new Promise((passed) => (this.barrier = { serial: null, passed }));
  }

  /** The frame reader found an answer to a request of ours. */
  onResponse(id: unknown, error: string | null): void {
    this.control.onResponse(id, error);
  }

  /** Ends the connection as broken: frames that cannot be read, or a stream that is not what it should be. */
  fail(error: OrderFlowError): void {
    if (this.ended) return;
    this.release();
    this.socket?.terminate();
    this.ending.resolve(error);
  }

  /** Lets the process end, or not, while this connection is open. */
  keepProcessAlive(alive: boolean): void {
    for (const handle of [this.tcp, this.checkTimer]) {
      if (alive) handle?.ref();
      else handle?.unref();
    }
  }

  /** Sends a close frame, waits a moment for the answer, then destroys the socket. Idempotent. */
  close(): Promise<void> {
    return (this.closing ??= this.closeNow());
  }

  private async closeNow(): Promise<void> {
    const { socket } = this;
    const wasOpen = !this.ended && socket?.readyState === WebSocket.OPEN;
    this.release();
    this.ending.resolve(new OrderFlowError('OF_STREAM_CLOSED', 'closed by this side'));
    if (!socket || socket.readyState === WebSocket.CLOSED) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.terminate(), wasOpen ? this.settings.timings.closeGraceMs : 0);
      socket.on('close', () => {
        clearTimeout(timer);
        resolve();
      });
      if (wasOpen) socket.close(1000);
      else socket.terminate();
    });
  }

  /** Nothing of this connection reaches anyone any more. */
  private release(): void {
    this.ended = true;
    this.abort.abort();
    this.control.close();
    if (this.checkTimer) clearInterval(this.checkTimer);
    this.checkTimer = null;
    this.endHandshake();
    this.socket?.removeAllListeners();
    this.socket?.on('error', () => undefined);
  }

  private newWatchdog(): Watchdog {
    const { probeMs, watchdogPeriodMs } = this.settings.timings;
    return new Watchdog(monotonicMs(), probeMs, watchdogPeriodMs, this.checkEveryMs);
  }

  private get checkEveryMs(): number {
    return Math.max(this.settings.timings.probeMs / 4, 5);
  }

  private startChecks(): void {
    const everyMs = this.checkEveryMs;
    let last = monotonicMs();
    let closingSeen = false;
    this.checkTimer = setInterval(() => {
      const now = monotonicMs();
      // After a close frame nothing comes any more; a socket that stays open nevertheless is not waited for.
      const closing = this.socket?.readyState === WebSocket.CLOSING;
      if (closing && closingSeen) return this.fail(this.neverEnded());
      closingSeen = closing;
      const lateMs = Math.max(now - last - everyMs, 0);
      last = now;
      const advice = this.watchdog.check(now);
      if (advice === 'cut')
        return this.fail(new OrderFlowError('OF_STREAM_DEAD', this.target, { subject: this.target }));
      const asks = advice === 'probe' || this.barrier?.serial === null;
      if (asks && this.pacer.waitMs(now) === 0) {
        this.pacer.note(now);
        const serial = this.watchdog.onProbe(now);
        if (this.barrier !== null) this.barrier.serial ??= serial;
        if (this.socket?.readyState === WebSocket.OPEN) this.socket.ping(String(serial));
      }
      this.control.check(now, lateMs);
    }, everyMs);
  }

  /** A socket that is closing takes nothing more; its close event is on the way. */
  private send(text: string): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  /** However slowly its bytes come: ws itself only notices a handshake without any progress. */
  private startHandshake(): void {
    const late = `${this.target} did not finish the WebSocket handshake`;
    this.handshakeTimer = setTimeout(
      () => this.fail(new OrderFlowError('OF_TIMEOUT', late)),
      this.settings.timings.connectTimeoutMs,
    );
  }

  private endHandshake(): void {
    if (this.handshakeTimer) clearTimeout(this.handshakeTimer);
    this.handshakeTimer = null;
  }

  private onPong(serial: number): void {
    this.watchdog.onAnswer(monotonicMs(), serial);
    if (this.barrier === null || this.barrier.serial === null || serial < this.barrier.serial) return;
    this.barrier.passed();
    this.barrier = null;
  }

  private onTraffic(): void {
    this.watchdog.onTraffic(monotonicMs());
  }

  private onMessage(data: Buffer, isBinary: boolean): void {
    if (this.ended) return;
    this.onTraffic();
    if (isBinary) return this.fail(new OrderFlowError('OF_FRAME_INVALID', 'a binary frame'));
    this.handlers.onFrame(this, data);
  }

  private throughProxy(proxy: URL) {
    return (_options: unknown, done: (error: Error | null, socket?: Duplex) => void): undefined => {
      openTunnel(proxy, this.settings.url, this.settings.timings.connectTimeoutMs, this.abort.signal).then(
        (socket) => {
          if (!this.ended) this.startHandshake();
          done(null, socket);
        },
        (error: Error) => done(error),
      );
      return undefined;
    };
  }

  /** A ban may be named in the text alone, so the text is read before the connection ends. */
  private async onRefusal(response: IncomingMessage): Promise<void> {
    this.endHandshake();
    const { statusCode: status = 0, headers } = response;
    const text = await startOfBody(response, MAX_REFUSAL_TEXT, REFUSAL_READ_MS);
    const code = banCode(status);
    const bannedMs = code === null ? null : bannedUntilMs(text, headers);
    // Text and head may each name a time; the later one counts, as on a request.
    const named = [bannedMs, retryAfterMs(headers)].filter((ms) => ms !== null);
    const waitMs = named.length === 0 ? undefined : Math.max(...named);
    this.fail(this.refusal(status, bannedMs === null ? code : 'OF_BANNED', waitMs));
  }

  private refusal(status: number, code: BanCode | null, waitMs: number | undefined): OrderFlowError {
    const detail = `${this.target} answered HTTP ${status}`;
    const context = { subject: this.target, retryAfterMs: waitMs };
    if (code !== null) return new OrderFlowError(code, detail, context);
    if (status === 451) return new OrderFlowError('OF_RESTRICTED_LOCATION', this.target, context);
    if (status === 403) return new OrderFlowError('OF_FIREWALL', this.target, context);
    if (status === 407) return new OrderFlowError('OF_PROXY_AUTH', this.target, context);
    if (status >= 300 && status < 400) return new OrderFlowError('OF_HTTP_REDIRECT', detail, context);
    if (status === 404 || status === 410) {
      const asked = `${this.target}${this.settings.url.pathname} answered HTTP ${status}`;
      return new OrderFlowError('OF_WRONG_ADDRESS', asked, context);
    }
    return new OrderFlowError('OF_STREAM_REFUSED', detail, context);
  }

  private socketError(error: Error & { code?: string }): OrderFlowError {
    const code = error.code ?? '';
    if (TOO_LARGE.has(code))
      return new OrderFlowError('OF_FRAME_TOO_LARGE', `${this.target} (${code})`, { subject: this.target });
    if (code.startsWith('WS_ERR_'))
      return new OrderFlowError('OF_FRAME_INVALID', `${this.target} (${code})`, { subject: this.target });
    if (/^(Invalid |Server |Missing )/.test(error.message))
      return new OrderFlowError('OF_STREAM_REFUSED', `${this.target} is no WebSocket server`);
    return networkError(error, this.target);
  }

  private neverEnded(): OrderFlowError {
    const detail = `${this.target} sent a close frame and left the socket open`;
    return new OrderFlowError('OF_STREAM_CLOSED', detail, { subject: this.target });
  }

  private closeError(code: number, reason: Buffer): OrderFlowError {
    const said = oneLine(reason.toString('utf8'));
    return new OrderFlowError(
      'OF_STREAM_CLOSED',
      `${this.target} closed with ${code}${said && ` (${said})`}`,
      {
        subject: this.target,
      },
    );
  }
}
