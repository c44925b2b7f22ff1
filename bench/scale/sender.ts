/** The exchange's side, in a process of its own: REST replies and depth streams of many symbols, made beforehand. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { quantile } from '../lib/stats';
import { Cycle, EVENTS, hashOf, type Truth } from './cycle';
import { symbolName } from './names';
import { sharedClock } from './sharedClock';
import { serve } from './worker';

/** How many different places of the cycle symbols are at. */
const PLACES = 8;
const FIRST_ID = 1_000_000_000;
const MINUTE_LIMIT = 6_000;

export interface SenderOptions {
  readonly symbols: number;
  /** Levels a side of each book. */
  readonly levels: number;
  readonly changes: number;
  /** Events a second of each symbol. */
  readonly perSecond: number;
  /** So many symbols, the last ones, have `perSecond` events; the others a tenth of it. Default: all have. */
  readonly busy?: number;
  /** The length of the exchange's minute: requests beyond its weight are refused. Without it none is counted. */
  readonly minuteMs?: number;
  /** How long a REST reply takes, as one from a distant server does. */
  readonly replyMs?: number;
  readonly clockBase: number;
}

export interface SenderStats {
  readonly sent: number;
  /** How late events went out, against their plan, milliseconds. */
  readonly lateP99Ms: number;
  readonly requests: number;
  readonly refused: number;
}

interface Symbol {
  readonly name: string;
  readonly stream: string;
  readonly offset: number;
  /** One event in this many turns. */
  readonly every: number;
  events: number;
  socket: WebSocket | null;
}

class Sender {
  private readonly cycle: Cycle;
  private readonly symbols: readonly Symbol[];
  private readonly byStream = new Map<string, Symbol>();
  private readonly byName = new Map<string, Symbol>();
  private readonly now: () => number;
  private readonly server = createServer((request, response) => this.receive(request, response));
  private readonly sockets = new WebSocketServer({ server: this.server, perMessageDeflate: false });
  private timer: NodeJS.Timeout | null = null;
  private begunAt = 0;
  private turns = 0;
  private perSecond = 0;
  private sent = 0;
  private late: number[] = [];
  private requests = 0;
  private refused = 0;
  private minute = { begunAt: 0, weight: 0 };

  constructor(private readonly options: SenderOptions) {
    const { symbols, levels, changes, busy = symbols } = options;
    this.cycle = new Cycle(levels, changes, 1);
    this.now = sharedClock(options.clockBase);
    this.symbols = Array.from({ length: symbols }, (_, i): Symbol => {
      const name = symbolName(i);
      const offset = (i % PLACES) * (EVENTS / PLACES);
      const every = i >= symbols - busy ? 1 : 10;
      return { name, stream: `${name.toLowerCase()}@depth@100ms`, offset, every, events: 0, socket: null };
    });
    for (const symbol of this.symbols) {
      this.byStream.set(symbol.stream, symbol);
      this.byName.set(symbol.name, symbol);
    }
    this.sockets.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('message', (data) => this.control(socket, String(data)));
      socket.on('close', () => {
        for (const symbol of this.symbols) if (symbol.socket === socket) symbol.socket = null;
      });
    });
  }

  async open(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  resume(): void {
    this.pace(this.options.perSecond);
    this.plan();
  }

  /** Sets the events a second of each symbol from now on. */
  pace(perSecond: number): void {
    this.begunAt = this.now();
    this.turns = 0;
    this.perSecond = perSecond;
  }

  pause(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /** What was sent since the last call. */
  stats(): SenderStats {
    const { sent, requests, refused } = this;
    const lateP99Ms = this.late.length === 0 ? 0 : quantile(this.late, 0.99);
    this.sent = this.requests = this.refused = 0;
    this.late = [];
    return { sent, lateP99Ms, requests, refused };
  }

  /** The hash of the best levels of the true book at an update id; null where no event ended with it. */
  truthHash(name: string, updateId: number, bids: number, asks: number): string | null {
    const symbol = this.byName.get(name);
    if (symbol === undefined) return null;
    const events = (updateId - FIRST_ID) / this.options.changes;
    if (!Number.isInteger(events) || events < 0 || events > symbol.events) return null;
    const truth = this.truthAfter(symbol, events);
    return hashOf(truth.bids.slice(0, bids), truth.asks.slice(0, asks));
  }

  async close(): Promise<void> {
    this.pause();
    for (const socket of this.sockets.clients) socket.terminate();
    this.sockets.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private truthAfter(symbol: Symbol, events: number): Truth {
    return this.cycle.truth((symbol.offset + events - 1 + EVENTS) % EVENTS);
  }

  private plan(): void {
    this.timer = setTimeout(() => {
      this.sendDue();
      this.plan();
    }, 1);
  }

  /** The symbols take their turns evenly over the interval between two events of one of them. */
  private sendDue(): void {
    const { symbols } = this;
    const everyMs = 1_000 / this.perSecond / symbols.length;
    for (;;) {
      const now = this.now();
      const dueAt = this.begunAt + this.turns * everyMs;
      if (dueAt > now) return;
      const symbol = symbols[this.turns % symbols.length];
      const round = Math.floor(this.turns / symbols.length);
      this.turns++;
      if (round % symbol.every !== 0) continue;
      this.sendEvent(symbol, now);
      if (this.turns % 16 === 0) this.late.push(now - dueAt);
    }
  }

  private sendEvent(symbol: Symbol, now: number): void {
    const place = (symbol.offset + symbol.events) % EVENTS;
    symbol.events++;
    const { socket } = symbol;
    if (socket === null) return;
    const last = FIRST_ID + symbol.events * this.options.changes;
    const first = last - this.options.changes + 1;
    const text =
      `{"stream":"${symbol.stream}","data":{"e":"depthUpdate","E":${Math.floor(now)},"s":"${symbol.name}",` +
      `"U":${first},"u":${last},${this.cycle.bodies[place]}}`;
    socket.send(Buffer.from(text, 'latin1'), { binary: false });
    this.sent++;
  }

  private control(socket: WebSocket, text: string): void {
    const { method, params, id } = JSON.parse(text) as { method: string; params: string[]; id: number };
    for (const stream of params) {
      const symbol = this.byStream.get(stream);
      if (symbol !== undefined) symbol.socket = method === 'SUBSCRIBE' ? socket : null;
    }
    socket.send(JSON.stringify({ result: null, id }));
  }

  private receive(request: IncomingMessage, response: ServerResponse): void {
    const { replyMs } = this.options;
    if (replyMs === undefined) this.answer(request, response);
    else setTimeout(() => this.answer(request, response), replyMs);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const symbol = this.byName.get(url.searchParams.get('symbol') ?? '');
    const limit = Number(url.searchParams.get('limit'));
    if (url.pathname !== '/api/v3/depth' || symbol === undefined) {
      response.writeHead(404).end('{}');
      return;
    }
    this.requests++;
    const used = this.weigh(limit);
    if (used > MINUTE_LIMIT) {
      this.refused++;
      response.writeHead(429, { 'retry-after': '1' }).end('{"code":-1003,"msg":"Too many requests."}');
      return;
    }
    const levels = this.truthAfter(symbol, symbol.events).replyLevels(limit);
    const updateId = FIRST_ID + symbol.events * this.options.changes;
    const headers = {
      'content-type': 'application/json',
      ...(this.options.minuteMs ? { 'x-mbx-used-weight-1m': used } : {}),
    };
    response.writeHead(200, headers).end(`{"lastUpdateId":${updateId},${levels}}`);
  }

  private weigh(limit: number): number {
    const { minuteMs } = this.options;
    if (minuteMs === undefined) return 0;
    const now = this.now();
    if (now - this.minute.begunAt >= minuteMs) this.minute = { begunAt: now, weight: 0 };
    this.minute.weight += limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1_000 ? 50 : 250;
    return this.minute.weight;
  }
}

let sender: Sender | null = null;

function running(): Sender {
  if (sender === null) throw new Error('not opened');
  return sender;
}

const methods = {
  /** @returns the port */
  async open(options: SenderOptions): Promise<number> {
    sender = new Sender(options);
    return sender.open();
  },
  resume: () => running().resume(),
  pace: (perSecond: number) => running().pace(perSecond),
  pause: () => running().pause(),
  stats: () => running().stats(),
  /** As Sender.truthHash, of many books at once. */
  hashes: (books: ReadonlyArray<readonly [name: string, updateId: number, bids: number, asks: number]>) =>
    books.map((book) => running().truthHash(...book)),
};

export type SenderMethods = typeof methods;

serve(methods, async () => sender?.close());
