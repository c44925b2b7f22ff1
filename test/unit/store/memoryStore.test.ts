import { isOrderFlowError } from '../../../src/runtime/errors';
import { MemoryStore } from '../../../src/store/memoryStore';
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
