import { costBps } from './cost';
import { add, ratio, subtract, toNumber } from './exact';
import { levelsRequested, selectLevels, sidesOf } from './measures';
import { noSignalMessage, signalMessage } from './message';
import { type Quote, compareTouch, quoteOf, spanBps, touchOf } from './quote';
import { signalOf } from './rule';
import type { Evaluation, NoSignalReason, SignalInput, SignalParameters } from './types';

/**
 * Judges one book: a signal only where it is honest, else the first reason against it. Pure and exact:
 * the signal and every sum are those of decimal arithmetic.
 */
export function evaluate(input: SignalInput, parameters: SignalParameters): Evaluation {
  const distrust = distrustReason(input, parameters);
  // A book that is not known to be the exchange's shows no number at all; an old one shows what it was.
  if (distrust !== null && distrust !== 'stale') return withoutSignal(input, parameters, distrust, {});
  const bid = input.bids[0];
  const ask = input.asks[0];
  if (bid === undefined || ask === undefined)
    return withoutSignal(input, parameters, distrust ?? withoutTouch(input), touchOf(input.bids, input.asks));
  const order = compareTouch(bid, ask);
  if (order < 0)
    return withoutSignal(input, parameters, distrust ?? 'crossed', touchOf(input.bids, input.asks));
  const quote = quoteOf(bid, ask);
  const prices = { ...quotedFields(quote), ...costFields(input, parameters, quote) };
  if (distrust !== null || order === 0) return withoutSignal(input, parameters, distrust ?? 'locked', prices);
  const selection = selectLevels(input, parameters, quote);
  if (selection.reason !== null) return withoutSignal(input, parameters, selection.reason, prices);

  const { bids, asks } = selection;
  const sides = sidesOf(bids, asks, parameters.measure, input.contractSize);
  const difference = subtract(sides.asks, sides.bids);
  const larger = difference.units > 0n ? sides.asks : sides.bids;
  const facts = {
    signal: signalOf(sides.bids, sides.asks, parameters.threshold),
    imbalancePercent: ratio(difference, larger, 100) ?? 0,
    levelsUsedBids: bids.length,
    levelsUsedAsks: asks.length,
  };
  return {
    ...blank(input, parameters),
    ...prices,
    ...facts,
    imbalance: toNumber(difference),
    buyPressure: ratio(subtract(sides.bids, sides.asks), add(sides.bids, sides.asks), 1) ?? 0,
    weightedBids: toNumber(sides.weightedBids),
    weightedAsks: toNumber(sides.weightedAsks),
    bidDepth: toNumber(sides.bidDepth),
    askDepth: toNumber(sides.askDepth),
    levelsSpanBps: spanBps(bids[bids.length - 1], asks[asks.length - 1], quote.twiceMid),
    message: signalMessage(input, parameters, {
      ...facts,
      bids: toNumber(sides.bids),
      asks: toNumber(sides.asks),
    }),
  };
}

/** Why the book may not be believed, whatever it holds. */
function distrustReason(input: SignalInput, parameters: SignalParameters): NoSignalReason | null {
  if (input.trust.kind !== 'ok') return input.trust.kind;
  const { ageMs } = input.trust;
  const { maxAgeMs, ageMustBeKnown } = parameters;
  if (maxAgeMs === 0) return null;
  return (ageMs === null ? ageMustBeKnown : ageMs > maxAgeMs) ? 'stale' : null;
}

/** A side without a known level: the exchange has none, or the price has left all those that are known. */
function withoutTouch({ bids, asks, bidsComplete, asksComplete }: SignalInput): NoSignalReason {
  const empty = (bids.length === 0 && bidsComplete) || (asks.length === 0 && asksComplete);
  return empty ? 'empty-side' : 'outside-coverage';
}

function quotedFields(quote: Quote): Partial<Evaluation> {
  const { bestBid, bestAsk, mid, spread, spreadBps, weightedMid } = quote;
  return { bestBid, bestAsk, mid, spread, spreadBps, weightedMid };
}

function costFields(input: SignalInput, parameters: SignalParameters, quote: Quote): Partial<Evaluation> {
  const amount = parameters.costAmount;
  if (amount === null) return {};
  return {
    sellCostBps: costBps(input.bids, quote.mid, amount, input.contractSize),
    buyCostBps: costBps(input.asks, quote.mid, amount, input.contractSize),
  };
}

function withoutSignal(
  input: SignalInput,
  parameters: SignalParameters,
  reason: NoSignalReason,
  known: Partial<Evaluation>,
): Evaluation {
  return {
    ...blank(input, parameters),
    ...known,
    reason,
    message: noSignalMessage(input, parameters, reason),
  };
}

function blank({ units }: SignalInput, parameters: SignalParameters): Omit<Evaluation, 'message'> {
  return {
    quantityUnit: units?.quantityUnit ?? null,
    notionalCurrency: units?.notionalCurrency ?? null,
    signal: null,
    reason: null,
    imbalance: null,
    imbalancePercent: null,
    buyPressure: null,
    weightedBids: null,
    weightedAsks: null,
    bidDepth: null,
    askDepth: null,
    bestBid: null,
    bestAsk: null,
    mid: null,
    spread: null,
    spreadBps: null,
    weightedMid: null,
    levelsSpanBps: null,
    sellCostBps: null,
    buyCostBps: null,
    measure: parameters.measure,
    levelsRequested: levelsRequested(parameters),
    levelsUsedBids: 0,
    levelsUsedAsks: 0,
    threshold: parameters.threshold,
  };
}
