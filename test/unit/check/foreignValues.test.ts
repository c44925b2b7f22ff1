import type { CheckItem } from '../../../src/check/checkItem';
import { readFeedStatuses } from '../../../src/check/feedStatus';
import { judgeMean } from '../../../src/check/judgeMean';
import { FrameReader } from '../../../src/binance/wire/frameReader';
import { parseFrame } from '../../../src/binance/wire/jsonReader';
import { restoreGate, startGate } from '../../../src/signal/gate/gateState';
import { decodeBook, encodeBookHead, encodeBookTail } from '../../../src/store/recordFormat';
import { MemoryStore } from '../../../src/store/memoryStore';
import type { FeedStatusContent } from '../../../src/store/types';
import { content } from '../../support/storeFixtures';

/** The last millisecond that a date can hold, and the first that none can. */
const [LAST, BEYOND] = [8_640_000_000_000_000, 8_640_000_000_000_001];

describe('a time that no date can hold', () => {
  it.each(['plain', 'fast'])('never comes out of a frame in the %s reader', (form) => {
    const largest = Number.MAX_SAFE_INTEGER;
    const frame = `{"e":"depthUpdate","E":${largest},"s":"BTCUSDT","U":1,"u":2,"b":[["1","2"]],"a":[]}`;
    const message =
      form === 'plain' ? parseFrame(frame, false) : new FrameReader(false).read(Buffer.from(frame));
    expect(message).toMatchObject({ update: { eventTimeMs: Math.floor(largest / 1000) } });
  });

  it.each(['eventTimeMs', 'receivedAtMs'])('is refused in the field %s of a record', (field) => {
    const decode = (time: number) => {
      const head = encodeBookHead({ epoch: 1, lastUpdateId: 1, liveAtMs: 1, state: 'live', levels: 2 });
      return decodeBook(head + encodeBookTail(content(1, { [field]: time })), 1, 'k');
    };
    expect(() => decode(BEYOND)).toThrow(field);
    expect(decode(LAST).record).toMatchObject({ [field]: LAST });
  });

  it.each(['atMs', 'sinceMs', 'recoveringSinceMs', 'noSignalSinceMs', 'lastAlertMs', 'lastNoSignalMs'])(
    'makes an alert state start over: %s',
    (field) => {
      const started = JSON.parse(JSON.stringify(startGate(1_000))) as object;
      expect(restoreGate(started, 1_000, 60_000).restarted).toBeNull();
      expect(restoreGate({ ...started, [field]: -BEYOND }, 1_000, 60_000).restarted).toBe('unreadable');
      const pending = { direction: 'SELLING', sinceMs: BEYOND, updates: 1 };
      expect(restoreGate({ ...started, pending }, 1_000, 60_000).restarted).toBe('unreadable');
    },
  );
});

describe('a stored mean', () => {
  const item = { symbol: 'BTCUSDT', signal: 'NEUTRAL', threshold: 10 } as CheckItem;
  const judged = (mean: unknown) =>
    judgeMean({ ...item, flow: { meanImbalancePercent60s: mean, meanCoveredMs: 60_000 } });

  it.each([Infinity, -Infinity, NaN, 101, -1e9, '50', null, {}])('of %p gives no signal', (mean) => {
    expect(judged(mean)).toMatchObject({ signal: null, reason: 'too-little-history' });
  });

  it('within the bounds is judged', () => {
    expect(judged(100)).toMatchObject({ signal: 'SELLING' });
    expect(judged(-100)).toMatchObject({ signal: 'BUYING' });
  });
});

it('a feed status under the key of another symbol says nothing of this one', async () => {
  const store = new MemoryStore();
  const status: FeedStatusContent = {
    ...{ writer: 'somebody', state: 'live', market: 'spot', symbol: 'ETHUSDT', sinceMs: 1, reason: null },
    ...{ errorCode: null, resyncs: 0, lastEventAgeMs: 0, usedWeight: 1, lastUpdateId: 1 },
  };
  await store.writeFeedStatus('foreign/btcusdt-feed', status, 60_000);
  await store.writeFeedStatus('foreign/ethusdt-feed', status, 60_000);
  const settings = { market: 'spot', keyPrefix: 'foreign/', maxAgeMs: 15_000 } as const;
  const [btc, eth] = await readFeedStatuses(store, { ...settings, symbols: ['BTCUSDT', 'ETHUSDT'] });
  expect(btc).toMatchObject({ state: 'missing', healthy: false, errorCode: 'OF_RECORD_INVALID' });
  expect(eth).toMatchObject({ state: 'live', healthy: true });
});
