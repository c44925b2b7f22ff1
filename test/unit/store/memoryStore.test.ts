import { isOrderFlowError } from '../../../src/runtime/errors';
import { MemoryStore } from '../../../src/store/memoryStore';
import type { StoredBook } from '../../../src/store/types';
import { request } from '../../support/storeFixtures';

/** A clock that a test moves; the wall clock jumps on its own. */
class Clock {
  mono = 1_000_000;
  wall = 1_700_000_000_000;
  store(): MemoryStore {
    return new MemoryStore(
      () => this.mono,
      () => this.wall,
    );
  }
}

let counter = 0;
const newKey = () => `examples/unit${counter++}-orderbook`;

async function ageOf(store: MemoryStore, key: string): Promise<number | null> {
  const [result] = await store.readBooks([key]);
  if (isOrderFlowError(result)) throw result;
  return result && result.ageMs;
}

describe('the memory store and time', () => {
  it('ages records by the monotonic clock, whatever the wall clock does', async () => {
    const clock = new Clock();
    const store = clock.store();
    const key = newKey();
    await store.save(key, request('claim', 0, 1, { liveAgeMs: 100 }));
    clock.mono += 400;
    clock.wall -= 3_600_000;
    expect(await ageOf(store, key)).toBe(500);
    clock.wall += 7_200_000;
    expect(await ageOf(store, key)).toBe(500);
  });

  it('gives greater epochs also when the wall clock was set back', async () => {
    const clock = new Clock();
    const store = clock.store();
    const key = newKey();
    const first = await store.save(key, request('claim', 0, 1));
    clock.wall -= 3_600_000;
    const second = await store.save(key, request('claim', 0, 1));
    expect(second.epoch).toBeGreaterThan(first.epoch);
  });

  it('lets a standby take over exactly when the holder was silent for the takeover time', async () => {
    const clock = new Clock();
    const store = clock.store();
    const key = newKey();
    await store.save(key, request('claim', 0, 1));
    clock.mono += 9_999;
    expect((await store.save(key, request('standby', 0, 2))).outcome).toBe('fenced');
    clock.mono += 1;
    expect((await store.save(key, request('standby', 0, 2))).outcome).toBe('saved');
  });

  it('forgets at the end of the time to live, and not a moment before', async () => {
    const clock = new Clock();
    const store = clock.store();
    const key = newKey();
    await store.save(key, request('claim', 0, 1, { ttlMs: 5_000 }));
    await store.setJson(`${key}-json`, 1, 5_000);
    await store.storeState(`${key}-gate`, { value: 1, expectedVersion: 0, ttlMs: 5_000 });
    clock.mono += 4_999;
    expect(await ageOf(store, key)).toBe(4_999);
    expect(await store.getJson([`${key}-json`])).toEqual([{ value: 1 }]);
    clock.mono += 1;
    expect(await ageOf(store, key)).toBeNull();
    expect(await store.getJson([`${key}-json`])).toEqual([null]);
    expect(await store.loadStates([`${key}-gate`])).toEqual([null]);
  });
});

describe('the memory store and what it is handed', () => {
  it('keeps a book as it was saved, whatever is done to the arrays later', async () => {
    const store = new Clock().store();
    const key = newKey();
    const asked = request('claim', 0, 1);
    const flow = { ofi1s: 1 };
    const { content } = asked;
    await store.save(key, { ...asked, content: { ...content, flow } });
    const saved = structuredClone({ bids: content.bids, asks: content.asks, flow });
    // A workflow's items share the levels with the book that was saved.
    const [bids, asks] = [content.bids, content.asks] as unknown as string[][][];
    bids[0][1] = 'spoilt';
    bids.pop();
    asks.push(['1', '2']);
    flow.ofi1s = 2;
    const read = async () => (await store.readBooks([key]))[0] as StoredBook;
    const first = await read();
    expect(first.record).toMatchObject(saved);
    Object.assign(first.record.flow as object, { ofi1s: 3 });
    (first.record.bids as unknown as string[][])[0][0] = 'spoilt';
    expect((await read()).record).toMatchObject(saved);
  });
});
