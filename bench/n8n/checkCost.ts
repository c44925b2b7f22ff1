import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { LiveBook, SymbolStatus, SymbolView } from '../../src/feed/types';
import { FrameReader } from '../../src/binance/wire/frameReader';
import { parseDepthReply } from '../../src/binance/wire/jsonReader';
import { BookSync } from '../../src/book/bookSync';
import { SPOT_RULE } from '../../src/binance/sequenceRule';
import { fastEngine } from '../../src/book/fast/ladderBook';
import type { LadderUpdate } from '../../src/book/fast/ladderUpdate';
import type { RangeSums, RangeVerdict, TopSums } from '../../src/book/types';
import { SymbolPast } from '../../src/signal/budget/symbolPast';
import {
  type GateParameters,
  bareGate,
  readGateParameters,
  withThreshold,
} from '../../src/signal/gate/gateParameters';
import { startGate } from '../../src/signal/gate/gateState';
import { readSignalParameters } from '../../src/signal/parameters';
import type { SignalParameters } from '../../src/signal/types';
import { SymbolSignals } from '../../src/trigger/symbolSignals';
import { syntheticStream, type Stream } from '../core/stream';
import { median, quantile } from '../lib/stats';

/** As the exchange sends them to a spot symbol. */
const EVENT_MS = 100;
const HEAP_EVENTS = 4_000;
const HEAP_ATTEMPTS = 5;
const QUIET_MS = 86_400_000;

/** What one update costs beyond the book: measure, order flow, mean and gate. */
export interface CheckCost {
  readonly id: string;
  readonly label: string;
  /** Main-thread microseconds of an update's check, all passes together. */
  readonly usMedian: number;
  readonly usP99: number;
  /** Bytes that a check leaves to the garbage collector. */
  readonly bytes: number;
  /** Of a pass. */
  readonly checks: number;
  readonly alerts: number;
}

interface Watch {
  readonly id: string;
  readonly label: string;
  readonly gate: GateParameters;
  readonly measure: SignalParameters;
  /** The past is counted as well, at a ladder of thresholds, as the trigger does. */
  readonly counts?: boolean;
}

const topLevels = readSignalParameters({});
const band = readSignalParameters({ measure: 'band' });

const quiet: GateParameters = { ...bareGate(99.9), noSignalAfterMs: 5_000 };

/** Thresholds that the stream never passes, one that it always does, and one that it crosses all the time. */
const WATCHES: readonly Watch[] = [
  { id: 'unchanged', label: 'nothing changes', gate: quiet, measure: topLevels },
  {
    id: 'smoothed',
    label: 'nothing changes, mean with a half-life of 0.3 s',
    gate: { ...quiet, smoothingHalfLifeMs: 300 },
    measure: topLevels,
  },
  {
    id: 'pending',
    label: 'beyond the threshold, waiting for the pending period to end',
    gate: { ...bareGate(0.001), pendingMs: QUIET_MS, noSignalAfterMs: 5_000 },
    measure: topLevels,
  },
  {
    id: 'band',
    label: 'nothing changes, a band of 10 bps, thousands of levels',
    gate: quiet,
    measure: band,
  },
  {
    id: 'counted',
    label: 'nothing changes, the past counted at 32 thresholds with the default calm',
    gate: { ...readGateParameters(99.9, {}), noSignalAfterMs: 5_000 },
    measure: topLevels,
    counts: true,
  },
  {
    id: 'reported',
    label: 'every crossing of 10 % reported, alert items included',
    gate: bareGate(10),
    measure: topLevels,
  },
];

/** A symbol's live book over a stream, with the feed's own parts and without its sockets. */
class StreamView implements SymbolView {
  readonly market = 'spot';
  readonly syncGeneration = 1;
  readonly symbol: string;
  private readonly reader: FrameReader;
  private readonly sync: BookSync<LadderUpdate>;

  constructor(stream: Stream) {
    this.symbol = stream.symbol;
    this.reader = new FrameReader(stream.futures);
    this.sync = new BookSync(SPOT_RULE, fastEngine, false);
    this.sync.onReply(parseDepthReply(stream.replyText), stream.replyLimit);
  }

  apply(frame: Buffer): void {
    const message = this.reader.read(frame);
    if (message.kind !== 'depth') throw new Error('the stream holds something else than depth updates');
    this.sync.onUpdate(message.update);
  }

  sums(levels: number, out: TopSums): boolean {
    return this.sync.trustedSums(levels, out);
  }

  sumsWithin(lowestBid: number, highestAsk: number, out: RangeSums): RangeVerdict {
    return this.sync.trustedSumsWithin(lowestBid, highestAsk, out);
  }

  read(levels: number): LiveBook | null {
    const top = this.sync.trustedTop(levels);
    if (top === null) return null;
    const times = { eventTimeMs: this.sync.eventTimeMs, receivedAtMs: 0, liveAgeMs: 0 };
    const rest = {
      bidsComplete: false,
      asksComplete: false,
      resyncs: 0,
      syncGeneration: this.syncGeneration,
    };
    return { ...top, ...times, ...rest, market: this.market, symbol: this.symbol };
  }

  status(): SymbolStatus {
    throw new Error('a check asks for no status');
  }
}

/** Each update comes 100 ms after the one before; code that reads the clock still pays for that. */
function withStreamClock<T>(act: (next: () => void, now: () => number) => T): T {
  const real = performance.now.bind(performance);
  let atMs = 0;
  performance.now = () => {
    real();
    return atMs;
  };
  try {
    return act(() => void (atMs += EVENT_MS), real);
  } finally {
    performance.now = real;
  }
}

/** What two looks at the clock cost, milliseconds. */
function clockCost(now: () => number): number {
  const costs = Float64Array.from({ length: 1_000 }, () => {
    const from = now();
    return now() - from;
  });
  return median(costs);
}

function signalsOf(view: SymbolView, { measure, gate, counts }: Watch, onAlert: () => void): SymbolSignals {
  const memory = {
    mid: null,
    state: startGate(performance.now()),
    start: () => undefined,
    note: () => Promise.resolve(onAlert()),
    close: () => Promise.resolve(),
  };
  const plan = { by: 'percentage', percent: gate.threshold } as const;
  const gateAt = (threshold: number) => withThreshold(gate, threshold);
  const past = new SymbolPast(plan, gateAt, '', performance.now());
  const kept = { past, start: () => undefined, close: () => Promise.resolve() };
  const both = { alerts: memory, past: counts ? kept : null };
  return new SymbolSignals(view, measure, gate, true, both, () => undefined);
}

/** Times each check of a pass over the stream. @returns how many alerts it gave */
function timePass(stream: Stream, frames: readonly Buffer[], watch: Watch, us: Float64Array): number {
  const view = new StreamView(stream);
  let alerts = 0;
  return withStreamClock((next, now) => {
    const signals = signalsOf(view, watch, () => void alerts++);
    const looking = clockCost(now);
    for (let i = 0; i < frames.length; i++) {
      next();
      view.apply(frames[i]);
      const from = now();
      signals.onBook();
      us[i] = Math.max(0, (now() - from - looking) * 1e3);
    }
    void signals.stop();
    return alerts;
  });
}

/** Heap that a run of events takes, with checks or without. Smallest of a few attempts. */
function heapOf(stream: Stream, frames: readonly Buffer[], watch: Watch | null): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const attempts = Array.from({ length: HEAP_ATTEMPTS }, () =>
    withStreamClock((next) => {
      const view = new StreamView(stream);
      const signals = watch === null ? null : signalsOf(view, watch, () => undefined);
      const events = (from: number, to: number) => {
        for (let i = from; i < to; i++) {
          next();
          view.apply(frames[i]);
          // A check looks at the clock once, which hands out a number on the heap; that is not the check's.
          if (signals === null) performance.now();
          else signals.onBook();
        }
      };
      const half = Math.min(HEAP_EVENTS, frames.length >>> 1);
      events(0, half);
      collect();
      const before = process.memoryUsage().heapUsed;
      events(half, 2 * half);
      const taken = (process.memoryUsage().heapUsed - before) / half;
      void signals?.stop();
      // Less than nothing: a collection ran in between.
      return taken < 0 ? Infinity : taken;
    }),
  );
  return Math.min(...attempts);
}

/** Passes with the different gates take turns, so that a busy moment of the machine falls on all of them. */
export function measureCheckCost(quickly: boolean, progress: (text: string) => void): readonly CheckCost[] {
  const stream = syntheticStream(quickly ? 4_000 : 20_000, 4);
  const { frames } = stream.frames.receive('frames', 0, stream.frames.count);
  const passes = quickly ? 1 : 5;
  const times = WATCHES.map(() => new Float64Array(passes * frames.length));
  const alerts = WATCHES.map(() => 0);
  const warmUp = new Float64Array(frames.length);
  for (let i = -1; i < passes; i++) {
    progress(`cost of a check: pass ${i + 1} of ${passes}`);
    WATCHES.forEach((watch, which) => {
      const us = i < 0 ? warmUp : times[which].subarray(i * frames.length, (i + 1) * frames.length);
      alerts[which] = timePass(stream, frames, watch, us);
    });
  }
  const bare = heapOf(stream, frames, null);
  return WATCHES.map((watch, which) => ({
    ...{ id: watch.id, label: watch.label },
    usMedian: median(times[which]),
    usP99: quantile(times[which], 0.99),
    bytes: Math.max(0, heapOf(stream, frames, watch) - bare),
    checks: frames.length,
    alerts: alerts[which],
  }));
}
