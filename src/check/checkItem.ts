import { MARKETS, type MarketId } from '../binance/markets';
import type { Level } from '../book/types';
import { evaluate } from '../signal/evaluate';
import type { Evaluation, SignalParameters } from '../signal/types';
import { type BookAnswer, toSignalInput } from './bookAnswer';

/** What the Order Flow Imbalance node emits for one book. */
export interface CheckItem extends Evaluation {
  exchange: string;
  market: MarketId;
  symbol: string;
  lastUpdateId: number | null;
  /** Tells apart books whose update ids started over; null where the source knows no such thing. */
  epoch: number | null;
  eventTimeMs: number | null;
  receivedAtMs: number | null;
  /** ISO 8601, of the exchange's event time, or of the receipt where it gives none. */
  time: string | null;
  /** Milliseconds since the feed last knew the book to be the exchange's; null where nobody can tell. */
  ageMs: number | null;
  /** Receipt minus event time, milliseconds. Can be negative: two clocks. */
  latencyMs: number | null;
  resyncCount: number | null;
  source: string;
  /** Seconds; 0 = any age. */
  maxAge: number;
  /** Net order flow and the mean of the measure, where the trigger stored them with the book. */
  flow?: unknown;
  bids?: readonly Level[];
  asks?: readonly Level[];
  /** Something beside the signal that went wrong. */
  warning?: string;
}

/** Judges one book and puts beside the result what it rests on. */
export function checkItem(answer: BookAnswer, parameters: SignalParameters, source: string): CheckItem {
  const { market, symbol, lastUpdateId, eventTimeMs, receivedAtMs } = answer;
  const timeMs = eventTimeMs ?? receivedAtMs;
  const item: CheckItem = {
    exchange: answer.exchange,
    market,
    symbol,
    // One spread and no more: each costs as much as judging the book.
    ...evaluate(toSignalInput(answer, contractSizeOf(market, symbol)), parameters),
    lastUpdateId,
    epoch: answer.epoch,
    eventTimeMs,
    receivedAtMs,
    time: timeMs === null ? null : new Date(timeMs).toISOString(),
    ageMs: answer.trust.kind === 'ok' ? answer.trust.ageMs : null,
    latencyMs: eventTimeMs === null || receivedAtMs === null ? null : receivedAtMs - eventTimeMs,
    resyncCount: answer.resyncCount,
    source,
    maxAge: parameters.maxAgeMs / 1000,
  };
  if (answer.flow !== undefined) item.flow = answer.flow;
  return item;
}

function contractSizeOf(market: MarketId, symbol: string): number | null {
  return MARKETS[market].contractSize?.(symbol) ?? null;
}
