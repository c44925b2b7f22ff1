import { openRecording } from '../../scripts/replay/recording';
import { replay } from '../../scripts/replay/replay';
import { ENDPOINTS } from '../../src/binance/endpoints';
import { fastCodec } from '../../src/binance/wire/codec';
import type { LadderUpdate } from '../../src/book/fast/ladderUpdate';
import type { BookSync } from '../../src/book/bookSync';
import { emptyTopSums } from '../../src/book/types';
import type { LiveBook, SymbolStatus, SymbolView } from '../../src/feed/types';
import { decodeSample, encodeSample } from '../../src/history/encoding';
import { addSample, emptyRing, samplesOf } from '../../src/history/ring';
import type { HistorySample } from '../../src/history/sample';
import { FlowMeter } from '../../src/signal/flow/flowMeter';
import { LiveGate } from '../../src/signal/gate/gate';
import { readGateParameters } from '../../src/signal/gate/gateParameters';
import { startGate, type GateObservation } from '../../src/signal/gate/gateState';
import type { Measure } from '../../src/signal/types';
import { BookJudge } from '../../src/trigger/bookJudge';
import { historySample } from '../../src/trigger/historySample';
import { compared, DECIMALS, MapBook, nearest } from '../support/mapBook';
import { RECORDINGS, type RecordingFolder, describeWithRecordings } from '../support/recordings';
import { expectSame } from '../support/same';
import { parameters } from '../unit/signal/books';
import { GateReference } from '../unit/signal/gateReference';

/** What a trigger keeps of recorded markets, against a second computation of each value from the recording. */

const rows = RECORDINGS.flatMap((recording) =>
  (['notional', 'queue', 'band'] as const).map((measure) => [recording.name, measure, recording] as const),
);

const LEVELS = 20;
const BAND_BPS = 20;
const THRESHOLD = 10;
/** Samples of a recording: the second gate looks back through all of them at each step. */
const SAMPLES = 300;
const WINDOW_MS = 60_000;
const BUCKET_MS = 100;

const GATE = readGateParameters(THRESHOLD, {
  pendingSeconds: 1,
  cooldownSeconds: 5,
  keepFiringSeconds: 2,
  smoothingHalfLifeSeconds: 1,
  consecutiveUpdates: 2,
});

/** A recorded book as a trigger sees a live one. */
class RecordedView implements SymbolView {
  readonly syncGeneration = 1;
  symbol = '';
  eventTimeMs = 0;
  sync: BookSync<LadderUpdate> | null = null;

  constructor(readonly market: RecordingFolder['market']) {}

  status(): SymbolStatus {
    return {
      ...{ market: this.market, symbol: this.symbol, state: 'live', sinceMs: 0, reason: null },
      ...{ errorCode: null, error: null, terminal: false, resyncs: 0, lastEventAgeMs: 0 },
      ...{ usedWeight: null, lastUpdateId: null },
    };
  }

  read(levels: number): LiveBook | null {
    const { market, symbol, eventTimeMs, sync } = this;
    const top = sync?.trustedTop(levels) ?? null;
    if (sync === null || top === null) return null;
    return {
      ...{ market, symbol, eventTimeMs, receivedAtMs: eventTimeMs, liveAgeMs: 0, resyncs: 0 },
      ...{ syncGeneration: 1, ...top },
      bidsComplete: sync.coverage?.lowestBid === null,
      asksComplete: sync.coverage?.highestAsk === null,
    };
  }

  sums: SymbolView['sums'] = (levels, out) => this.sync?.trustedSums(levels, out) ?? false;
  sumsWithin: SymbolView['sumsWithin'] = (lowest, highest, out) =>
    this.sync?.trustedSumsWithin(lowest, highest, out) ?? 'unclear';
}

/** The mean over the last minute as its definition has it: each value as long as it held. */
function meanOf(values: ReadonlyArray<readonly [atMs: number, percent: number]>, nowMs: number): number {
  const from = (Math.floor(nowMs / BUCKET_MS) - WINDOW_MS / BUCKET_MS + 1) * BUCKET_MS;
  let total = 0;
  let duration = 0;
  for (const [i, [atMs, percent]] of values.entries()) {
    const end = values[i + 1]?.[0] ?? nowMs;
    const held = Math.max(0, end - Math.max(atMs, from));
    total += percent * held;
    duration += held;
  }
  return total / duration;
}

interface Wanted {
  readonly timeMs: number;
  readonly lastUpdateId: number;
  readonly mid: number;
  readonly spread: number;
  readonly percent: number;
  readonly mean: number;
  readonly smoothed: number | null;
  readonly words: readonly unknown[];
}

/** What the recording says of this moment, from its levels alone. */
function wantedOf(
  plain: MapBook,
  measure: Measure,
  market: RecordingFolder['market'],
): Pick<Wanted, 'mid' | 'spread' | 'percent'> & { readonly signal: string } {
  const bids = plain.sorted('bids');
  const asks = plain.sorted('asks');
  const sides = compared(bids, asks, measure, LEVELS, BAND_BPS, market === 'coinm' ? 10 : null);
  const difference = sides.asks - sides.bids;
  const larger = difference > 0n ? sides.asks : sides.bids;
  const excess = (difference > 0n ? difference : -difference) * 100n;
  const beyond = excess > larger * BigInt(THRESHOLD);
  return {
    mid: nearest((bids[0].price + asks[0].price) * 5n, DECIMALS + 1),
    spread: nearest(asks[0].price - bids[0].price, DECIMALS),
    percent: Number((difference * 100n * 10n ** 12n) / larger) / 1e12,
    signal: beyond ? (difference > 0n ? 'SELLING' : 'BUYING') : 'NEUTRAL',
  };
}

describeWithRecordings('the history of a recorded market', () => {
  test.each(rows)(
    'is what the recording says, sample by sample: %s, %s',
    async (_name, measure, recording) => {
      const { market } = recording;
      const settings = parameters({
        measure,
        levels: LEVELS,
        bandBps: BAND_BPS,
        bandMinSpreads: 0,
        maxAgeMs: 0,
      });
      const view = new RecordedView(market);
      const judge = new BookJudge(view, settings);
      const meter = new FlowMeter();
      const opened = openRecording(recording.path);
      const plain = new MapBook();
      plain.set('bids', opened.reply.bids);
      plain.set('asks', opened.reply.asks);
      let updates = 0;
      await replay(fastCodec(), openRecording(recording.path), ENDPOINTS[market], () => updates++);
      const every = Math.max(1, Math.floor(updates / SAMPLES));

      let gate: LiveGate | null = null;
      let reference: GateReference | null = null;
      const values: Array<readonly [number, number]> = [];
      const stored: string[] = [];
      const ring = emptyRing();
      const wanted: Wanted[] = [];
      let count = 0;
      let newestMs = 0;
      await replay(fastCodec(), opened, ENDPOINTS[market], ({ update, sync }) => {
        view.sync = sync;
        view.symbol = update.symbol;
        view.eventTimeMs = update.eventTimeMs;
        if (sync.book === null) return;
        if (sync.book.lastUpdateId === update.finalUpdateId) {
          const levels = update.toDepthUpdate();
          plain.set('bids', levels.bids);
          plain.set('asks', levels.asks);
        }
        const nowMs = update.eventTimeMs;
        const found = judge.look();
        meter.onBook(nowMs, 1, judge.sums ?? emptyTopSums(), found);
        if (count++ % every !== 0 || nowMs <= newestMs) {
          values.push([nowMs, found]);
          return;
        }
        newestMs = nowMs;
        const want = wantedOf(plain, measure, market);
        const observation: GateObservation = { kind: 'value', percent: want.percent };
        gate ??= new LiveGate(startGate(nowMs), GATE);
        reference ??= new GateReference(nowMs, GATE);
        gate.step({ kind: 'value', percent: found }, nowMs);
        const judged = reference.step(observation, nowMs);
        const outcome = gate.outcome();
        const alerts = outcome.kind === 'alert' ? 1 : 0;
        const mean = meter.read(nowMs).meanImbalancePercent60s;
        const { recoveryThreshold } = GATE;
        const taken = historySample(view, judge, settings, mean, { ...outcome, recoveryThreshold }, alerts);
        const sample = { ...taken, began: wanted.length === 0, everyMs: 1_000 };
        stored.push(encodeSample(sample));
        addSample(ring, { timeMs: nowMs, epoch: 1 }, sample, { oldestMs: 0, most: Infinity });
        wanted.push({
          ...{ timeMs: nowMs, lastUpdateId: sync.book.lastUpdateId, ...want },
          mean: meanOf(values, nowMs),
          smoothed: judged.percent,
          words: [want.signal, null, judged.signal, judged.state, judged.kind === 'alert' ? 1 : 0],
        });
        values.push([nowMs, found]);
      });

      const fromText = stored.map((text, i) => decodeSample(wanted[i].timeMs, text));
      const fromRing = samplesOf(ring, 0, Infinity, Infinity);
      // Both stores give the same.
      expectSame(fromText, fromRing);
      expect(wanted.length).toBeGreaterThan(40);
      const near = (got: number | null, want: number | null) =>
        got === want || Math.abs((got ?? NaN) - (want ?? NaN)) <= 0.005_001;
      for (const [i, sample] of fromRing.entries()) {
        const { timeMs, lastUpdateId, mid, spread, percent, mean, smoothed, words } = wanted[i];
        expectSame(
          [sample.timeMs, sample.lastUpdateId, sample.mid, sample.spread, ...wordsOf(sample)],
          [timeMs, lastUpdateId, mid, spread, ...words],
        );
        const percents: ReadonlyArray<readonly [number | null, number | null]> = [
          [sample.imbalancePercent, percent],
          [sample.smoothedPercent, smoothed],
          [sample.meanImbalancePercent60s, Number.isNaN(mean) ? null : mean],
        ];
        if (!percents.every(([got, want]) => near(got, want))) expect([i, percents]).toEqual('near');
      }
    },
  );
});

function wordsOf({ signal, reason, gateSignal, gateState, alerts }: HistorySample): unknown[] {
  return [signal, reason, gateSignal, gateState, alerts];
}
