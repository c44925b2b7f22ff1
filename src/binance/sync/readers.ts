import type { FeedListener } from '../../feed/types';

/** Who reads a symbol, and what they need of it. */
export interface Reader {
  readonly listener: FeedListener;
  readonly levels: number;
  readonly bookDepth: number | 'auto';
  released: boolean;
}

export interface Need {
  readonly levels: number;
  readonly bookDepth: number | 'auto';
}

const DEFAULT_NEED: Need = { levels: 20, bookDepth: 'auto' };

/** What all readers of a symbol need together. */
export function needOf(readers: readonly Reader[]): Need {
  if (readers.length === 0) return DEFAULT_NEED;
  const levels = Math.max(...readers.map((reader) => reader.levels));
  const fixed = readers.flatMap(({ bookDepth }) => (bookDepth === 'auto' ? [] : [bookDepth]));
  return { levels, bookDepth: fixed.length < readers.length ? 'auto' : Math.max(...fixed) };
}

/** Everyone who reads any symbol of a feed, each once however many symbols that are. */
export class Listeners {
  private readonly symbolsOf = new Map<FeedListener, number>();

  add({ listener }: Reader): void {
    this.symbolsOf.set(listener, (this.symbolsOf.get(listener) ?? 0) + 1);
  }

  remove({ listener }: Reader): void {
    const symbols = (this.symbolsOf.get(listener) ?? 0) - 1;
    if (symbols > 0) this.symbolsOf.set(listener, symbols);
    else this.symbolsOf.delete(listener);
  }

  log(level: 'info' | 'warn' | 'error', text: string): void {
    for (const listener of this.symbolsOf.keys()) {
      try {
        listener.onLog?.(level, text);
      } catch {
        // Where even the log line throws, there is nowhere left to report it.
      }
    }
  }
}
