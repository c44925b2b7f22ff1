import { unitsOf } from '../feed/assets';
import { contractSizeOf, MARKETS } from '../feed/markets';
import type { Level } from '../book/types';
import { evaluate } from '../signal/evaluate';
import type { GateOutcome } from '../signal/gate/gateState';
import { unknownAge } from '../signal/message';
import type { Evaluation, SignalParameters } from '../signal/types';
import { type BookAnswer, type BookHead, timeOf } from './bookAnswer';
import type { BookSource } from './settings';

/** What the Order Flow Imbalance node emits for one book. */
export interface CheckItem extends Evaluation, BookHead {
  exchange: string;
  /** ISO 8601, of the exchange's event time, or of the receipt where it gives none. */
  time: string | null;
  /** Milliseconds since the feed last knew the book to be the exchange's; null where that is unknown. */
  ageMs: number | null;
  /** Receipt minus event time, milliseconds. Can be negative: two clocks. */
  latencyMs: number | null;
  source: BookSource;
  /** Seconds; 0 = any age. */
  maxAge: number;
  /** 1 is the strongest of the run; where only the strongest are wanted. */
  rank?: number;
  /** Set where `signal` and `imbalancePercent` are those of a mean; the other numbers are of the book at this instant. */
  judgedBy?: 'mean60s';
  /** Net order flow and the mean of the measure, where the trigger stored them with the book. */
  flow?: unknown;
  bids?: readonly Level[];
  asks?: readonly Level[];
  /** `test`: the signal is made up, for a test run. */
  kind?: GateOutcome['kind'] | 'test';
  /** Something beside the signal that went wrong. */
  warning?: string;
}

/**
 * Judges one book and puts beside the result what it rests on.
 * @param nameMarket messages name the market, spot too: where several are in use
 */
export function checkItem(
  answer: BookAnswer,
  parameters: SignalParameters,
  source: BookSource,
  nameMarket = false,
): CheckItem {
  const { market, symbol, lastUpdateId, eventTimeMs, receivedAtMs } = answer;
  const origin = { kind: source, keptLevels: answer.keptLevels ?? null, maxLevels: MARKETS[market].maxDepth };
  const listed = { contractSize: answer.contractSize ?? null };
  const contractSize = symbol === null ? null : contractSizeOf(MARKETS[market], symbol, listed);
  const input = { ...answer, contractSize, units: unitsOf(market, symbol), origin, nameMarket };
  const item: CheckItem = {
    exchange: answer.exchange,
    market,
    symbol,
    // One spread and no more: each costs as much as judging the book.
    ...evaluate(input, parameters),
    lastUpdateId,
    epoch: answer.epoch,
    eventTimeMs,
    receivedAtMs,
    time: timeOf(answer),
    ageMs: answer.trust.kind === 'ok' ? answer.trust.ageMs : null,
    latencyMs: eventTimeMs === null || receivedAtMs === null ? null : receivedAtMs - eventTimeMs,
    resyncCount: answer.resyncCount,
    source,
    maxAge: parameters.maxAgeMs / 1000,
  };
  if (answer.flow !== undefined) item.flow = answer.flow;
  const { trust } = answer;
  if (trust.kind === 'ok' && trust.ageMs === null && item.signal !== null) item.warning = unknownAge(trust);
  return item;
}
