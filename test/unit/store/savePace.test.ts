import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { deferred } from '../../../src/runtime/deferred';
import { isOrderFlowError } from '../../../src/runtime/errors';
import { MemoryStore } from '../../../src/store/memoryStore';
import { momentOf } from '../../../src/store/writers/moments';
import { RecordWriter } from '../../../src/store/writers/recordWriter';
import { HandMadeView } from '../../support/handMadeView';

const PERIOD_MS = 1_000;
const STEP_MS = 1;
let store: MemoryStore;
let writers: RecordWriter[];

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate'] });
  store = new MemoryStore();
  writers = [];
});
afterEach(async () => {
  await Promise.all(writers.map((writer) => writer.close()));
  await store.close();
  jest.useRealTimers();
});

/** @param prepare changes the writer's own handle of the store */
function write(view: HandMadeView, prepare: (handle: MemoryStore) => void = () => undefined): RecordWriter {
  const handle = store.share() as MemoryStore;
  prepare(handle);
  const { symbol } = view;
  const writer = new RecordWriter(handle, { recordKey: symbol, feedKey: `${symbol}-feed` });
  writer.add({ view, levels: 5, saveEveryMs: PERIOD_MS, ttlMs: 60_000, updateSpeedMs: 100 });
  writers.push(writer);
  return writer;
}

/** Every book changes, twenty times a second. */
async function changing(views: readonly HandMadeView[], ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    if (passed % 50 === 0) {
      for (const view of views) view.lastUpdateId++;
      for (const writer of writers) writer.onBook();
    }
    await jest.advanceTimersByTimeAsync(STEP_MS);
  }
}

async function stateOf(symbol: string): Promise<string> {
  const [found] = await store.readBooks([symbol]);
  if (found === null || isOrderFlowError(found)) throw found ?? new Error('no record');
  return found.record.state;
}

/** A writer whose first save is under way: its reply comes when the test lets it. */
async function writeSlowly(view: HandMadeView): Promise<{ writer: RecordWriter; replyComes: () => void }> {
  const reply = deferred<void>();
  let isOut = false;
  const writer = write(view, (handle) => {
    const save = handle.save.bind(handle);
    handle.save = async (...args) => {
      const written = await save(...args);
      isOut = true;
      await reply.promise;
      return written;
    };
  });
  await changing([view], 10);
  expect(isOut).toBe(true);
  return { writer, replyComes: reply.resolve };
}

test('a moment begins at or shortly before a time, and is the same for all times in it', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.integer({ min: 1, max: 10_000 }),
      (at, period) => {
        const begin = momentOf(at, period);
        const longest = Math.max(1, period / 50);
        // A quotient may be rounded up to a whole number.
        expect(begin).toBeLessThanOrEqual(at + 1e-6);
        expect(at - begin).toBeLessThan(longest + 1e-6);
        expect(momentOf(begin + longest / 2, period)).toBe(begin);
      },
    ),
  );
});

test('saves of many symbols begin at common moments, each at the pace of its own', async () => {
  const times = new Map<string, number[]>();
  const views = Array.from({ length: 200 }, (_, i) => new HandMadeView(`S${i}USDT`));
  for (const view of views)
    write(view, (handle) => {
      const save = handle.save.bind(handle);
      handle.save = (key, request) => {
        times.set(key, [...(times.get(key) ?? []), performance.now()]);
        return save(key, request);
      };
    });
  await changing(views, 4_000);
  const later = [...times.values()].map((all) => all.slice(2));
  for (const [first, second] of later) expect(second - first).toBeCloseTo(PERIOD_MS, -1);
  // Two hundred saves a second, fifty moments, and a timer may be late by a millisecond.
  const moments = new Set(later.map(([first]) => Math.floor(first % PERIOD_MS)));
  expect(moments.size).toBeLessThanOrEqual(100);
  expect(moments.size).toBeGreaterThan(20);
});

test('a book that changes all the time is read once a save', async () => {
  const view = new HandMadeView();
  const writer = write(view);
  await changing([view], 3_000);
  const [reads, { saves }] = [view.reads, writer.stats()];
  await changing([view], 10_000);
  expect(writer.stats().saves - saves).toBe(10);
  expect(view.reads - reads).toBe(10);
});

test('a feed that fails while a save is under way is marked as soon as the reply is there', async () => {
  const view = new HandMadeView();
  const { writer, replyComes } = await writeSlowly(view);
  view.state = 'backing-off';
  writer.onStatus();
  expect(await stateOf(view.symbol)).toBe('live');
  replyComes();
  await turn();
  expect(await stateOf(view.symbol)).toBe('syncing');
});

test('a reply that comes while the writer closes plans nothing', async () => {
  const { writer, replyComes } = await writeSlowly(new HandMadeView());
  const closed = writer.close();
  replyComes();
  await closed;
  expect(jest.getTimerCount()).toBe(0);
});
