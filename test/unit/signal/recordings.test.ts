import { openRecording } from '../../../scripts/replay/recording';
import { replay } from '../../../scripts/replay/replay';
import { MARKETS } from '../../../src/binance/markets';
import { type Level, type TopSums, emptyTopSums } from '../../../src/book/types';
import { evaluate } from '../../../src/signal/evaluate';
import { startGate, step } from '../../../src/signal/gate';
import { bareGate, readGateParameters } from '../../../src/signal/gateParameters';
import type { GateObservation, GateParameters } from '../../../src/signal/gateTypes';
import { FlowMeter } from '../../../src/signal/flowMeter';
import { percentFromSums, signalFromSums } from '../../../src/signal/rule';
import type { Measure } from '../../../src/signal/types';
import { RECORDINGS, type RecordingFolder, describeWithRecordings } from '../../support/recordings';
import { book, parameters } from './books';
import { GateReference } from './gateReference';

const rows = RECORDINGS.map((recording) => [recording.name, recording] as const);

const contractSizeOf = ({ market }: RecordingFolder) => (market === 'coinm' ? 10 : null);

function play(recording: RecordingFolder, onStep: Parameters<typeof replay>[2]) {
  const market = MARKETS[recording.market];
  return replay(openRecording(recording.path, market.rule === 'futures'), market, onStep);
}

/** Every price and quantity here has at most ten decimals. */
const DECIMALS = 10;

function scaled(text: string): bigint {
  const [integer, fraction = ''] = text.split('.');
  return BigInt(integer + fraction.padEnd(DECIMALS, '0'));
}

const nearest = (units: bigint, decimals: number) => {
  const text = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0');
  return Number(`${units < 0n ? '-' : ''}${text.slice(0, -decimals)}.${text.slice(-decimals)}`);
};

/** A book as plain as can be: every level ever named, sorted anew at each look. */
class MapBook {
  private readonly sides = { bids: new Map<string, string>(), asks: new Map<string, string>() };

  set(side: 'bids' | 'asks', levels: readonly Level[]): void {
    for (const [price, quantity] of levels) {
      if (quantity === '0') this.sides[side].delete(price);
      else this.sides[side].set(price, quantity);
    }
  }

  sorted(side: 'bids' | 'asks'): Array<{ price: bigint; quantity: bigint }> {
    const levels = [...this.sides[side]].map(([price, quantity]) => ({
      price: scaled(price),
      quantity: scaled(quantity),
    }));
    const sign = side === 'bids' ? -1 : 1;
    return levels.sort((a, b) => (a.price < b.price ? -sign : a.price > b.price ? sign : 0));
  }
}

type Side = ReturnType<MapBook['sorted']>;

const sum = (side: Side, worth: (level: Side[number]) => bigint) =>
  side.reduce((total, level) => total + worth(level), 0n);

/** The two compared amounts in units of 10^-20, by definition. */
function compared(
  bids: Side,
  asks: Side,
  measure: Measure,
  levels: number,
  bandBps: number,
  contractSize: number | null,
) {
  const one = 10n ** BigInt(DECIMALS);
  const notional = ({ price, quantity }: Side[number]) =>
    contractSize === null ? price * quantity : quantity * BigInt(contractSize) * one;
  const quantity = (level: Side[number]) => level.quantity * one;
  const twiceMid = bids[0].price + asks[0].price;
  const inBand = ({ price }: Side[number]) => {
    const off = 2n * price - twiceMid;
    return (off < 0n ? -off : off) * 10_000n <= twiceMid * BigInt(bandBps);
  };
  const pick = (side: Side) =>
    measure === 'band' ? side.filter(inBand) : side.slice(0, measure === 'queue' ? 1 : levels);
  const worth = measure === 'notional' || measure === 'band' ? notional : quantity;
  return { bids: sum(pick(bids), worth), asks: sum(pick(asks), worth) };
}

describeWithRecordings('on recorded books', () => {
  test.each(rows)('every measure is exact: %s', async (_name, recording) => {
    const plain = new MapBook();
    const contractSize = contractSizeOf(recording);
    const { reply } = openRecording(recording.path, MARKETS[recording.market].rule === 'futures');
    plain.set('bids', reply.bids);
    plain.set('asks', reply.asks);
    let count = 0;
    let compares = 0;
    let signals = 0;
    await play(recording, ({ update, sync }) => {
      if (sync.book === null) return;
      if (sync.book.lastUpdateId === update.finalUpdateId) {
        plain.set('bids', update.bids);
        plain.set('asks', update.asks);
      }
      if (count++ % (recording.market === 'coinm' ? 997 : 97) !== 0) return;
      const bids = plain.sorted('bids');
      const asks = plain.sorted('asks');
      for (const measure of ['notional', 'quantity', 'queue', 'band'] as const) {
        for (const levels of [1, 5, 20, 100]) {
          const bandBps = levels;
          const top = sync.book.top(Infinity);
          const input = book(top.bids, top.asks, { contractSize });
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
            expect(result.reason).toBeNull();
            const byQuantity = measure === 'quantity' || measure === 'queue';
            expect(byQuantity ? result.bidDepth : result.weightedBids).toBe(nearest(want.bids, 2 * DECIMALS));
            expect(byQuantity ? result.askDepth : result.weightedAsks).toBe(nearest(want.asks, 2 * DECIMALS));
            expect(result.imbalance).toBe(nearest(want.asks - want.bids, 2 * DECIMALS));
            const permille = BigInt(threshold * 10);
            const sells = 1000n * (want.asks - want.bids) > permille * want.asks;
            const buys = 1000n * (want.bids - want.asks) > permille * want.bids;
            expect(result.signal).toBe(sells ? 'SELLING' : buys ? 'BUYING' : 'NEUTRAL');
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
    'the rule on sums in doubles says the same at every update: %s',
    async (_name, recording) => {
      const sums: TopSums = emptyTopSums();
      const contractSize = contractSizeOf(recording);
      let checked = 0;
      let unclear = 0;
      await play(recording, ({ sync }) => {
        if (!sync.trustedSums(20, sums)) return;
        const quick = signalFromSums(sums, 'notional', 20, 10, contractSize !== null);
        if (quick === 'unclear') {
          unclear++;
          return;
        }
        if (checked++ % 7 !== 0) return;
        const top = sync.trustedTop(20);
        const exact = evaluate(book(top?.bids ?? [], top?.asks ?? [], { contractSize }), parameters());
        expect(quick).toBe(exact.signal);
      });
      expect(checked).toBeGreaterThan(50);
      // Only ties are unclear, and they are rare: contracts are whole numbers.
      expect(unclear).toBeLessThan(checked / 1000 + 1);
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
      let told = 0;
      for (const [atMs, observation] of sample) {
        const taken = step(state, observation, atMs, gate);
        state = taken.state;
        const { signal, previousSignal, kind, sinceMs, state: phase } = taken.outcome;
        const { percent: _percent, ...expected } = reference.step(observation, atMs);
        expect({ signal, previousSignal, kind, sinceMs, state: phase }).toEqual(expected);
        if (kind !== null) told++;
      }
      return told;
    });
    // The defaults are calm enough to say nothing at all in so short a time.
    const restless = notices.filter((_, i) => gates[i][0] !== 'at the defaults');
    if (recording.name.endsWith('2024-08')) restless.forEach((told) => expect(told).toBeGreaterThan(0));
  });
});
