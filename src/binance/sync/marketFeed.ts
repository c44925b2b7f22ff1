import { OrderFlowError, toOrderFlowError } from '../../runtime/errors';
import { monotonicMs } from '../../runtime/time';
import type { Changeover } from '../stream/changeover';
import { eventBytes, streamOf, type FeedCodec, type SymbolUpdate } from '../wire/codec';
import { depthPlan, type DepthPlan } from '../rest/depthPlan';
import type { SymbolFacts } from '../../feed/listing';
import type { FeedListener, SymbolView } from '../../feed/types';
import { depthStream, type MarketEndpoints } from '../endpoints';
import type { AttemptWindow } from '../../limits/connectAttempts';
import type { RestClient } from '../rest/restClient';
import type { StreamConnection } from '../stream/streamConnection';
import { StreamSlot, type SlotHandlers } from '../stream/streamSlot';
import { SymbolFeed } from './symbolFeed';
import { Listeners, needOf, type Reader } from './readers';
import type { SymbolHost } from './symbolHost';
import { Ticks } from './ticks';
import type { FeedTimings } from '../timings';

interface Entry<U extends SymbolUpdate> {
  readonly feed: SymbolFeed<U>;
  readonly stream: string;
  slot: StreamSlot | null;
  readers: readonly Reader[];
  plan: { readonly of: number; readonly depths: DepthPlan } | null;
  /** Runs from the end of a subscription until the stream is asked for again. */
  resubscribeTimer: NodeJS.Timeout | null;
  /** Times in a row that the exchange did not take the stream. */
  refusals: number;
}

export interface MarketFeedSettings<U extends SymbolUpdate> {
  readonly market: MarketEndpoints;
  readonly speedMs: number;
  readonly streamUrl: URL;
  readonly rest: RestClient;
  readonly codec: FeedCodec<U>;
  readonly timings: FeedTimings;
  readonly random: () => number;
  readonly attempts: AttemptWindow;
}

/** The wait before a refused stream is asked for again; doubled each time up to a slow retry. */
const FIRST_REFUSAL_WAIT_MS = 30_000;

/** All symbols of one market, speed and pair of base URLs: their connections, and the way of a frame to its book. */
export class MarketFeed<U extends SymbolUpdate> {
  private readonly entries = new Map<string, Entry<U>>();
  private readonly byStream = new Map<string, Entry<U>>();
  /** The connections, each with the symbols that it carries or is to carry again. */
  private readonly slots = new Map<StreamSlot, Set<Entry<U>>>();
  private readonly closing = new Set<Promise<void>>();
  private readonly ticks: Ticks;
  private readonly listeners = new Listeners();
  /** A plan counts until the number of symbols, or who reads one, changes. */
  private plans = 0;
  private readonly requirePrevious: boolean;
  private readonly host: SymbolHost<U>;

  constructor(private readonly settings: MarketFeedSettings<U>) {
    const { market, speedMs, codec, rest, timings, random } = settings;
    this.requirePrevious = market.namesPreviousId;
    this.ticks = new Ticks(timings.tickMs);
    this.host = {
      ...{ market, speedMs, codec, rest, timings, random },
      depthPlan: (symbol) => this.planOf(symbol),
      levels: (symbol) => needOf(this.entries.get(symbol)?.readers ?? []).levels,
      liveAgeMs: (symbol) => this.liveAgeMs(symbol),
      tickAt: (feed, atMs) => this.ticks.at(feed, atMs),
      resubscribe: (symbol, error, waitMs) => this.resubscribe(symbol, error, waitMs),
      onBook: (feed) => this.dispatch(feed, (listener) => listener.onBook?.(feed)),
      onStatus: (feed) => this.dispatch(feed, (listener) => listener.onStatus?.(feed.status())),
      onEnded: ({ symbol }) => this.ended(symbol),
    };
  }

  get symbolCount(): number {
    return this.entries.size;
  }

  get connectionCount(): number {
    return [...this.slots.keys()].reduce((sum, slot) => sum + slot.connections, this.closing.size);
  }

  /** The symbol's feed, begun where it did not run. */
  open(symbol: string): SymbolFeed<U> {
    let entry = this.entries.get(symbol);
    if (!entry) {
      const feed = new SymbolFeed(this.host, symbol);
      const stream = depthStream(this.settings.market, symbol, this.settings.speedMs);
      entry = { feed, stream, slot: null, readers: [], plan: null, resubscribeTimer: null, refusals: 0 };
      this.entries.set(symbol, entry);
      this.byStream.set(stream, entry);
      this.plans++;
    }
    if (entry.slot === null) {
      entry.feed.restart();
      this.place(entry);
    }
    this.ticks.start();
    return entry.feed;
  }

  /** What the exchange's list says of a symbol. Readers are called when trading starts or stops. */
  setFacts(symbol: string, facts: SymbolFacts): void {
    const feed = this.entries.get(symbol)?.feed;
    if (!feed) return;
    const before = feed.facts;
    feed.facts = facts;
    const changed =
      before.notTrading !== facts.notTrading ||
      before.tradingStatus !== facts.tradingStatus ||
      before.contractSize !== facts.contractSize;
    if (!changed) return;
    this.host.onStatus(feed);
    if (feed.isLive) this.host.onBook(feed);
  }

  get symbols(): string[] {
    return [...this.entries.keys()];
  }

  addReader(symbol: string, reader: Reader): void {
    const entry = this.entries.get(symbol);
    if (!entry) return;
    entry.readers = [...entry.readers, reader];
    this.listeners.add(reader);
    this.readersChanged(entry);
  }

  /** @returns the number of readers that remain */
  removeReader(symbol: string, reader: Reader): number {
    const entry = this.entries.get(symbol);
    if (!entry) return 0;
    const others = entry.readers.filter((other) => other !== reader);
    if (others.length < entry.readers.length) this.listeners.remove(reader);
    entry.readers = others;
    this.readersChanged(entry);
    return entry.readers.length;
  }

  readerCount(symbol: string): number {
    return this.entries.get(symbol)?.readers.length ?? 0;
  }

  /** Ends a symbol; a connection that has none left is closed. */
  drop(symbol: string): void {
    const entry = this.entries.get(symbol);
    if (!entry) return;
    this.entries.delete(symbol);
    this.byStream.delete(entry.stream);
    this.plans++;
    entry.feed.stop();
    this.ticks.forget(entry.feed);
    this.displace(entry);
    if (this.entries.size === 0) this.ticks.stop();
  }

  /** Resolves when every connection that was given up is gone. */
  async settled(): Promise<void> {
    while (this.closing.size > 0) await Promise.all(this.closing);
  }

  /** In the grace after the last reader nothing of this feed keeps the process from ending. */
  keepProcessAlive(alive: boolean): void {
    this.ticks.keepProcessAlive(alive);
    for (const slot of this.slots.keys()) slot.keepProcessAlive(alive);
  }

  private place(entry: Entry<U>): void {
    const [slot, entries] = this.slotWithRoom();
    entries.add(entry);
    entry.slot = slot;
    slot.add([entry.stream]);
  }

  private slotWithRoom(): readonly [StreamSlot, Set<Entry<U>>] {
    const { streamsPerConnection } = this.settings.market;
    for (const place of this.slots) if (place[1].size < streamsPerConnection) return place;
    const slot = new StreamSlot(this.slotSettings(), this.slotHandlers);
    const entries = new Set<Entry<U>>();
    this.slots.set(slot, entries);
    return [slot, entries];
  }

  private slotSettings() {
    const { streamUrl, timings, market, attempts, random } = this.settings;
    return { url: streamUrl, timings, messagesPerSecond: market.messagesPerSecond, attempts, random };
  }

  private displace(entry: Entry<U>): void {
    const { slot } = entry;
    if (entry.resubscribeTimer) clearTimeout(entry.resubscribeTimer);
    entry.resubscribeTimer = null;
    entry.slot = null;
    if (!slot) return;
    slot.remove([entry.stream]);
    const entries = this.slots.get(slot);
    entries?.delete(entry);
    if (entries === undefined || entries.size > 0) return;
    this.slots.delete(slot);
    const closed = slot.close().finally(() => this.closing.delete(closed));
    this.closing.add(closed);
  }

  private readersChanged(entry: Entry<U>): void {
    entry.plan = null;
    this.ticks.at(entry.feed, monotonicMs());
  }

  private ended(symbol: string): void {
    const entry = this.entries.get(symbol);
    if (entry) this.displace(entry);
  }

  private planOf(symbol: string): DepthPlan {
    const entry = this.entries.get(symbol);
    if (entry?.plan?.of === this.plans) return entry.plan.depths;
    const { market, rest } = this.settings;
    const { levels, bookDepth } = needOf(entry?.readers ?? []);
    const depths = depthPlan(market, levels, bookDepth, this.entries.size, rest.budget.perMinute);
    if (entry) entry.plan = { of: this.plans, depths };
    return depths;
  }

  private liveAgeMs(symbol: string): number {
    const entry = this.entries.get(symbol);
    const last = entry?.slot?.provenMs(entry.stream) ?? -Infinity;
    return Math.max(monotonicMs() - last, 0);
  }

  private resubscribe(symbol: string, error: OrderFlowError, waitMs: number): void {
    const entry = this.entries.get(symbol);
    if (!entry?.slot) return;
    entry.feed.streamLost(error);
    entry.slot.remove([entry.stream]);
    entry.resubscribeTimer = setTimeout(() => {
      entry.resubscribeTimer = null;
      entry.slot?.add([entry.stream]);
    }, waitMs);
  }

  private readonly slotHandlers: SlotHandlers = {
    onFrame: (slot, connection, frame) => this.onFrame(slot, connection, frame),
    onUp: (slot, streams) => {
      for (const stream of streams) {
        const entry = this.byStream.get(stream);
        if (entry?.slot !== slot) continue;
        entry.refusals = 0;
        entry.feed.streamUp();
      }
    },
    onLost: (slot, error) => {
      for (const entry of this.of(slot)) if (!entry.resubscribeTimer) entry.feed.streamLost(error);
    },
    onRefused: (slot, stream, answer) => this.onRefused(slot, stream, answer),
    onReplaced: (slot, changeover, missing) => this.onReplaced(slot, changeover, missing),
    onFailed: (slot, error) => {
      // A stream that waits to be asked for again has its own reason.
      for (const entry of this.of(slot))
        if (!entry.resubscribeTimer || !error.retryable) entry.feed.streamLost(error);
      return this.of(slot).length > 0;
    },
    onLog: (level, message) => this.log(level, message),
  };

  private of(slot: StreamSlot): Entry<U>[] {
    return [...(this.slots.get(slot) ?? [])];
  }

  private onFrame(slot: StreamSlot, connection: StreamConnection, frame: Buffer): void {
    let message;
    try {
      message = this.settings.codec.decode(frame, this.requirePrevious);
    } catch (error) {
      return this.onUnreadable(slot, frame, error);
    }
    if (message.kind === 'depth') return this.onDepth(slot, connection, message.update, frame);
    if (message.kind === 'response') return connection.onResponse(message.id, message.error);
    if (message.kind === 'shutdown') slot.onShutdownNotice(connection);
  }

  private onDepth(slot: StreamSlot, connection: StreamConnection, update: U, frame: Buffer): void {
    const entry = this.entries.get(update.symbol);
    // Someone else's symbol: one that has just been unsubscribed, or none of ours.
    if (!entry || entry.slot !== slot || entry.feed.isStopped) return;
    const { changeover } = slot;
    if (changeover === null) return this.take(entry, update, frame);
    const { stream } = entry;
    const standing = entry.feed.standing(update);
    const from = slot.isYounger(connection) ? 'younger' : 'older';
    if (!changeover.admit(stream, from, standing, frame)) return;
    // More than can be held: what was held is a gap now, in its order.
    if (from === 'younger' && standing === 'gap') {
      this.takeHeld(entry, [...changeover.takeAll(stream), frame]);
      return;
    }
    this.take(entry, update, frame);
    this.takeWhatFits(changeover, entry);
  }

  /** Frames that were ahead, as far as the older connection has brought what lay between. */
  private takeWhatFits(changeover: Changeover, entry: Entry<U>): void {
    const { stream, feed } = entry;
    for (let frame = changeover.first(stream); frame !== undefined; frame = changeover.first(stream)) {
      const message = this.settings.codec.decode(frame, this.requirePrevious);
      if (message.kind !== 'depth') return;
      const standing = feed.standing(message.update);
      if (standing === 'gap') return;
      changeover.release(stream, frame);
      if (standing === 'apply') this.take(entry, message.update, frame);
    }
  }

  private takeHeld(entry: Entry<U>, frames: readonly Buffer[]): void {
    const { slot } = entry;
    for (const frame of frames) {
      const message = this.settings.codec.decode(frame, this.requirePrevious);
      // A listener may have ended the symbol meanwhile.
      if (message.kind === 'depth' && entry.slot === slot && !entry.feed.isStopped)
        this.take(entry, message.update, frame);
    }
  }

  private onReplaced(slot: StreamSlot, changeover: Changeover, missing: readonly string[]): void {
    const cause = 'the older connection ended before all that it was to bring had come';
    const error = new OrderFlowError('OF_STREAM_CLOSED', cause);
    const lost = new Set(missing);
    for (const entry of this.of(slot)) {
      const { stream, feed } = entry;
      if (!slot.streams.has(stream)) continue;
      if (lost.has(stream)) feed.streamLost(error);
      else if (!changeover.isSafe(stream)) feed.onUnreadable(error);
      this.takeHeld(entry, changeover.takeAll(stream));
    }
  }

  private onRefused(slot: StreamSlot, stream: string, answer: string): void {
    const entry = this.byStream.get(stream);
    if (entry?.slot !== slot || entry.resubscribeTimer) return;
    const { timings, random } = this.settings;
    const firstMs = FIRST_REFUSAL_WAIT_MS * timings.backoffFactor;
    const waitMs = Math.min(firstMs * 2 ** entry.refusals, timings.terminalRetryMs);
    entry.refusals++;
    const { symbol } = entry.feed;
    const error = new OrderFlowError('OF_SYMBOL_REFUSED', `${symbol} (${answer})`, { subject: symbol });
    this.resubscribe(symbol, error, waitMs * (0.75 + random() / 4));
  }

  private take(entry: Entry<U>, update: U, frame: Buffer): void {
    const { slot } = entry;
    const outcome = entry.feed.onUpdate(update);
    if (outcome === 'ignored' && slot?.changeover) return;
    let raw: Buffer | null = null;
    for (const { listener, released } of entry.readers) {
      if (released || !listener.onEvent) continue;
      raw ??= eventBytes(frame);
      this.call(() => listener.onEvent?.(entry.feed, raw as Buffer));
    }
  }

  /** A frame that names no symbol may have been an update of any: the connection is opened again. */
  private onUnreadable(slot: StreamSlot, frame: Buffer, error: unknown): void {
    const failure = toOrderFlowError(error);
    const stream = streamOf(frame);
    const entry = stream === null ? undefined : this.byStream.get(stream);
    if (entry?.slot === slot) entry.feed.onUnreadable(failure);
    else if (stream === null) slot.fail(failure);
  }

  private dispatch(of: SymbolView, call: (listener: FeedListener) => void): void {
    const entry = this.entries.get(of.symbol);
    if (entry?.feed !== of) return;
    for (const { listener, released } of entry.readers) if (!released) this.call(() => call(listener));
  }

  private log(level: 'info' | 'warn' | 'error', message: string): void {
    this.listeners.log(level, `${this.settings.market.name}: ${message}`);
  }

  /** A listener that throws must not cost the others, or the book, an update. */
  private call(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.log('error', `a listener of the feed failed: ${toOrderFlowError(error).message}`);
    }
  }
}
