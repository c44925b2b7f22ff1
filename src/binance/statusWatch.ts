import { believedFacts, type SymbolFacts } from '../feed/listing';
import type { SymbolList } from './rest/symbolList';

/** Before requests for books: weight that is short must not keep a halted symbol's signal alive. */
const URGENCY = 50;
/**
 * Asks the exchange's list now and then whether it trades the symbols of one feed, and reports what changed. Where the
 * list cannot be fetched, the last answer holds for some minutes.
 */
export class StatusWatch {
  private timer: NodeJS.Timeout | null = null;
  private asking = false;

  /**
   * @param everyMs between two questions; 0: never ask
   * @param symbols those of the feed now
   */
  constructor(
    private readonly list: SymbolList,
    private readonly everyMs: number,
    private readonly symbols: () => readonly string[],
    private readonly report: (symbol: string, facts: SymbolFacts) => void,
  ) {}

  /** Asks for what is not known yet, and then again and again. Idempotent. */
  start(): void {
    if (this.everyMs === 0) return;
    this.timer ??= setInterval(() => void this.ask(), this.everyMs).unref();
    // Symbols of one start come one after the other, and are asked for together.
    setImmediate(() => void this.ask());
  }

  /** Idempotent. */
  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private async ask(): Promise<void> {
    if (this.asking || this.timer === null) return;
    this.asking = true;
    const symbols = this.symbols();
    try {
      // A little less than the pause, so that no answer of the last round counts as one of this.
      await this.list.of(symbols, { urgency: () => URGENCY }, 0.9 * this.everyMs);
    } catch {
      // Known from the age of the last answer, which feed status shows.
    } finally {
      this.asking = false;
    }
    if (this.timer === null) return;
    for (const symbol of symbols) this.report(symbol, believedFacts(this.list.known(symbol)));
  }
}
