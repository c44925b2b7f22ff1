import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { RecordingMarket } from '../market/recording';
import type { BookText } from '../market/trueBook';
import { PROFILES, type Profile } from '../profiles';
import { mendBook, spoilBook, syntheticOf } from './bookFaults';
import { Connection, MAX_BUFFERED_BYTES, type ConnectionContext } from './connection';
import { Faults, type BookFault, type Fault } from './faults';
import { Hub } from './hub';
import { makeMarkets } from './markets';
import * as defaults from './options';
import type { ExchangeOptions } from './options';
import { handleRest } from './rest';
import { RESTRICTED_BODY } from './restFaults';
import { route } from './routes';
import { Counters, type Stats } from './stats';
import { strike } from './strikes';
import { SymbolFeed } from './symbolFeed';
import { Ticker } from './ticker';
import { WeightMeter } from './weight';

/** 1024 streams in one address are longer than Node takes by itself. */
const MAX_HEADER_BYTES = 128 * 1024;
const BOOK_FAULTS = new Set(['crossed', 'locked', 'emptySide', 'emptyBook']);

/** Answers a request below `/__control/`, which is no part of the exchange's own API. */
export type ControlHandler = (exchange: Exchange, request: IncomingMessage, response: ServerResponse) => void;

/** A running stand-in exchange. `startExchange` makes one. */
export class Exchange {
  readonly faults: Faults;
  readonly profile: Profile;
  readonly weight: WeightMeter;
  readonly hub: Hub;
  readonly feeds = new Map<string, SymbolFeed>();
  readonly shutdownNoticeMs: number;
  private readonly counters = new Counters();
  private readonly server: Server;
  private readonly webSockets = new WebSocketServer({
    noServer: true,
    autoPong: false,
    maxPayload: 1024 * 1024,
  });
  private readonly ticker: Ticker;
  private readonly context: ConnectionContext;
  private readonly connects: number[] = [];
  private readonly timers = new Set<NodeJS.Timeout>();
  private nextConnectionId = 1;
  private closing: Promise<void> | null = null;

  constructor(
    private readonly options: ExchangeOptions,
    handleControl: ControlHandler,
  ) {
    const { timing = {} } = options;
    this.profile = PROFILES[options.market ?? 'spot'];
    if (this.profile === undefined) throw new Error(`unknown market ${JSON.stringify(options.market)}`);
    this.shutdownNoticeMs = timing.shutdownNoticeMs ?? defaults.DEFAULT_SHUTDOWN_NOTICE_MS;
    const clocks = {
      weightWindowMs: timing.weightWindowMs ?? 60_000,
      banMs: timing.banMs ?? defaults.DEFAULT_BANS_MS,
    };
    this.weight =
      options.sharesWeightWith?.weight ??
      new WeightMeter(options.weightPerMinute ?? this.profile.weightPerMinute, clocks, Date.now);
    this.hub = new Hub(this.profile.id, this.counters, (stream) => this.onListener(stream));
    this.faults = new Faults({
      strike: (fault) => strike(this, fault),
      began: (fault) => this.onBookFault(fault, (feed) => spoilBook(feed, fault as BookFault)),
      ended: (fault) => this.onBookFault(fault, mendBook),
    });
    this.ticker = new Ticker(options.tickMs ?? 100);
    makeMarkets(this.profile, options).forEach((market, i) => {
      const feed = new SymbolFeed(
        this.profile,
        market,
        this.faults,
        this.hub,
        this.ticker.phaseMs(i),
        Date.now,
      );
      if (this.feeds.has(feed.symbol)) throw new Error(`symbol ${feed.symbol} was given twice`);
      this.feeds.set(feed.symbol, feed);
    });
    for (const given of options.symbols ?? []) {
      if (typeof given === 'string') continue;
      if (given.status !== undefined) this.setStatus(given.symbol, given.status);
      if (given.quoteVolume !== undefined) this.setQuoteVolume(given.symbol, given.quoteVolume);
      this.feed(given.symbol).contractType = given.contractType ?? null;
    }
    this.context = {
      profile: this.profile,
      faults: this.faults,
      counters: this.counters,
      maxBufferedBytes: options.maxBufferedBytes ?? MAX_BUFFERED_BYTES,
      clocks: {
        pingMs: timing.pingMs ?? this.profile.pingMs,
        pongTimeoutMs: timing.pongTimeoutMs ?? this.profile.pongTimeoutMs,
        maxConnectionMs: timing.maxConnectionMs ?? defaults.DAY_MS,
        messageWindowMs: timing.messageWindowMs ?? 1000,
      },
      subscribe: (connection, stream) => this.hub.subscribe(connection, stream),
      unsubscribe: (connection, stream) => this.hub.unsubscribe(connection, stream),
      closed: (connection) => this.hub.remove(connection),
    };
    this.server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
      if (request.url?.startsWith('/__control/') === true) return handleControl(this, request, response);
      const { profile, faults, weight, counters, feeds } = this;
      const bansInTextOnly = options.bansInTextOnly ?? false;
      handleRest(
        { profile, faults, weight, counters, feeds, bansInTextOnly, now: Date.now },
        request,
        response,
      );
    });
    this.server.on('upgrade', (request, socket, head) => this.onUpgrade(request, socket, head));
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get restBaseUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get webSocketBaseUrl(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get stats(): Stats {
    const connections = [...this.hub.connections].map((connection) => ({
      id: connection.setup.id,
      path: connection.setup.path,
      openedAtMs: connection.openedAtMs,
      subscriptions: [...connection.streams],
      bufferedBytes: connection.bufferedBytes,
      halfOpen: connection.halfOpen,
    }));
    const { counters, weight, hub } = this;
    return {
      openConnections: connections.length,
      totalConnections: counters.totalConnections,
      refusedUpgrades: counters.refusedUpgrades,
      connections,
      requests: counters.requests,
      requestsByPath: Object.fromEntries(counters.requestsByPath),
      usedWeight: weight.used,
      earlyRequests: weight.earlyRequests,
      bans: weight.bans,
      framesSent: counters.framesSent,
      eventsSent: counters.eventsSent,
      pingsSent: counters.pingsSent,
      controlMessages: counters.controlMessages,
      closes: Object.fromEntries(counters.closes),
      mostSubscribersOfADiff: hub.mostListeners(),
    };
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.options.port ?? 0, '127.0.0.1', () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    if (this.options.paused !== true && this.options.source?.startOnSubscribe !== true) this.resume();
  }

  /** @throws Error for a symbol that this server never had */
  feed(symbol: string): SymbolFeed {
    const feed = this.feeds.get(symbol);
    if (feed === undefined) throw new Error(`no symbol ${JSON.stringify(symbol)} on this exchange`);
    return feed;
  }

  lastUpdateId(symbol: string): number {
    return this.feed(symbol).market.book.lastUpdateId;
  }

  /** The true book at an update id, canonical decimals, best first; null outside the remembered past. */
  trueBook(symbol: string, updateId: number, levels?: number): BookText | null {
    return this.trueBooks(symbol, updateId, levels)[0] ?? null;
  }

  /** All books that had this id, newest first: several only where ids started over. */
  trueBooks(symbol: string, updateId: number, levels?: number): BookText[] {
    return this.feed(symbol).market.book.at(updateId, levels);
  }

  /** Stops market time; what is being sent goes on, and so do pings. */
  pause(): void {
    this.ticker.stop();
  }

  resume(): void {
    if (this.closing === null) this.ticker.start([...this.feeds.values()]);
  }

  /** A whole step of one symbol or all, now, and everything sent. A recorded symbol plays its next event. */
  tick(symbol?: string): void {
    const feeds = symbol === undefined ? [...this.feeds.values()] : [this.feed(symbol)];
    this.ticker.step(feeds.filter(({ market }) => !(market instanceof RecordingMarket)));
    for (const feed of feeds) {
      if (!(feed.market instanceof RecordingMarket)) continue;
      const event = feed.market.stepOne();
      if (event !== null) feed.sendRecorded([event]);
      feed.flush();
    }
  }

  /** Exact changes, applied and sent now. Quantity '0' removes. */
  scriptUpdate(
    symbol: string,
    changes: {
      bids?: ReadonlyArray<readonly [string, string]>;
      asks?: ReadonlyArray<readonly [string, string]>;
    },
  ): { firstUpdateId: number; finalUpdateId: number } {
    const feed = this.feed(symbol);
    feed.flush();
    const before = this.lastUpdateId(symbol);
    feed.script(changes.bids ?? [], changes.asks ?? []);
    return { firstUpdateId: before + 1, finalUpdateId: this.lastUpdateId(symbol) };
  }

  /** Makes one side of the top of the book heavier for a while; see SyntheticMarket.press. */
  pressure(symbol: string, side: 'bid' | 'ask', strength: number, ms: number): void {
    syntheticOf(this.feed(symbol)).press(side, strength, ms);
  }

  /** With any status but TRADING the book stays as it is; DELISTED is gone from every list. */
  setStatus(symbol: string, status: string): void {
    this.feed(symbol).status = status;
  }

  /** What the symbol traded in 24 hours from now on, in quote currency. */
  setQuoteVolume(symbol: string, quoteVolume: number): void {
    this.feed(symbol).quoteVolume = quoteVolume;
  }

  /** True once every recording has played its last event. */
  get finished(): boolean {
    return [...this.feeds.values()].every(
      ({ market }) => !(market instanceof RecordingMarket) || market.finished,
    );
  }

  /** Runs once after `ms` unless the server is closed before. */
  later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      run();
    }, ms);
    this.timers.add(timer);
  }

  /** Idempotent. All sockets and timers are gone after it. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.ticker.stop();
    for (const timer of this.timers) clearTimeout(timer);
    for (const feed of this.feeds.values()) feed.close();
    for (const connection of [...this.hub.connections]) connection.terminate('server closed');
    this.webSockets.close();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private onBookFault(fault: Fault, change: (feed: SymbolFeed) => void): void {
    if (!BOOK_FAULTS.has(fault.kind)) return;
    const feeds = fault.symbol === undefined ? [...this.feeds.values()] : [this.feed(fault.symbol)];
    for (const feed of feeds) change(feed);
  }

  private onListener(stream: string): void {
    if (this.options.source?.startOnSubscribe !== true || this.options.paused === true) return;
    if ([...this.feeds.values()].some((feed) => feed.diffStreams.includes(stream))) this.resume();
  }

  private onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const fault = this.faults.take(['refuseUpgrade']);
    if (fault !== null) return this.refuse(socket, fault.status, fault.body ?? RESTRICTED_BODY);
    if (!this.admitConnect()) return this.refuse(socket, 429, '');
    const target = route(this.profile, request.url ?? '/');
    if (target === null) return this.refuse(socket, 404, '');
    this.webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const setup = { ...target, id: this.nextConnectionId++, path: request.url ?? '/' };
      const connection = new Connection(webSocket, socket, setup, this.context);
      this.counters.totalConnections++;
      this.hub.add(connection);
      for (const stream of target.streams) {
        if (!connection.subscribe(stream)) return connection.close(1008, 'Too many streams');
      }
    });
  }

  private admitConnect(): boolean {
    const { timing = {} } = this.options;
    const nowMs = performance.now();
    const windowMs = timing.connectWindowMs ?? defaults.DEFAULT_CONNECT_WINDOW_MS;
    while (this.connects.length > 0 && this.connects[0] <= nowMs - windowMs) this.connects.shift();
    if (this.connects.length >= (timing.connectsPerWindow ?? defaults.DEFAULT_CONNECTS_PER_WINDOW))
      return false;
    this.connects.push(nowMs);
    return true;
  }

  private refuse(socket: Duplex, status: number, body: string): void {
    this.counters.refusedUpgrades++;
    const head = `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    socket.end(`${head}Connection: close\r\n\r\n${body}`);
  }
}
