import { grouped } from '../terminal';

/** What a branch of the demonstration workflow posts: fields of the imbalance node's item that a row shows. */
export interface ResultItem {
  readonly symbol: string;
  readonly signal: string | null;
  readonly reason: string | null;
  readonly message: string;
  readonly weightedBids: number | null;
  readonly weightedAsks: number | null;
  readonly imbalance: number | null;
  readonly spread: number | null;
  readonly lastUpdateId: number | null;
}

/** What the trigger's Feed Status output says. */
export interface StatusItem {
  readonly symbol: string;
  readonly state: string;
  readonly sinceMs: number;
  readonly message: string;
}

const WIDTH = { time: 9, sum: 17, imbalance: 15, spread: 11 } as const;

/** Prints the three steps, each once, and then the rows. */
export class DemoConsole {
  private step = 0;
  private startedMs = 0;
  private readonly seen = new Set<string>();
  /** Symbols whose trouble was shown, until they are live again. */
  private readonly troubled = new Set<string>();
  private readonly states = new Map<string, { readonly state: string; readonly sinceMs: number }>();

  constructor(
    private readonly symbols: readonly string[],
    private readonly levels: number,
    private readonly threshold: number,
    private readonly topics: { readonly depth: string; readonly imbalance: string } | null,
    private readonly print: (line: string) => void = console.log,
  ) {}

  /** The workflow is being published. */
  connecting(exchange: string): void {
    this.startedMs = performance.now();
    this.print(`1/3  Opening the depth stream of ${this.symbols.join(', ')} at ${exchange}`);
    this.step = 1;
  }

  /** Executions overtake each other, so a state is shown only if it began after the last one shown. */
  status({ symbol, state, sinceMs, message }: StatusItem): void {
    const last = this.states.get(symbol);
    if (last && last.sinceMs > sinceMs) return;
    this.states.set(symbol, { state, sinceMs });
    if (state === 'live') {
      this.connected();
      if (this.troubled.delete(symbol)) this.note(`${symbol} is live again.`);
    } else if (state === 'backing-off' || state === 'stopped' || last?.state === 'live') {
      this.troubled.add(symbol);
      this.note(message);
    } else if (state === 'syncing') {
      this.connected();
    }
  }

  result(item: ResultItem): void {
    this.connected();
    this.found(item);
    if (this.step < 3) return;
    this.print(this.row(item));
  }

  private connected(): void {
    if (this.step !== 1) return;
    this.step = 2;
    this.print('     ✓ WebSocket connected');
    if (this.topics) this.print(`     ✓ Publishing depth to topic: ${this.topics.depth}`);
    this.print('2/3  Waiting for the first snapshot in the store');
  }

  private found({ symbol, lastUpdateId }: ResultItem): void {
    if (lastUpdateId === null || this.seen.has(symbol)) return;
    this.seen.add(symbol);
    this.print(`     ✓ Snapshot found: ${symbol} (updateId=${lastUpdateId})`);
    if (this.step !== 2) return;
    this.step = 3;
    const sentTo = this.topics ? `, publishing to topic: ${this.topics.imbalance}` : '';
    this.print(`3/3  Imbalance of the top ${this.levels} levels, threshold ${this.threshold} %${sentTo}`);
    this.print(this.header());
  }

  private note(text: string): void {
    this.print(`     ! ${text}`);
  }

  private get symbolWidth(): number {
    return this.symbols.length > 1 ? Math.max(...this.symbols.map((symbol) => symbol.length)) + 2 : 0;
  }

  private header(): string {
    const columns = [
      'Time'.padStart(WIDTH.time),
      'Symbol'.padStart(this.symbolWidth).slice(0, this.symbolWidth),
      'Wtd Bids'.padStart(WIDTH.sum),
      'Wtd Asks'.padStart(WIDTH.sum),
      'Imbalance'.padStart(WIDTH.imbalance),
      'Spread'.padStart(WIDTH.spread),
    ];
    return `${columns.join('')}   Signal`;
  }

  private row(item: ResultItem): string {
    const seconds = `${((performance.now() - this.startedMs) / 1000).toFixed(1)}s`;
    const { imbalance } = item;
    const columns = [
      seconds.padStart(WIDTH.time),
      this.symbolWidth > 0 ? item.symbol.padStart(this.symbolWidth) : '',
      number(item.weightedBids).padStart(WIDTH.sum),
      number(item.weightedAsks).padStart(WIDTH.sum),
      `${imbalance !== null && imbalance >= 0 ? '+' : ''}${number(imbalance)}`.padStart(WIDTH.imbalance),
      spread(item.spread).padStart(WIDTH.spread),
    ];
    return `${columns.join('')}   ${item.signal ?? `NO SIGNAL (${item.reason ?? item.message})`}`;
  }
}

const number = (value: number | null): string => (value === null ? '-' : grouped(value));

/** At least two decimals, and as many as a small price needs. */
function spread(value: number | null): string {
  if (value === null) return '-';
  const needed = value > 0 && value < 0.01 ? Math.min(12, 1 - Math.floor(Math.log10(value))) : 2;
  return grouped(value, needed);
}
