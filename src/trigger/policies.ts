import type { SymbolView } from '../binance/feedTypes';

/** Decides when a symbol's book is due. It never reads a book: the outbox takes the newest when an execution starts. */
export interface EmissionPolicy {
  start(): void;
  /** After each applied update of a live symbol. In the receive path. */
  onBook(view: SymbolView): void;
  /** The outbox wanted this symbol's book and it could not be shown: it is owed. */
  onUnavailable(symbol: string): void;
  stop(): void;
}

/** Every so many milliseconds each symbol; the first time, and after an outage, as soon as it is live. */
export class IntervalPolicy implements EmissionPolicy {
  private readonly owed: Set<string>;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly symbols: readonly string[],
    private readonly intervalMs: number,
    private readonly markDue: (symbol: string) => void,
  ) {
    this.owed = new Set(symbols);
  }

  start(): void {
    this.timer = setInterval(() => this.symbols.forEach((symbol) => this.markDue(symbol)), this.intervalMs);
  }

  onBook(view: SymbolView): void {
    if (this.owed.delete(view.symbol)) this.markDue(view.symbol);
  }

  onUnavailable(symbol: string): void {
    this.owed.add(symbol);
  }

  stop(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }
}

/** Every update makes its symbol due; the outbox conflates. */
export class ContinuousPolicy implements EmissionPolicy {
  constructor(private readonly markDue: (symbol: string) => void) {}

  start(): void {}

  onBook(view: SymbolView): void {
    this.markDue(view.symbol);
  }

  onUnavailable(): void {}

  stop(): void {}
}

/** Only the store is kept. */
export class NeverPolicy implements EmissionPolicy {
  start(): void {}
  onBook(): void {}
  onUnavailable(): void {}
  stop(): void {}
}
