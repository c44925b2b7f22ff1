import { binance } from '../binance/venue';
import type { MarketId } from '../feed/markets';
import type { Venue } from '../feed/venue';

/** The exchange that a market belongs to. The one place that wires the two together. */
export function venueOf(_market: MarketId): Venue {
  return binance;
}
