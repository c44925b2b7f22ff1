import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { canonicalText, decimalsOf, toUnits, widthOf } from './decimals';
import { DEFAULT_HISTORY, TrueBook, type HistoryCaps, type TextLevel } from './trueBook';
import type { RecordedEvent, SymbolMarket, SymbolRules } from './types';

export interface RecordingOptions {
  readonly dir: string;
  /** Recorded milliseconds in a real one. */
  readonly speed?: number;
  /** Start over at the end, with ids that go on; otherwise the symbol falls silent. */
  readonly loop?: boolean;
  readonly contractSize?: (symbol: string) => number | null;
  readonly history?: HistoryCaps;
}

interface WireEvent {
  e: string;
  E: number;
  T?: number;
  s: string;
  U: number;
  u: number;
  pu?: number;
  b: TextLevel[];
  a: TextLevel[];
}

/** Between the last event and the first of the next round. */
const LOOP_PAUSE_MS = 100;

/**
 * Plays a recording: `events.ndjson` (an event a line) and `snapshot.json` (the REST depth reply), each plain or `.gz`.
 * Events go out byte for byte at the pace of their event times. The true book is the reply rolled forward: levels outside
 * it are unknown until an event names them. All changes of an event carry its final id. The tick may change on the way:
 * prices are kept as finely as the finest of the whole recording, and written with as many decimals as the latest event.
 */
export class RecordingMarket implements SymbolMarket {
  readonly book: TrueBook;
  private readonly lines: string[];
  private readonly replyId: number;
  private readonly reply: { bids: TextLevel[]; asks: TextLevel[] };
  private readonly firstTimeMs: number;
  private readonly futures: boolean;
  private next = 0;
  /** Of the round being played: what is added to recorded ids and times. */
  private idShift = 0;
  private timeShiftMs = 0;
  /** Recorded time from the first event on, before which nothing is due: the latest event's. */
  private playedMs = 0;
  private lastTimeMs = 0;
  private startedAtMs: number | null = null;
  private joins = false;
  private currentRules: SymbolRules;

  constructor(private readonly options: RecordingOptions) {
    this.lines = read(options.dir, 'events.ndjson')
      .split('\n')
      .filter((line) => line !== '');
    const reply = JSON.parse(read(options.dir, 'snapshot.json')) as {
      lastUpdateId: number;
      bids: TextLevel[];
      asks: TextLevel[];
    };
    const first = JSON.parse(this.lines[0]) as WireEvent;
    this.reply = reply;
    this.replyId = reply.lastUpdateId;
    this.firstTimeMs = first.E;
    this.lastTimeMs = first.E;
    this.futures = first.pu !== undefined;
    const levels = [...reply.bids, ...reply.asks];
    const quantityWidth = Math.max(...levels.map(([, quantity]) => widthOf(quantity)));
    this.currentRules = {
      symbol: first.s,
      tickSize: stepOf(Math.max(...levels.map(([price]) => decimalsOf(price)))),
      stepSize: stepOf(Math.max(...levels.map(([, quantity]) => decimalsOf(quantity)))),
      contractSize: options.contractSize?.(first.s) ?? null,
      quoteVolume: 1e9,
    };
    const units = {
      priceDecimals: finestPrice(this.lines, levels),
      quantityDecimals: quantityWidth,
      priceWidth: Math.max(...levels.map(([price]) => widthOf(price))),
      quantityWidth,
    };
    this.book = new TrueBook(units, this.replyId, options.history ?? DEFAULT_HISTORY);
    for (const [price, quantity] of reply.bids) {
      this.book.seed(this.book.keyOf('bid', price), this.book.quantityOf(quantity));
    }
    for (const [price, quantity] of reply.asks) {
      this.book.seed(this.book.keyOf('ask', price), this.book.quantityOf(quantity));
    }
  }

  get rules(): SymbolRules {
    return this.currentRules;
  }

  /** True once the last event has been played and there is no other round. */
  get finished(): boolean {
    return this.next >= this.lines.length && this.options.loop !== true;
  }

  step(marketMs: number): RecordedEvent[] {
    this.startedAtMs ??= marketMs;
    const until = (marketMs - this.startedAtMs) * (this.options.speed ?? 1);
    const due: RecordedEvent[] = [];
    for (;;) {
      if (this.next >= this.lines.length) {
        if (this.options.loop !== true || this.playedMs + LOOP_PAUSE_MS > until) break;
        due.push(this.startOver());
      }
      const event = JSON.parse(this.lines[this.next]) as WireEvent;
      const at = event.E + this.timeShiftMs - this.firstTimeMs;
      if (at > until) break;
      const played = this.play(event);
      if (played !== null) due.push(played);
    }
    this.book.trim(marketMs);
    return due;
  }

  /** The next event whatever the time; null at the end. */
  stepOne(): RecordedEvent | null {
    while (this.next < this.lines.length) {
      const played = this.play(JSON.parse(this.lines[this.next]) as WireEvent);
      if (played !== null) return played;
    }
    return this.options.loop === true ? this.startOver() : null;
  }

  /** Null for an event of a later round that the round's first book contains already. */
  private play(event: WireEvent): RecordedEvent | null {
    const line = this.lines[this.next++];
    const firstUpdateId = event.U + this.idShift;
    const finalUpdateId = event.u + this.idShift;
    this.playedMs = Math.max(this.playedMs, event.E + this.timeShiftMs - this.firstTimeMs);
    this.lastTimeMs = event.E + this.timeShiftMs;
    const isOld = finalUpdateId <= this.book.lastUpdateId;
    if (isOld && this.idShift !== 0) return null;
    if (!isOld) this.applyLevels(event, finalUpdateId);
    const previous = event.pu === undefined ? null : event.pu + this.idShift;
    if (this.idShift === 0) {
      return {
        text: line,
        firstUpdateId,
        finalUpdateId,
        previousFinalUpdateId: previous,
        eventTimeMs: event.E,
      };
    }
    const shifted: WireEvent = {
      ...event,
      E: event.E + this.timeShiftMs,
      U: firstUpdateId,
      u: finalUpdateId,
    };
    if (event.T !== undefined) shifted.T = event.T + this.timeShiftMs;
    if (previous !== null) shifted.pu = this.joins ? this.replyId + this.idShift : previous;
    if (this.joins) shifted.U = this.replyId + this.idShift + 1;
    this.joins = false;
    return recorded(shifted);
  }

  private applyLevels(event: Pick<WireEvent, 'b' | 'a'>, id: number): void {
    const prices = [...event.b, ...event.a].map(([price]) => price);
    if (prices.length > 0) this.book.priceWidth = Math.max(...prices.map(widthOf));
    // In a recording a coarser tick looks like prices that happen to be round, so the tick only becomes finer.
    const tick = stepOf(Math.max(0, ...prices.map(decimalsOf)));
    if (Number(tick) < Number(this.rules.tickSize)) this.currentRules = { ...this.rules, tickSize: tick };
    for (const [price, quantity] of event.b) {
      this.book.apply(this.book.keyOf('bid', price), this.book.quantityOf(quantity), id);
    }
    for (const [price, quantity] of event.a) {
      this.book.apply(this.book.keyOf('ask', price), this.book.quantityOf(quantity), id);
    }
    this.book.advanceId(id);
  }

  /** The event that leads from the last book back to the first one. */
  private startOver(): RecordedEvent {
    const { lastUpdateId } = this.book;
    const back = (now: TextLevel[], then: TextLevel[]): TextLevel[] => {
      const stays = new Set(then.map(([price]) => canonicalText(price)));
      const gone = now.filter(([price]) => !stays.has(price)).map(([price]): TextLevel => [price, '0']);
      return [...gone, ...then];
    };
    const now = this.book.now();
    const id = lastUpdateId + 1;
    const time = this.lastTimeMs + LOOP_PAUSE_MS;
    const event: WireEvent = {
      e: 'depthUpdate',
      E: time,
      s: this.rules.symbol,
      U: id,
      u: id,
      ...(this.futures ? { T: time, pu: lastUpdateId } : {}),
      b: back(now.bids, this.reply.bids),
      a: back(now.asks, this.reply.asks),
    };
    this.applyLevels(event, id);
    this.playedMs += LOOP_PAUSE_MS;
    this.timeShiftMs = time - this.firstTimeMs;
    this.lastTimeMs = time;
    this.idShift = id - this.replyId;
    this.next = 0;
    this.joins = true;
    return recorded(event);
  }
}

/** The step of numbers with this many decimals. */
function stepOf(decimals: number): string {
  return decimals === 0 ? '1' : `0.${'1'.padStart(decimals, '0')}`;
}

/**
 * The most decimals that a price of the recording needs.
 * @throws Error that names the line of an event that cannot be played: here, and not in the middle of a test
 */
function finestPrice(lines: readonly string[], reply: readonly TextLevel[]): number {
  const events = lines.map((line, i): TextLevel[] => {
    try {
      const { b, a } = JSON.parse(line) as WireEvent;
      return [...b, ...a];
    } catch (error) {
      throw new Error(`event ${i + 1} of the recording cannot be read: ${(error as Error).message}`);
    }
  });
  let finest = 0;
  const all = [reply, ...events];
  for (const levels of all) for (const [price] of levels) finest = Math.max(finest, decimalsOf(price));
  all.forEach((levels, i) => {
    for (const level of levels) {
      if (toUnits(level[0], finest) && canonicalText(level[1]) !== null) continue;
      const where = i === 0 ? 'the reply' : `event ${i}`;
      throw new Error(
        `${where} of the recording has a level whose price or quantity is not a plain decimal: ${JSON.stringify(level)}`,
      );
    }
  });
  return finest;
}

function recorded(event: WireEvent): RecordedEvent {
  return {
    text: JSON.stringify(event),
    firstUpdateId: event.U,
    finalUpdateId: event.u,
    previousFinalUpdateId: event.pu ?? null,
    eventTimeMs: event.E,
  };
}

function read(dir: string, name: string): string {
  const plain = join(dir, name);
  if (existsSync(plain)) return readFileSync(plain, 'utf8');
  const packed = `${plain}.gz`;
  if (!existsSync(packed)) throw new Error(`no ${name} or ${name}.gz in ${dir}`);
  return gunzipSync(readFileSync(packed)).toString('utf8');
}
