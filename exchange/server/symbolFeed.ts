import type { Profile } from '../profiles';
import type { RecordedEvent, SymbolMarket } from '../market/types';
import { encodeDepthEvent, encodePartialDepth, sortedChanges, type DepthEvent } from '../wire/encode';
import { EventFaults } from './eventFaults';
import type { Faults } from './faults';
import type { Hub } from './hub';

/** A diff stream of one speed: which changes it has sent. */
interface Channel {
  readonly stream: string;
  readonly periodMs: number;
  /** Position in the book's log up to which changes were sent. */
  position: number;
  lastFinalId: number;
  readonly faults: EventFaults;
}

interface PartialChannel {
  readonly stream: string;
  readonly periodMs: number;
  readonly levels: number;
  lastFinalId: number;
}

const PARTIAL_LEVELS = [5, 10, 20];
/** Not one of the exchange's statuses: the symbol is gone from every list. */
export const DELISTED = 'DELISTED';

/** A symbol on the server: its market, and the streams that send its changes. */
export class SymbolFeed {
  status = 'TRADING';
  /** 24 h volume in quote currency, as the ticker says it. */
  quoteVolume: number;
  /** Of futures; null: by the symbol's name. */
  contractType: string | null = null;
  /** The newest diff event handed to a stream. */
  newest: { firstUpdateId: number; finalUpdateId: number } | null = null;
  private readonly channels: Channel[];
  private readonly partials: PartialChannel[] = [];
  private flushedMs = 0;

  constructor(
    private readonly profile: Profile,
    readonly market: SymbolMarket,
    private readonly faults: Faults,
    private readonly hub: Hub,
    /** Where in the period this symbol's events fall, milliseconds. */
    private readonly phaseMs: number,
    private readonly now: () => number,
  ) {
    this.quoteVolume = market.rules.quoteVolume;
    const name = market.rules.symbol.toLowerCase();
    const { lastUpdateId, position } = market.book;
    this.channels = [...profile.diffSpeeds].map(([suffix, periodMs]) => {
      const stream = `${name}@depth${suffix}`;
      const sink = {
        event: (event: DepthEvent) => this.send(stream, event),
        bytes: (bytes: Buffer, binary: boolean) => hub.publishBytes(stream, bytes, binary),
      };
      return { stream, periodMs, position, lastFinalId: lastUpdateId, faults: new EventFaults(faults, sink) };
    });
    for (const [suffix, periodMs] of profile.partialSpeeds) {
      for (const levels of PARTIAL_LEVELS) {
        this.partials.push({ stream: `${name}@depth${levels}${suffix}`, periodMs, levels, lastFinalId: -1 });
      }
    }
  }

  get symbol(): string {
    return this.market.rules.symbol;
  }

  get isListed(): boolean {
    return this.status !== DELISTED;
  }

  /** The diff streams' names. */
  get diffStreams(): string[] {
    return this.channels.map(({ stream }) => stream);
  }

  /** Goes on to the market's time; what is due on each stream is sent when `flush` is set. */
  advance(marketMs: number, share: number, flush: boolean): void {
    if (this.status === 'TRADING') this.sendRecorded(this.market.step(marketMs, share));
    if (!flush) return;
    const before = this.flushedMs;
    this.flushedMs = marketMs;
    const isDue = (periodMs: number): boolean =>
      Math.floor((marketMs - this.phaseMs) / periodMs) > Math.floor((before - this.phaseMs) / periodMs);
    this.flush(isDue);
  }

  sendRecorded(events: RecordedEvent[] | null): void {
    if (events === null) return;
    for (const event of events) {
      const depth: DepthEvent = {
        ...event,
        symbol: this.symbol,
        previousFinalUpdateId: event.previousFinalUpdateId ?? -1,
        ...levelsOf(event.text),
      };
      for (const channel of this.channels) {
        channel.position = this.market.book.position;
        channel.lastFinalId = event.finalUpdateId;
        if (this.hub.listens(channel.stream)) channel.faults.pass(depth);
      }
      this.newest = event;
    }
  }

  /** Sends the changes that the streams have not sent yet: those whose period has ended, or all. */
  flush(isDue: (periodMs: number) => boolean = () => true): void {
    for (const channel of this.channels) if (isDue(channel.periodMs)) this.flushDiff(channel);
    for (const partial of this.partials) if (isDue(partial.periodMs)) this.flushPartial(partial);
  }

  /** Makes exact changes now, under ids that follow, and sends them. */
  script(
    bids: ReadonlyArray<readonly [string, string]>,
    asks: ReadonlyArray<readonly [string, string]>,
  ): void {
    const { book } = this.market;
    const changes = [
      ...bids.map(([price, quantity]) => [book.keyOf('bid', price), book.quantityOf(quantity)] as const),
      ...asks.map(([price, quantity]) => [book.keyOf('ask', price), book.quantityOf(quantity)] as const),
    ];
    for (const [key, quantity] of changes) book.apply(key, quantity, book.lastUpdateId + 1);
    this.flush();
  }

  /** Ids start over, as on a test network that was set up again. */
  resetIds(to: number): void {
    this.flush();
    this.market.book.resetId(to);
    for (const channel of this.channels) channel.lastFinalId = to;
  }

  /** An id that is too old for every open connection: below what precedes the first event it was sent. */
  staleId(): number {
    const spot = this.profile.kind === 'spot';
    let oldest = Math.min(...this.channels.map(({ lastFinalId }) => lastFinalId)) - 1;
    for (const connection of this.hub.connections) {
      const first = connection.firstSent.get(this.symbol);
      if (first === undefined) continue;
      oldest = Math.min(oldest, spot ? first.firstUpdateId - 2 : first.previousFinalUpdateId - 1);
    }
    return oldest;
  }

  close(): void {
    for (const { faults } of this.channels) faults.close();
  }

  private flushDiff(channel: Channel): void {
    const { book } = this.market;
    const from = channel.position;
    if (book.position === from) return;
    channel.position = book.position;
    const previousFinalUpdateId = channel.lastFinalId;
    channel.lastFinalId = book.lastUpdateId;
    if (!this.hub.listens(channel.stream)) return;
    const changes = book.changesSince(from);
    if (changes === null) return;
    const event: DepthEvent = {
      symbol: this.symbol,
      firstUpdateId: changes.firstId,
      finalUpdateId: changes.finalId,
      previousFinalUpdateId: this.profile.kind === 'spot' ? -1 : previousFinalUpdateId,
      eventTimeMs: this.now(),
      ...sortedChanges(this.profile, book, changes.keys),
    };
    this.newest = event;
    channel.faults.pass(event);
  }

  private flushPartial(partial: PartialChannel): void {
    const { book } = this.market;
    if (book.lastUpdateId === partial.lastFinalId || !this.hub.listens(partial.stream)) return;
    const previous = partial.lastFinalId < 0 ? book.lastUpdateId : partial.lastFinalId;
    partial.lastFinalId = book.lastUpdateId;
    if (this.faults.has('freeze', this.symbol)) return;
    const event: DepthEvent = {
      symbol: this.symbol,
      firstUpdateId: Math.min(previous + 1, book.lastUpdateId),
      finalUpdateId: book.lastUpdateId,
      previousFinalUpdateId: previous,
      eventTimeMs: this.now(),
      bids: book.wireTop(book.bids, partial.levels),
      asks: book.wireTop(book.asks, partial.levels),
    };
    const body = (microseconds: boolean): string => encodePartialDepth(this.profile, event, microseconds);
    this.hub.publish(partial.stream, { body });
  }

  private send(stream: string, event: DepthEvent): void {
    const body = (microseconds: boolean): string => encodeDepthEvent(this.profile, event, microseconds);
    this.hub.publish(stream, { body }, (connection) => {
      if (!connection.firstSent.has(this.symbol)) connection.firstSent.set(this.symbol, event);
    });
  }
}

function levelsOf(text: string): Pick<DepthEvent, 'bids' | 'asks'> {
  const event = JSON.parse(text) as { b: Array<[string, string]>; a: Array<[string, string]> };
  return { bids: event.b, asks: event.a };
}
