import type { Level } from '../book/types';
import type { DepthChart } from '../charts/types';
import { unitsOf } from '../feed/assets';
import { contractSizeOf, MARKETS } from '../feed/markets';
import { priceText } from '../signal/gate/alertMessage';
import { amountText, bookName, reasonText } from '../signal/message';
import { sidesOf } from '../signal/measures';
import { toNumber } from '../signal/exact';
import { compareTouch } from '../signal/quote';
import { readable } from '../signal/readable';
import type { NoSignalReason, Units } from '../signal/types';
import type { SnapshotStore } from '../store/types';
import type { BookAnswer } from './bookAnswer';
import { booksFromStore } from './fromStore';
import { type SnapshotItem, snapshotItem, type SnapshotSettings } from './snapshot';

/** What a chart shows, in numbers; without them where the book cannot be used. */
interface ChartItem extends SnapshotItem, Partial<Units> {
  /** Quantity of the levels marked: base asset, on COIN-M contracts. */
  readonly bidDepth?: number;
  readonly askDepth?: number;
  /** Notional of the levels marked: quote currency, on COIN-M USD. */
  readonly weightedBids?: number;
  readonly weightedAsks?: number;
  readonly levelsUsedBids?: number;
  readonly levelsUsedAsks?: number;
}

/** An item with what is to be drawn for it; null where the book cannot be used. */
export interface ChartedItem {
  readonly item: ChartItem;
  readonly chart: DepthChart | null;
}

export type BookChartSettings = Omit<SnapshotSettings, 'includeLevels'>;

/** The stored book of each symbol, to be drawn. */
export async function readBookCharts(
  store: SnapshotStore,
  settings: BookChartSettings,
): Promise<ChartedItem[]> {
  const { market, symbols, keyPrefix } = settings;
  const requests = symbols.map((symbol) => ({ market, symbol }));
  const answers = await booksFromStore(store, keyPrefix, requests);
  return answers.map((answer) => bookChart(answer, settings));
}

/** No picture of a book that cannot be used passes for one of now. */
export function bookChart(
  answer: BookAnswer,
  settings: Pick<BookChartSettings, 'maxAgeMs' | 'levels'>,
): ChartedItem {
  const snapshot = snapshotItem(answer, { ...settings, includeLevels: false });
  if (snapshot.reason !== undefined) return { item: readable(snapshot), chart: null };
  const broken = brokenReason(answer);
  if (broken !== null) {
    const message = `${bookName(answer)}: nothing to draw. ${reasonText(broken)}.`;
    return { item: readable({ ...snapshot, reason: broken, message }), chart: null };
  }
  const { market, symbol } = answer;
  const bids = answer.bids.slice(0, settings.levels);
  const asks = answer.asks.slice(0, settings.levels);
  const listed = { contractSize: answer.contractSize ?? null };
  const sides = sidesOf(bids, asks, 'quantity', contractSizeOf(MARKETS[market], symbol ?? '', listed));
  const units = unitsOf(market, symbol);
  const numbers = {
    ...units,
    bidDepth: toNumber(sides.bidDepth),
    askDepth: toNumber(sides.askDepth),
    weightedBids: toNumber(sides.weightedBids),
    weightedAsks: toNumber(sides.weightedAsks),
    levelsUsedBids: bids.length,
    levelsUsedAsks: asks.length,
  };
  const message = sentence(answer, bids, asks, numbers);
  return { item: readable({ ...snapshot, ...numbers, message }), chart: depthChart(answer, units, settings) };
}

function brokenReason({
  bids,
  asks,
  bidsComplete,
  asksComplete,
}: BookAnswer): Extract<NoSignalReason, 'empty-side' | 'outside-coverage' | 'crossed'> | null {
  if (bids.length > 0 && asks.length > 0) return compareTouch(bids[0], asks[0]) < 0 ? 'crossed' : null;
  const isKnown = (bids.length > 0 || bidsComplete) && (asks.length > 0 || asksComplete);
  return isKnown ? 'empty-side' : 'outside-coverage';
}

function depthChart(answer: BookAnswer, units: Units, { levels }: { levels: number }): DepthChart {
  const { bids, asks, bidsComplete, asksComplete, market, symbol, eventTimeMs, receivedAtMs } = answer;
  return {
    kind: 'depth',
    symbol: symbol ?? '',
    market: MARKETS[market].name,
    // On COIN-M the price is in USD as well.
    priceUnit: units.notionalCurrency,
    quantityUnit: units.quantityUnit,
    timeMs: eventTimeMs ?? receivedAtMs,
    ...{ bids, asks, bidsComplete, asksComplete, levels },
  };
}

function sentence(
  answer: BookAnswer,
  bids: readonly Level[],
  asks: readonly Level[],
  { bidDepth, askDepth, quantityUnit }: Units & { bidDepth: number; askDepth: number },
): string {
  const best = (levels: readonly Level[], name: string) =>
    levels.length === 1 ? `the best ${name} holds` : `the best ${levels.length} ${name}s hold`;
  const amount = (value: number) => amountText(value, quantityUnit);
  return `${bookName(answer)}: ${best(bids, 'bid')} ${amount(bidDepth)}, ${best(asks, 'ask')} ${amount(askDepth)} (bid ${priceText(Number(bids[0][0]))}, ask ${priceText(Number(asks[0][0]))}).`;
}
