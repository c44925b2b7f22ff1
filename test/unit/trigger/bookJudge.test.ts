import fc from 'fast-check';
import type { LiveBook, SymbolStatus, SymbolView } from '../../../src/feed/types';
import { SPOT_RULE } from '../../../src/binance/sequenceRule';
import type { BookEngine, TimedUpdate } from '../../../src/book/orderBook';
import { plainEngine } from '../../../src/book/plainBook';
import { BookSync } from '../../../src/book/bookSync';
import { fastEngine } from '../../../src/book/fast/ladderBook';
import { LadderUpdate } from '../../../src/book/fast/ladderUpdate';
import type {
  DepthReply,
  DepthUpdate,
  Level,
  RangeSums,
  RangeVerdict,
  TopSums,
} from '../../../src/book/types';
import { SIGNAL_DEFAULTS } from '../../../src/signal/parameters';
import type { SignalParameters } from '../../../src/signal/types';
import { BookJudge } from '../../../src/trigger/bookJudge';
import { runs } from '../../support/runs';

/** A symbol's book without its sockets, as SymbolFeed shows it. */
class SyncedView<U extends TimedUpdate> implements SymbolView {
  readonly market = 'spot';
  readonly symbol = 'BTCUSDT';
  readonly syncGeneration = 1;
  reads = 0;
  private readonly sync: BookSync<U>;

  constructor(
    engine: BookEngine<U>,
    private readonly updateOf: (update: DepthUpdate) => U,
    reply: DepthReply,
    limit: number,
  ) {
    this.sync = new BookSync(SPOT_RULE, engine);
    this.sync.onReply(reply, limit);
  }

  apply(update: DepthUpdate): string {
    return this.sync.onUpdate(this.updateOf(update));
  }

  read(levels: number): LiveBook | null {
    this.reads++;
    const top = this.sync.trustedTop(levels);
    const { coverage } = this.sync;
    if (top === null || coverage === null) return null;
    return {
      ...top,
      ...{ market: this.market, symbol: this.symbol, syncGeneration: 1, resyncs: 0 },
      ...{ eventTimeMs: null, receivedAtMs: 0, liveAgeMs: 0 },
      bidsComplete: coverage.lowestBid === null && top.bids.length < levels,
      asksComplete: coverage.highestAsk === null && top.asks.length < levels,
    };
  }

  sums(levels: number, out: TopSums): boolean {
    return this.sync.trustedSums(levels, out);
  }

  sumsWithin(lowestBid: number, highestAsk: number, out: RangeSums): RangeVerdict {
    return this.sync.trustedSumsWithin(lowestBid, highestAsk, out);
  }

  status(): SymbolStatus {
    throw new Error('a judge asks for no status');
  }
}

interface Change {
  /** Steps from the middle price. */
  readonly place: number;
  readonly quantity: number;
}

interface Market {
  /** Steps that make one. */
  readonly scale: number;
  readonly bids: readonly Change[];
  readonly asks: readonly Change[];
  /** More than there are levels: the side is known whole. */
  readonly limit: number;
  readonly updates: ReadonlyArray<{ readonly bids: readonly Change[]; readonly asks: readonly Change[] }>;
}

const MIDDLE = 10_000;

const levelOf = (sign: number, scale: number, { place, quantity }: Change): Level => [
  String((MIDDLE + sign * place) / scale),
  String(quantity / 8),
];

/** Bids below the middle, asks above it, and either may be right on it: then the book is locked. */
const placeArb = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 30 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
);
const changesArb = (least: number, most: number) =>
  fc.array(fc.record({ place: placeArb, quantity: fc.integer({ min: least, max: 40 }) }), {
    maxLength: most,
  });
const marketArb: fc.Arbitrary<Market> = fc.record({
  scale: fc.constantFrom(1, 100, 100_000_000),
  bids: changesArb(1, 40),
  asks: changesArb(1, 40),
  limit: fc.constantFrom(5, 20, 1_000),
  updates: fc.array(fc.record({ bids: changesArb(0, 6), asks: changesArb(0, 6) }), { maxLength: 8 }),
});
const parametersArb: fc.Arbitrary<SignalParameters> = fc
  .record({
    measure: fc.constantFrom('notional', 'quantity', 'queue', 'band', 'band', 'band'),
    levels: fc.constantFrom(1, 3, 10),
    matchLevels: fc.boolean(),
    // Whole steps among them, so that levels are at the very end of a band.
    bandBps: fc.constantFrom(0.5, 1, 10, 20, 33, 500),
    bandMinSpreads: fc.constantFrom(0, 0.5, 2, 10),
  })
  .map((chosen) => ({ ...SIGNAL_DEFAULTS, ...chosen }) as SignalParameters);

function sideOf(sign: number, { scale, limit }: Market, changes: readonly Change[]): Level[] {
  const byPlace = new Map(changes.map((change) => [change.place, change]));
  const sorted = [...byPlace.values()].sort((a, b) => a.place - b.place);
  return sorted.slice(0, limit).map((change) => levelOf(sign, scale, change));
}

function replyOf(market: Market): DepthReply {
  const [bids, asks] = [sideOf(-1, market, market.bids), sideOf(1, market, market.asks)];
  return { lastUpdateId: 10, bids, asks, eventTimeMs: null } as DepthReply;
}

function updateOf(market: Market, index: number): DepthUpdate {
  const { bids, asks } = market.updates[index];
  return {
    ...{ symbol: 'BTCUSDT', eventTimeMs: index + 1, previousFinalUpdateId: null },
    ...{ firstUpdateId: 11 + index, finalUpdateId: 11 + index },
    bids: bids.map((change) => levelOf(-1, market.scale, change)),
    asks: asks.map((change) => levelOf(1, market.scale, change)),
  };
}

/** What a look says beside what the exact judgement says. */
function expectAgreement(judge: BookJudge): void {
  const percent = judge.look();
  const exact = judge.judge();
  expect({ reason: judge.reason, none: Number.isNaN(percent) }).toEqual({
    reason: exact.reason,
    none: exact.imbalancePercent === null,
  });
  if (exact.imbalancePercent !== null) expect(percent).toBeCloseTo(exact.imbalancePercent, 8);
}

function run<U extends TimedUpdate>(
  engine: BookEngine<U>,
  take: (update: DepthUpdate) => U,
  market: Market,
  parameters: SignalParameters,
): void {
  const view = new SyncedView(engine, take, replyOf(market), market.limit);
  const judge = new BookJudge(view, parameters);
  expectAgreement(judge);
  market.updates.forEach((_, index) => {
    view.apply(updateOf(market, index));
    expectAgreement(judge);
  });
}

test.each([
  [
    'the fast book',
    (market: Market, parameters: SignalParameters) =>
      run(fastEngine, (update) => new LadderUpdate().setFrom(update), market, parameters),
  ],
  [
    'the plain book',
    (market: Market, parameters: SignalParameters) =>
      run(plainEngine, (update) => update, market, parameters),
  ],
])('a look at %s says what the exact judgement says: value, or reason why there is none', (_name, check) => {
  fc.assert(fc.property(marketArb, parametersArb, check), runs(500));
});

describe('on every update of a deep book', () => {
  const side = (sign: number): Change[] =>
    Array.from({ length: 2_000 }, (_, i) => ({ place: 1 + i, quantity: sign > 0 ? 8 : 16 }));
  const market: Market = { scale: 100, bids: side(1), asks: side(-1), limit: 2_000, updates: [] };
  const looked = (chosen: Partial<SignalParameters>) => {
    const view = new SyncedView(
      fastEngine,
      (update) => new LadderUpdate().setFrom(update),
      replyOf(market),
      market.limit,
    );
    const judge = new BookJudge(view, { ...SIGNAL_DEFAULTS, ...chosen });
    const percent = judge.look();
    return { percent, reason: judge.reason, reads: view.reads };
  };

  test('a band of more than a thousand levels is summed without reading one', () => {
    const found = looked({ measure: 'band', bandBps: 1_500.5 });
    expect(found).toMatchObject({ reason: null, reads: 0 });
    // Asks have twice the quantity, at prices that are higher by the band's width in the mean.
    expect(found.percent).toBeGreaterThan(50);
  });

  test('a band that reaches beyond what is known shows in the sums, and so do missing levels', () => {
    expect(looked({ measure: 'band', bandBps: 2_000.5 })).toEqual({
      ...{ percent: NaN, reason: 'outside-coverage', reads: 0 },
    });
    expect(looked({ levels: 2_001 })).toEqual({ percent: NaN, reason: 'outside-coverage', reads: 0 });
  });
});
