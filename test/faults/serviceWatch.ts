import type { Exchange } from '../../exchange';
import type { SymbolView } from '../../src/feed/types';

const LOOK_MS = 5;

interface Sent {
  readonly symbol: string;
  readonly updateId: number;
  readonly atMs: number;
}

/**
 * Holds what the exchange sends against what the service shows: each event's book has to be shown, and how late. The
 * owner hands on every book (`onBook`) and ends it.
 */
export class ServiceWatch {
  /** The longest that a sent event took to be shown, milliseconds. */
  latestMs = 0;
  /** Events seen to be sent. */
  events = 0;
  private readonly newest = new Map<string, number>();
  private waiting: Sent[] = [];
  private readonly timer = setInterval(() => this.look(), LOOK_MS);

  constructor(private readonly exchange: Exchange) {
    for (const [symbol, feed] of exchange.feeds) this.newest.set(symbol, feed.newest?.finalUpdateId ?? 0);
  }

  onBook(view: SymbolView): void {
    this.look();
    const shown = view.read(1)?.lastUpdateId;
    const now = performance.now();
    this.waiting = this.waiting.filter(({ symbol, updateId, atMs }) => {
      // Exactly its book: one that was passed over in silence is missing.
      if (symbol !== view.symbol || updateId !== shown) return true;
      this.latestMs = Math.max(this.latestMs, now - atMs);
      return false;
    });
  }

  /** Events whose books were never shown, though this many milliseconds have passed. */
  missing(afterMs: number): string[] {
    const now = performance.now();
    return this.waiting
      .filter(({ atMs }) => now - atMs > afterMs)
      .map(({ symbol, updateId }) => `${symbol} ${updateId}`);
  }

  end(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    for (const [symbol, feed] of this.exchange.feeds) {
      const updateId = feed.newest?.finalUpdateId ?? 0;
      if (updateId === this.newest.get(symbol)) continue;
      this.newest.set(symbol, updateId);
      this.events++;
      this.waiting.push({ symbol, updateId, atMs: performance.now() });
    }
  }
}
