import type { SymbolView } from '../binance/feedTypes';
import { MARKETS } from '../binance/markets';
import { type TopSums, emptyTopSums } from '../book/types';
import { evaluate } from '../signal/evaluate';
import { percentFromSums } from '../signal/rule';
import type { Evaluation, NoSignalReason, SignalParameters } from '../signal/types';

/** With the measure `band`, which counts no levels: as many as any usual band holds. */
const BAND_LEVELS = 1_000;

/** Judges one symbol's live book: cheaply on every update, exactly where that does not suffice or an item is made. */
export class BookJudge {
  /** Of the last `look`; what the flow meter reads. */
  readonly sums: TopSums = emptyTopSums();
  /** Why the last `look` found no percentage. */
  reason: NoSignalReason | null = null;
  private readonly contractSize: number | null;

  constructor(
    private readonly view: SymbolView,
    private readonly parameters: SignalParameters,
  ) {
    this.contractSize = MARKETS[view.market].contractSize?.(view.symbol) ?? null;
  }

  /** The measure in percent of the larger side, positive = selling; NaN where there is none, then `reason` tells why. */
  look(): number {
    const { measure, levels } = this.parameters;
    if (this.view.sums(levels, this.sums)) {
      const percent = percentFromSums(this.sums, measure, levels, this.contractSize !== null);
      if (!Number.isNaN(percent)) {
        this.reason = null;
        return percent;
      }
    }
    const { imbalancePercent, reason } = this.judge();
    this.reason = reason;
    return imbalancePercent ?? NaN;
  }

  judge(): Evaluation {
    const { measure, levels } = this.parameters;
    const book = this.view.read(measure === 'band' ? Math.max(levels, BAND_LEVELS) : levels);
    const { market, symbol } = this.view;
    const trust =
      book === null ? ({ kind: 'syncing' } as const) : ({ kind: 'ok', ageMs: book.liveAgeMs } as const);
    const known = book ?? {
      bids: [],
      asks: [],
      lastUpdateId: null,
      bidsComplete: false,
      asksComplete: false,
    };
    return evaluate({ ...known, market, symbol, contractSize: this.contractSize, trust }, this.parameters);
  }
}
