import { openRecording } from '../../scripts/replay/recording';
import { replay, type ReplayStep } from '../../scripts/replay/replay';
import { ENDPOINTS } from '../../src/binance/endpoints';
import { fastCodec } from '../../src/binance/wire/codec';
import type { LadderUpdate } from '../../src/book/fast/ladderUpdate';
import { type TopSums, emptyTopSums } from '../../src/book/types';
import { evaluate } from '../../src/signal/evaluate';
import { step } from '../../src/signal/gate/gate';
import { type GateParameters, bareGate, readGateParameters } from '../../src/signal/gate/gateParameters';
import { startGate, type GateObservation } from '../../src/signal/gate/gateState';
import { FlowMeter } from '../../src/signal/flow/flowMeter';
import { percentFromSums } from '../../src/signal/rule';
import { compared, DECIMALS, MapBook, nearest } from '../support/mapBook';
import { RECORDINGS, type RecordingFolder, describeWithRecordings } from '../support/recordings';
import { expectSame } from '../support/same';
import { book, parameters } from '../unit/signal/books';
import { GateReference } from '../unit/signal/gateReference';

const rows = RECORDINGS.map((recording) => [recording.name, recording] as const);

const contractSizeOf = ({ market }: RecordingFolder) => (market === 'coinm' ? 10 : null);

function play(recording: RecordingFolder, onStep: (step: ReplayStep<LadderUpdate>) => void) {
  return replay(fastCodec(), openRecording(recording.path), ENDPOINTS[recording.market], onStep);
}

describeWithRecordings('on recorded books', () => {
  test.each(rows)('every measure is exact: %s', async (_name, recording) => {
    const plain = new MapBook();
    const contractSize = contractSizeOf(recording);
    const { reply } = openRecording(recording.path);
    plain.set('bids', reply.bids);
    plain.set('asks', reply.asks);
    let count = 0;
    let compares = 0;
    let signals = 0;
    await play(recording, ({ update, sync }) => {
      if (sync.book === null) return;
      if (sync.book.lastUpdateId === update.finalUpdateId) {
        const levels = update.toDepthUpdate();
        plain.set('bids', levels.bids);
        plain.set('asks', levels.asks);
      }
      if (count++ % (recording.market === 'coinm' ? 997 : 97) !== 0) return;
      const bids = plain.sorted('bids');
      const asks = plain.sorted('asks');
      const top = sync.book.top(Infinity);
      const input = book(top.bids, top.asks, { contractSize });
      for (const measure of ['notional', 'quantity', 'queue', 'band'] as const) {
        for (const levels of [1, 5, 20, 100]) {
          const bandBps = levels;
          const want = compared(bids, asks, measure, levels, bandBps, contractSize);
          for (const threshold of [0, 10, 33.3]) {
            const result = evaluate(
              input,
              parameters({ measure, levels, bandBps, bandMinSpreads: 0, threshold }),
            );
            if (result.reason === 'band-inside-spread') {
              expect(want).toEqual({ bids: 0n, asks: 0n });
              continue;
            }
            const byQuantity = measure === 'quantity' || measure === 'queue';
            const permille = BigInt(threshold * 10);
            const sells = 1000n * (want.asks - want.bids) > permille * want.asks;
            const buys = 1000n * (want.bids - want.asks) > permille * want.bids;
            expectSame(
              [
                result.reason,
                byQuantity ? result.bidDepth : result.weightedBids,
                byQuantity ? result.askDepth : result.weightedAsks,
                result.imbalance,
                result.signal,
              ],
              [
                null,
                nearest(want.bids, 2 * DECIMALS),
                nearest(want.asks, 2 * DECIMALS),
                nearest(want.asks - want.bids, 2 * DECIMALS),
                sells ? 'SELLING' : buys ? 'BUYING' : 'NEUTRAL',
              ],
            );
            if (sells || buys) signals++;
            compares++;
          }
        }
      }
    });
    expect(compares).toBeGreaterThan(20);
    expect(signals).toBeGreaterThan(10);
  });

  test.each(rows)(
    'the percentage from sums in doubles is the exact one to nine digits: %s',
    async (_name, recording) => {
      const sums: TopSums = emptyTopSums();
      const contractSize = contractSizeOf(recording);
      let checked = 0;
      await play(recording, ({ sync }) => {
        if (!sync.trustedSums(20, sums)) return;
        const percent = percentFromSums(sums, 'notional', 20, contractSize !== null);
        if (checked++ % 7 !== 0) return;
        const top = sync.trustedTop(20);
        const exact = evaluate(book(top?.bids ?? [], top?.asks ?? [], { contractSize }), parameters());
        expect(percent).toBeCloseTo(exact.imbalancePercent ?? NaN, 9);
      });
      expect(checked).toBeGreaterThan(50);
    },
  );

  test.each(rows)('order flow adds up as the formula says: %s', async (_name, recording) => {
    const meter = new FlowMeter();
    const sums: TopSums = emptyTopSums();
    let before: number[] | null = null;
    const flows: Array<[atMs: number, flow: number]> = [];
    let count = 0;
    await play(recording, ({ sync, update }) => {
      if (!sync.trustedSums(1, sums)) return;
      const now = update.eventTimeMs;
      meter.onBook(now, 1, sums, 0);
      const [pb, qb, pa, qa] = [sums.bestBid, sums.bestBidQuantity, sums.bestAsk, sums.bestAskQuantity];
      if (before !== null) {
        const [pb0, qb0, pa0, qa0] = before;
        const flow =
          (pb >= pb0 ? qb : 0) - (pb <= pb0 ? qb0 : 0) - (pa <= pa0 ? qa : 0) + (pa >= pa0 ? qa0 : 0);
        flows.push([now, flow]);
      }
      before = [pb, qb, pa, qa];
      if (count++ % 200 !== 0) return;
      const within = (seconds: number) =>
        flows.reduce(
          (total, [at, flow]) =>
            Math.floor(at / 100) > Math.floor(now / 100) - seconds * 10 ? total + flow : total,
          0,
        );
      const read = meter.read(now);
      expect(read.ofi1s).toBeCloseTo(within(1), 5);
      expect(read.ofi10s).toBeCloseTo(within(10), 5);
      expect(read.ofi60s).toBeCloseTo(within(60), 5);
    });
    expect(flows.length).toBeGreaterThan(50);
  });
});

describeWithRecordings('the gate on recorded books', () => {
  const gates: ReadonlyArray<readonly [string, GateParameters]> = [
    ['bare', bareGate(10)],
    ['at the defaults', readGateParameters(10, {})],
    [
      'eager',
      readGateParameters(10, {
        pendingSeconds: 1,
        cooldownSeconds: 5,
        keepFiringSeconds: 2,
        repeatEverySeconds: 5,
        smoothingHalfLifeSeconds: 0,
      }),
    ],
    [
      'smoothed',
      readGateParameters(10, {
        pendingSeconds: 1,
        cooldownSeconds: 5,
        keepFiringSeconds: 2,
        smoothingHalfLifeSeconds: 1,
        consecutiveUpdates: 3,
      }),
    ],
  ];

  test.each(rows)('agrees with its second implementation: %s', async (_name, recording) => {
    const observations: Array<readonly [number, GateObservation]> = [];
    const sums = emptyTopSums();
    await play(recording, ({ sync, update }) => {
      const percent = sync.trustedSums(20, sums)
        ? percentFromSums(sums, 'notional', 20, recording.market === 'coinm')
        : NaN;
      const observation: GateObservation = Number.isNaN(percent)
        ? { kind: 'no-signal', reason: 'syncing' }
        : { kind: 'value', percent };
      observations.push([update.eventTimeMs, observation]);
    });
    const notices = gates.map(([, gate]) => {
      // The second implementation looks back through everything at each step; a mean makes that slow.
      const every = Math.ceil(observations.length / (gate.smoothingHalfLifeMs === 0 ? 10_000 : 2_000));
      const sample = observations.filter((_, i) => i % every === 0);
      const reference = new GateReference(sample[0][0], gate);
      let state = startGate(sample[0][0]);
      let reported = 0;
      for (const [atMs, observation] of sample) {
        const taken = step(state, observation, atMs, gate);
        state = taken.state;
        const { signal, previousSignal, kind, sinceMs, state: phase } = taken.outcome;
        const { percent: _percent, ...expected } = reference.step(observation, atMs);
        expectSame({ signal, previousSignal, kind, sinceMs, state: phase }, expected);
        if (kind !== null) reported++;
      }
      return reported;
    });
    // The defaults are calm enough to say nothing at all in so short a time.
    const restless = notices.filter((_, i) => gates[i][0] !== 'at the defaults');
    if (recording.name.endsWith('2024-08'))
      restless.forEach((reported) => expect(reported).toBeGreaterThan(0));
  });
});
