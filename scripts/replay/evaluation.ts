import type { Market } from '../../src/feed/markets';
import type { BookSync } from '../../src/book/bookSync';
import type { SymbolUpdate } from '../../src/binance/wire/codec';
import { evaluate } from '../../src/signal/evaluate';
import type { Evaluation, SignalParameters } from '../../src/signal/types';

/** A line of a replay: the fields of the imbalance node's item that a recording can give. */
export interface ReplayEvaluation extends Evaluation {
  readonly exchange: 'binance';
  readonly market: string;
  readonly symbol: string;
  /** Null while the book is not in sync. */
  readonly lastUpdateId: number | null;
  /** Of the event at which the evaluation was due, milliseconds since 1970. */
  readonly eventTimeMs: number;
  readonly time: string;
}

/** Evaluates the book as it is after an event, or says that there is none. */
export function evaluateStep<U extends SymbolUpdate>(
  sync: BookSync<U>,
  update: U,
  market: Market,
  contractSize: number | null,
  parameters: SignalParameters,
): ReplayEvaluation {
  // A band takes what lies in it, however many levels that are.
  const top = sync.trustedTop(parameters.measure === 'band' ? Infinity : parameters.levels);
  const evaluation = evaluate(
    {
      market: market.id,
      symbol: update.symbol,
      bids: top?.bids ?? [],
      asks: top?.asks ?? [],
      lastUpdateId: top?.lastUpdateId ?? null,
      bidsComplete: sync.coverage?.lowestBid === null,
      asksComplete: sync.coverage?.highestAsk === null,
      contractSize,
      // A recording plays as fast as it can be read: its book is never old.
      trust: top === null ? { kind: 'syncing' } : { kind: 'ok', ageMs: 0 },
    },
    parameters,
  );
  return {
    exchange: 'binance',
    market: market.id,
    symbol: update.symbol,
    lastUpdateId: top?.lastUpdateId ?? null,
    eventTimeMs: update.eventTimeMs,
    time: new Date(update.eventTimeMs).toISOString(),
    ...evaluation,
  };
}
