import { isOrderFlowError, OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { monotonicMs } from '../runtime/time';
import type { Changeover } from './changeover';
import { eventBytes, streamOf, type FeedCodec, type SymbolUpdate } from './codec';
import { depthPlan, type DepthPlan } from './depthPlan';
import type { FeedListener } from './feedTypes';
import { depthStream, type Market } from './markets';
import type { AttemptWindow } from './pacer';
import type { RestClient } from './restClient';
import type { StreamConnection } from './streamConnection';
import { StreamSlot, type SlotHandlers } from './streamSlot';
import { SymbolFeed } from './symbolFeed';
import type { SymbolHost } from './symbolHost';
import type { FeedTimings } from './timings';

/** Who reads a symbol, and what they need of it. */
export interface Reader {
  readonly listener: FeedListener;
  readonly levels: number;
  readonly bookDepth: number | 'auto';
  released: boolean;
}

interface Entry<U extends SymbolUpdate> {
  readonly feed: SymbolFeed<U>;
  readonly stream: string;
  slot: StreamSlot | null;
  readers: readonly Reader[];
  plan: DepthPlan | null;
  /** Runs while the stream is not asked for, before it is asked for anew. */
  resubscribeTimer: NodeJS.Timeout | null;
  /** Times in a row that the exchange did not take the stream. */
  refusals: number;
}

export interface MarketFeedSettings<U extends SymbolUpdate> {
  readonly market: Market;
  readonly speedMs: number;
  readonly streamUrl: URL;
  readonly rest: RestClient;
  readonly codec: FeedCodec<U>;
  readonly timings: FeedTimings;
  readonly random: () => number;
  readonly attempts: AttemptWindow;
}

/** A stream that the exchange does not take is asked for again after so long, doubled each time up to a slow retry. */
const FIRST_REFUSAL_WAIT_MS = 30_000;
const DEFAULT_NEED = { levels: 20, bookDepth: 'auto' as const };

/** All symbols of one market, speed and pair of base URLs: their connections, and the way of a frame to its book. */
export class MarketFeed<U extends SymbolUpdate> {
  private readonly entries = new Map<string, Entry<U>>();
  private readonly byStream = new Map<string, Entry<U>>();
  private readonly slots = new Set<StreamSlot>();
  private readonly closing = new Set<Promise<void>>();
  private tickTimer: NodeJS.Timeout | null = null;
  private readonly requirePrevious: boolean;
  private readonly host: SymbolHost<U>;

  constructor(private readonly settings: MarketFeedSettings<U>) {
    const { market, speedMs, codec, rest, timings, random } = settings;
    this.requirePrevious = market.rule === 'futures';
    this.host = {
      ...{ market, speedMs, codec, rest, timings, random },
      depthPlan: (symbol) => this.planOf(symbol),
      levels: (symbol) => this.need(this.entries.get(symbol)).levels,
      liveAgeMs: (symbol) => this.liveAgeMs(symbol),
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
    return [...this.slots].reduce((sum, slot) => sum + slot.connections, this.closing.size);
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
      this.forgetPlans();
    }
    if (entry.slot === null) {
      entry.feed.restart();
      this.place(entry);
    }
    if (this.tickTimer === null)
      this.tickTimer = setInterval(() => this.tick(), this.settings.timings.tickMs);
    return entry.feed;
  }

  addReader(symbol: string, reader: Reader): void {
    const entry = this.entries.get(symbol);
    if (!entry) return;
    entry.readers = [...entry.readers, reader];
    entry.plan = null;
  }

  /** @returns the number of readers that remain */
  removeReader(symbol: string, reader: Reader): number {
    const entry = this.entries.get(symbol);
    if (!entry) return 0;
    entry.readers = entry.readers.filter((other) => other !== reader);
    entry.plan = null;
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
    this.forgetPlans();
    entry.feed.stop();
    this.displace(entry);
    if (this.entries.size === 0 && this.tickTimer) {
      clearInterval(this.tickTimer);
      this.tickTimer = null;
    }
  }

  /** Resolves when every connection that was given up is gone. */
  async settled(): Promise<void> {
    while (this.closing.size > 0) await Promise.all(this.closing);
  }

  /** In the grace after the last reader nothing of this feed keeps the process from ending. */
  keepProcessAlive(alive: boolean): void {
    if (alive) this.tickTimer?.ref();
    else this.tickTimer?.unref();
    for (const slot of this.slots) slot.keepProcessAlive(alive);
  }

  private place(entry: Entry<U>): void {
    const { market } = this.settings;
    const roomy = [...this.slots].find((slot) => slot.streams.size < market.streamsPerConnection);
    const slot = roomy ?? new StreamSlot(this.slotSettings(), this.slotHandlers);
    this.slots.add(slot);
    entry.slot = slot;
    slot.add([entry.stream]);
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
    if (slot.streams.size > 0 || !this.slots.delete(slot)) return;
    const closed = slot.close().finally(() => this.closing.delete(closed));
    this.closing.add(closed);
  }

  private tick(): void {
    const now = monotonicMs();
    for (const entry of this.entries.values()) if (entry.slot) entry.feed.tick(now);
  }

  private forgetPlans(): void {
    for (const entry of this.entries.values()) entry.plan = null;
  }

  private need(entry: Entry<U> | undefined): { levels: number; bookDepth: number | 'auto' } {
    if (!entry || entry.readers.length === 0) return DEFAULT_NEED;
    const levels = Math.max(...entry.readers.map((reader) => reader.levels));
    const fixed = entry.readers.flatMap(({ bookDepth }) => (bookDepth === 'auto' ? [] : [bookDepth]));
    return { levels, bookDepth: fixed.length < entry.readers.length ? 'auto' : Math.max(...fixed) };
  }

  private ended(symbol: string): void {
    const entry = this.entries.get(symbol);
    if (entry) this.displace(entry);
  }

  private planOf(symbol: string): DepthPlan {
    const entry = this.entries.get(symbol);
    if (entry?.plan) return entry.plan;
    const { market, rest } = this.settings;
    const { levels, bookDepth } = this.need(entry);
    const plan = depthPlan(market, levels, bookDepth, this.entries.size, rest.budget.perMinute);
    if (entry) entry.plan = plan;
    return plan;
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
      // A stream that waits to be asked for anew has a reason of its own.
      for (const entry of this.of(slot))
        if (!entry.resubscribeTimer || !error.retryable) entry.feed.streamDown(error);
      return this.of(slot).length > 0;
    },
    onLog: (level, message) => this.log(level, message),
  };

  private of(slot: StreamSlot): Entry<U>[] {
    return [...this.entries.values()].filter((entry) => entry.slot === slot);
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
    for (const entry of this.of(slot)) {
      const { stream, feed } = entry;
      if (!slot.streams.has(stream)) continue;
      if (missing.includes(stream)) feed.streamLost(error);
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
    const error = new OrderFlowError('OF_SYMBOL_REFUSED', `${symbol}: ${answer}`, { subject: symbol });
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

  /** Any symbol may have lost an update by a frame that names none: the connection is opened anew then. */
  private onUnreadable(slot: StreamSlot, frame: Buffer, error: unknown): void {
    const failure = isOrderFlowError(error) ? error : toOrderFlowError(error);
    const stream = streamOf(frame);
    const entry = stream === null ? undefined : this.byStream.get(stream);
    if (entry?.slot === slot) entry.feed.onUnreadable(failure);
    else if (stream === null) slot.fail(failure);
  }

  private dispatch(of: SymbolFeed<U>, call: (listener: FeedListener) => void): void {
    const entry = this.entries.get(of.symbol);
    if (entry?.feed !== of) return;
    for (const { listener, released } of entry.readers) if (!released) this.call(() => call(listener));
  }

  private log(level: 'info' | 'warn' | 'error', message: string): void {
    const listeners = new Set(
      [...this.entries.values()].flatMap(({ readers }) => readers.map(({ listener }) => listener)),
    );
    const text = `${this.settings.market.name}: ${message}`;
    for (const listener of listeners) {
      try {
        listener.onLog?.(level, text);
      } catch {
        // A listener that cannot even take a log line has nobody left to tell.
      }
    }
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
