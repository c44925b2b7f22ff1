import { isTrading, type ListedSymbol } from './listing';

/** What a symbol traded in 24 hours. */
export interface Ticker {
  readonly symbol: string;
  readonly lastPrice: number;
  /** In the quote currency; on COIN-M null. */
  readonly quoteVolume: number | null;
  /** In coins; on COIN-M in contracts. */
  readonly volume: number;
}

/** Taken for one dollar each; the order of a list needs no more exactness. */
const DOLLARS: ReadonlySet<string> = new Set(['USD', 'USDT', 'USDC', 'FDUSD', 'TUSD', 'BUSD']);

/**
 * What trades first, the most active by its 24-hour volume in dollars at the top; then what does not trade. Quote
 * currencies are converted, or pairs in yen and rupiah would lead by their numbers alone.
 * @param tickers empty where they could not be fetched: then by name
 * @param contractSize COIN-M: USD a contract
 */
export function byActivity(
  symbols: Iterable<ListedSymbol>,
  tickers: readonly Ticker[],
  contractSize: (entry: ListedSymbol) => number,
): ListedSymbol[] {
  const bySymbol = new Map(tickers.map((ticker) => [ticker.symbol, ticker]));
  const volumes = new Map<ListedSymbol, number>();
  for (const entry of symbols) {
    const ticker = bySymbol.get(entry.symbol);
    const inQuote = ticker?.quoteVolume ?? null;
    const volume =
      ticker === undefined
        ? 0
        : inQuote === null
          ? ticker.volume * contractSize(entry)
          : inQuote * dollarsFor(entry.quoteAsset, bySymbol);
    volumes.set(entry, volume);
  }
  return [...volumes]
    .sort(
      ([a, volumeOfA], [b, volumeOfB]) =>
        Number(isTrading(b)) - Number(isTrading(a)) ||
        volumeOfB - volumeOfA ||
        (a.symbol < b.symbol ? -1 : 1),
    )
    .map(([entry]) => entry);
}

function dollarsFor(asset: string, tickers: ReadonlyMap<string, Ticker>): number {
  if (DOLLARS.has(asset)) return 1;
  const price = tickers.get(`${asset}USDT`)?.lastPrice ?? 0;
  if (price > 0) return price;
  const inverse = tickers.get(`USDT${asset}`)?.lastPrice ?? 0;
  return inverse > 0 ? 1 / inverse : 0;
}
