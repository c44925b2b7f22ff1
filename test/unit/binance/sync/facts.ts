import type { SyncFacts } from '../../../../src/binance/sync/syncFacts';
import { FEED_TIMINGS } from '../../../../src/binance/timings';

/** Facts that a test changes from event to event. */
export type TestFacts = { -readonly [key in keyof SyncFacts]: SyncFacts[key] };

export function factsOf(changes: Partial<SyncFacts> = {}): TestFacts {
  return {
    ...{ symbol: 'BTCUSDT', restHost: 'api.example', speedMs: 100, timings: FEED_TIMINGS },
    ...{ now: 1_000_000, wallMs: 1_700_000_000_000, random: 0.5 },
    ...{ received: 0, lastReceivedAt: -Infinity, lastAppliedAt: -Infinity, moved: false },
    ...{ headroom: 1, fullDepth: 100 },
    queue: { pause: null, waiting: 0, clearsInMs: 0 },
    ...changes,
  };
}
