import { RecordingMarket } from '../market/recording';
import { SyntheticMarket } from '../market/synthetic';
import { DEFAULT_HISTORY, type HistoryCaps } from '../market/trueBook';
import type { SymbolMarket } from '../market/types';
import { contractSizeOf, symbolDefaults, type Profile } from '../profiles';
import type { ExchangeOptions, SymbolOptions } from './options';

/** Changes remembered over all symbols: bounds the memory of a server with many. */
const MAX_REMEMBERED_CHANGES = 4_000_000;

/** The markets that the options ask for: recorded ones first, then a synthetic one for each other symbol. */
export function makeMarkets(profile: Profile, options: ExchangeOptions): SymbolMarket[] {
  const { source, symbols = source === undefined ? ['BTCUSDT'] : [] } = options;
  const share = Math.floor(MAX_REMEMBERED_CHANGES / Math.max(1, symbols.length));
  const maxChanges = Math.min(DEFAULT_HISTORY.maxChanges, share);
  const history = { ...DEFAULT_HISTORY, maxChanges, ...options.history };
  const contractSize = (symbol: string): number | null => contractSizeOf(profile, symbol);
  const dirs = source === undefined ? [] : [source.recording].flat();
  const recorded = dirs.map(
    (dir) => new RecordingMarket({ dir, speed: source?.speed, loop: source?.loop, contractSize, history }),
  );
  const taken = new Set(recorded.map(({ rules }) => rules.symbol));
  const synthetic = symbols
    .map((symbol): SymbolOptions => (typeof symbol === 'string' ? { symbol } : symbol))
    .filter(({ symbol }) => !taken.has(symbol))
    .map((symbol) => makeSynthetic(profile, options, symbol, history));
  return [...recorded, ...synthetic];
}

function makeSynthetic(
  profile: Profile,
  options: ExchangeOptions,
  symbol: SymbolOptions,
  history: HistoryCaps,
): SyntheticMarket {
  return new SyntheticMarket({
    ...symbolDefaults(profile, symbol.symbol),
    ...definedOnly(symbol),
    activity: ((symbol.activity ?? 1) * (options.eventsPerTick ?? 30)) / 30,
    seed: options.seed ?? 1,
    contiguousIds: profile.kind === 'spot',
    wireDecimals: profile.wireDecimals,
    contractSize: symbol.contractSize ?? contractSizeOf(profile, symbol.symbol),
    history,
  });
}

/** So that an option given as undefined does not hide a default. */
function definedOnly(options: SymbolOptions): SymbolOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as SymbolOptions;
}
