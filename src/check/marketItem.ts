import { MARKETS, type MarketId } from '../feed/markets';
import { isOrderFlowError, toOrderFlowError, withCode } from '../runtime/errors';
import { signalOfPercent } from '../signal/rule';
import type { Signal } from '../signal/types';
import { GATE_TTL_MS } from '../store/keys';
import type { SnapshotStore } from '../store/types';
import type { CheckItem } from './checkItem';

/** How many of a run's symbols lean where, and how far all of them together do. */
interface Lean {
  readonly selling: number;
  readonly buying: number;
  readonly neutral: number;
  /** Without a signal, failed ones among them. */
  readonly unknown: number;
  /** (B − A)/(B + A), the mean by what the compared levels are worth; null where that cannot be added. */
  readonly buyPressure: number | null;
}

/** What is kept of a check for the next. */
export interface MarketState extends Lean {
  /** ISO 8601. */
  readonly time: string;
}

/** One item about all results of a run. Changes are null at the first check. */
export interface MarketItem extends MarketState {
  readonly kind: 'market';
  readonly exchange: 'binance';
  /** Null where the run has several. */
  readonly market: MarketId | null;
  readonly symbol: null;
  /** Of all together; null where less than half of them have one, or where their amounts cannot be added. */
  readonly signal: Signal | null;
  readonly message: string;
  readonly symbols: number;
  /** Percent of the larger side, positive = more to be sold. */
  readonly imbalancePercent: number | null;
  readonly sellingChange: number | null;
  readonly buyingChange: number | null;
  readonly neutralChange: number | null;
  readonly unknownChange: number | null;
  readonly buyPressureChange: number | null;
  /** When the check was that the changes are counted from. */
  readonly previousTime: string | null;
  warning?: string;
}

/**
 * Sums up a run.
 * @param failed symbols without any result
 * @param threshold percent
 */
export function marketItem(
  items: readonly CheckItem[],
  failed: number,
  threshold: number,
  previous: MarketState | null,
  time: string,
): MarketItem {
  const count = (signal: Signal) => items.filter((item) => item.signal === signal).length;
  const [selling, buying, neutral] = [count('SELLING'), count('BUYING'), count('NEUTRAL')];
  const symbols = items.length + failed;
  const known = selling + buying + neutral;
  const lean: Lean = { selling, buying, neutral, unknown: symbols - known, buyPressure: pressureOf(items) };
  const percent = lean.buyPressure === null ? null : percentOf(lean.buyPressure);
  const signal = percent === null || 2 * known < symbols ? null : signalOfPercent(percent, threshold);
  const markets = [...new Set(items.map(({ market }) => market))];
  const market = markets.length === 1 ? markets[0] : null;
  return {
    ...{ kind: 'market', exchange: 'binance', market, symbol: null, signal, time, symbols, ...lean },
    imbalancePercent: percent,
    sellingChange: change(lean, previous, 'selling'),
    buyingChange: change(lean, previous, 'buying'),
    neutralChange: change(lean, previous, 'neutral'),
    unknownChange: change(lean, previous, 'unknown'),
    buyPressureChange: change(lean, previous, 'buyPressure'),
    previousTime: previous?.time ?? null,
    message: messageOf(market, symbols, lean, percent, previous),
  };
}

/** The mean by amounts in one currency. */
function pressureOf(items: readonly CheckItem[]): number | null {
  let amounts = 0;
  let sum = 0;
  const currencies = new Set<string | null>();
  for (const item of items) {
    const { signal, imbalancePercent, weightedBids, weightedAsks, notionalCurrency } = item;
    if (signal === null || imbalancePercent === null || weightedBids === null || weightedAsks === null)
      continue;
    const amount = weightedBids + weightedAsks;
    currencies.add(notionalCurrency);
    const share = imbalancePercent / 100;
    // From a share of the larger side to one of both.
    sum += (amount * -share) / (2 - Math.abs(share));
    amounts += amount;
  }
  return currencies.size === 1 && !currencies.has(null) && amounts > 0 ? sum / amounts : null;
}

function percentOf(pressure: number): number {
  return (-200 * pressure) / (1 + Math.abs(pressure)) + 0;
}

function change(lean: Lean, previous: MarketState | null, field: keyof Lean): number | null {
  const before = previous?.[field] ?? null;
  const now = lean[field];
  return before === null || now === null ? null : now - before;
}

function messageOf(
  market: MarketId | null,
  symbols: number,
  lean: Lean,
  percent: number | null,
  previous: MarketState | null,
): string {
  const { selling, buying, neutral, unknown } = lean;
  const name = market === null ? 'Several markets' : MARKETS[market].name;
  const counts = `${name}, ${symbols} ${symbols === 1 ? 'symbol' : 'symbols'}: ${selling} selling, ${buying} buying, ${neutral} neutral, ${unknown} without a signal.`;
  const sides = percent !== null && percent < 0 ? 'bids outweigh asks' : 'asks outweigh bids';
  const together =
    percent === null
      ? 'Their amounts cannot be added.'
      : `By volume ${sides} by ${Math.abs(percent).toFixed(1)} %.`;
  return [counts, together, ...(previous === null ? [] : [changeText(lean, previous)])].join(' ');
}

function changeText(lean: Lean, previous: MarketState): string {
  const words = (['selling', 'buying'] as const).flatMap((field) => {
    const by = lean[field] - previous[field];
    return by === 0 ? [] : [`${Math.abs(by)} ${by > 0 ? 'more' : 'fewer'} ${field}`];
  });
  return `Since ${previous.time}: ${words.length === 0 ? 'as many of each' : words.join(', ')}.`;
}

/**
 * The item with what has changed since the last check that this node made; the store keeps each for the next. Where it
 * cannot, the item says so.
 */
export async function rememberedMarketItem(
  { store, key }: { readonly store: SnapshotStore; readonly key: string },
  itemSince: (previous: MarketState | null) => MarketItem,
): Promise<MarketItem> {
  try {
    const [stored] = await store.loadStates([key]);
    if (isOrderFlowError(stored)) throw stored;
    const item = itemSince(readState(stored?.value));
    const { time, selling, buying, neutral, unknown, buyPressure } = item;
    const value: MarketState = { time, selling, buying, neutral, unknown, buyPressure };
    // Where another check was noted in between, that one is the last.
    await store.storeState(key, { value, expectedVersion: stored?.version ?? 0, ttlMs: GATE_TTL_MS });
    return item;
  } catch (error) {
    const why = withCode(toOrderFlowError(error));
    return { ...itemSince(null), warning: `What has changed since the last check is not known: ${why}` };
  }
}

function readState(value: unknown): MarketState | null {
  const { time, selling, buying, neutral, unknown, buyPressure } = (value ?? {}) as Partial<
    Record<keyof MarketState, unknown>
  >;
  const counts = [selling, buying, neutral, unknown];
  if (typeof time !== 'string' || !counts.every(Number.isSafeInteger)) return null;
  const [s, b, n, u] = counts as number[];
  const pressure = typeof buyPressure === 'number' ? buyPressure : null;
  return { time, selling: s, buying: b, neutral: n, unknown: u, buyPressure: pressure };
}
