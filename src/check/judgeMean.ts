import { bookName } from '../signal/message';
import { signalOfPercent } from '../signal/rule';
import type { CheckItem } from './checkItem';

/** So much of the last minute must be known before its mean is judged, milliseconds. */
const MIN_MEAN_COVERED_MS = 30_000;

/** Except for rounding, a mean of percentages cannot be beyond 100; one that is was not written by this package. */
const MAX_MEAN_PERCENT = 100.001;

/**
 * The item judged by the time-weighted mean that the trigger stored with the book: the same rule, the same threshold.
 * Where the book itself allows no signal, its reason is kept.
 */
export function judgeMean(item: CheckItem, nameMarket = false): CheckItem {
  if (item.signal === null) return item;
  const name = bookName({ ...item, nameMarket });
  const mean = meanOf(item.flow);
  if (mean === null) {
    const message = `${name}: no signal. The mean over the last minute is not known for long enough yet.`;
    return { ...item, signal: null, reason: 'too-little-history', message };
  }
  const signal = signalOfPercent(mean, item.threshold);
  const sides = mean > 0 ? 'asks outweighed bids' : 'bids outweighed asks';
  const message = `${name}: ${signal === 'NEUTRAL' ? 'neutral' : `${signal.toLowerCase()} pressure`}. Over the last minute ${sides} by ${Math.abs(mean).toFixed(1)} % on average.`;
  return { ...item, signal, imbalancePercent: mean, judgedBy: 'mean60s', message };
}

function meanOf(flow: unknown): number | null {
  if (typeof flow !== 'object' || flow === null) return null;
  const { meanImbalancePercent60s: mean, meanCoveredMs: covered } = flow as Record<string, unknown>;
  const known = typeof mean === 'number' && Math.abs(mean) <= MAX_MEAN_PERCENT;
  return known && typeof covered === 'number' && covered >= MIN_MEAN_COVERED_MS ? mean : null;
}
