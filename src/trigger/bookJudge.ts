import type { LiveBook, SymbolView } from '../feed/types';
import { unitsOf } from '../feed/assets';
import { notTradingDetail, notTradingOf } from '../feed/listing';
import { contractSizeOf, MARKETS } from '../feed/markets';
import { type RangeSums, type TopSums, emptyRangeSums, emptyTopSums } from '../book/types';
import { evaluate } from '../signal/evaluate';
import { MAX_LEVELS } from '../signal/parameters';
import { percentFromSums, percentOfSides } from '../signal/rule';
import type { BookOrigin, Evaluation, NoSignalReason, SignalParameters, Trust, Units } from '../signal/types';

/** With the measure `band`, which counts no levels: as many as the exchange's deepest reply holds. */
const BAND_LEVELS = MAX_LEVELS;
const PER_BPS = 1e-4;
/** A share of the price below which doubles cannot be compared. */
const NEAR = 1e-12;

/** Judges one symbol's live book: cheaply on every update, exactly where that does not suffice or an item is made. */
export class BookJudge {
  /** Of the last `look`; what the flow meter reads. */
  readonly sums: TopSums = emptyTopSums();
  /** Why the last `look` found no percentage. */
  reason: NoSignalReason | null = null;
  private readonly range: RangeSums = emptyRangeSums();
  private readonly units: Units;
  private readonly origin: BookOrigin;

  constructor(
    private readonly view: SymbolView,
    private readonly parameters: SignalParameters,
  ) {
    const { market, symbol } = view;
    this.units = unitsOf(market, symbol);
    this.origin = { kind: 'feed', keptLevels: null, maxLevels: MARKETS[market].maxDepth };
  }

  /** Levels a side that the measure reads, as far as an item shows them. */
  get levels(): number {
    return this.parameters.levels;
  }

  /** The measure in percent of the larger side, positive = selling; NaN where there is none, then `reason` says why. */
  look(): number {
    const { measure, levels } = this.parameters;
    const { sums } = this;
    this.reason = null;
    if (notTradingOf(this.view) !== null) return this.withoutTrading();
    // Stays so where the book is not in sync.
    sums.bidLevels = 0;
    const trusted = this.view.sums(levels, sums);
    const percent = measure === 'band' ? this.percentOfBand() : this.percentOfLevels(trusted);
    // Either there is a value, or the sums alone have shown why there is none.
    if (!Number.isNaN(percent) || this.reason !== null) return percent;
    const exact = this.judge();
    this.reason = exact.reason;
    return exact.imbalancePercent ?? NaN;
  }

  /** Read each time: the list may come after the first book. */
  private get contractSize(): number | null {
    const { market, symbol, facts } = this.view;
    return contractSizeOf(MARKETS[market], symbol, facts ?? null);
  }

  private withoutTrading(): number {
    this.sums.bidLevels = 0;
    this.reason = 'not-trading';
    return NaN;
  }

  judge(): Evaluation {
    const { measure, levels } = this.parameters;
    const book = this.view.read(measure === 'band' ? BAND_LEVELS : levels);
    const { market, symbol } = this.view;
    const trust = trustOf(book, notTradingOf(this.view));
    const known = book ?? {
      bids: [],
      asks: [],
      lastUpdateId: null,
      bidsComplete: false,
      asksComplete: false,
    };
    const { contractSize, units, origin } = this;
    return evaluate({ ...known, market, symbol, contractSize, units, origin, trust }, this.parameters);
  }

  /** From sums over a number of levels; NaN without a `reason` where they do not suffice. */
  private percentOfLevels(trusted: boolean): number {
    const { measure, levels, matchLevels } = this.parameters;
    const { sums } = this;
    const inverse = this.contractSize !== null;
    if (trusted) {
      const percent = percentFromSums(sums, measure, levels, inverse);
      if (!Number.isNaN(percent)) return percent;
    }
    const { bidLevels, askLevels, bestBid, bestAsk } = sums;
    if (measure === 'queue' || bidLevels < 1 || askLevels < 1 || !(bestBid < bestAsk)) return NaN;
    if (!matchLevels) {
      this.reason = trusted ? 'too-few-levels' : 'outside-coverage';
      return NaN;
    }
    // Both sides as deep as the shorter one, where all of it is known.
    const common = Math.min(bidLevels, askLevels);
    return trusted && this.view.sums(common, sums) ? percentFromSums(sums, measure, common, inverse) : NaN;
  }

  /** From sums over prices; NaN without a `reason` where they do not suffice. */
  private percentOfBand(): number {
    const { range } = this;
    const { bidLevels, askLevels, bestBid, bestAsk } = this.sums;
    const { bandBps, bandMinSpreads } = this.parameters;
    const mid = (bestBid + bestAsk) / 2;
    const spread = bestAsk - bestBid;
    const distance = Math.max(mid * bandBps * PER_BPS, spread * bandMinSpreads);
    const near = mid * NEAR;
    if (bidLevels < 1 || askLevels < 1 || spread <= near || distance < spread / 2 + near) return NaN;
    const verdict = this.view.sumsWithin(mid - distance, mid + distance, range);
    if (verdict === 'unclear') return NaN;
    if (verdict === 'beyond' || Math.max(range.bidLevels, range.askLevels) >= BAND_LEVELS) {
      this.reason = 'outside-coverage';
      return NaN;
    }
    const byQuantity = this.contractSize !== null;
    const bids = byQuantity ? range.bidQuantity : range.bidNotional;
    const asks = byQuantity ? range.askQuantity : range.askNotional;
    return percentOfSides(bids, asks);
  }
}

function trustOf(book: LiveBook | null, notTrading: string | null): Trust {
  if (notTrading !== null) return { kind: 'not-trading', detail: notTradingDetail(notTrading) };
  return book === null ? { kind: 'syncing' } : { kind: 'ok', ageMs: book.liveAgeMs };
}
