import type { EmitMode } from './settings';

/** Decides when a symbol's book is due. It never reads a book: the outbox takes the newest when an execution starts. */
export class EmissionSchedule {
  /** Symbols whose book goes out as soon as it is live: at first, and after an outage. */
  private readonly owed = new Set<string>();
  private readonly symbols: Set<string>;
  private timer: NodeJS.Timeout | undefined;

  /** @param emit `signalChange` and `never` make no book due: alerts come from the watches */
  constructor(
    private readonly emit: EmitMode,
    symbols: readonly string[],
    private readonly intervalMs: number,
    private readonly markDue: (symbol: string) => void,
  ) {
    this.symbols = new Set(symbols);
  }

  start(): void {
    if (this.emit !== 'interval') return;
    for (const symbol of this.symbols) this.owed.add(symbol);
    this.timer = setInterval(() => this.symbols.forEach(this.markDue), this.intervalMs);
  }

  add(symbols: readonly string[]): void {
    for (const symbol of symbols) {
      this.symbols.add(symbol);
      if (this.emit === 'interval') this.owed.add(symbol);
    }
  }

  remove(symbol: string): void {
    this.symbols.delete(symbol);
    this.owed.delete(symbol);
  }

  /** After each applied update of a live symbol. In the receive path. */
  onBook(symbol: string): void {
    if (this.emit === 'continuous' || this.owed.delete(symbol)) this.markDue(symbol);
  }

  /** The outbox wanted this symbol's book and it could not be shown. */
  onUnavailable(symbol: string): void {
    if (this.emit === 'interval') this.owed.add(symbol);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
