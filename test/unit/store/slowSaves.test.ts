import { isOrderFlowError } from '../../../src/runtime/errors';
import { MemoryStore } from '../../../src/store/memoryStore';
import { RecordWriter } from '../../../src/store/writers/recordWriter';
import { MAX_SAVE_EVERY_MS, TAKEOVER_MS } from '../../../src/store/saveRule';
import type { StoredBook } from '../../../src/store/types';
import { readTriggerSettings } from '../../../src/trigger/settings';
import { HandMadeView } from '../../support/handMadeView';

/** A minute of a symbol whose book is saved seldom takes no time here. */
const STEP_MS = 100;
let counter = 0;
let store: MemoryStore;
let target: { recordKey: string; feedKey: string };
const writers: RecordWriter[] = [];

beforeEach(() => {
  jest.useFakeTimers();
  store = new MemoryStore();
  target = { recordKey: `slow-${counter}`, feedKey: `slow-${counter++}-feed` };
});
afterEach(async () => {
  await Promise.all(writers.splice(0).map((writer) => writer.close()));
  await store.close();
  jest.useRealTimers();
});

const source = (view: HandMadeView, saveEveryMs: number) => ({
  ...{ view, levels: 5, saveEveryMs, ttlMs: 60_000, updateSpeedMs: 100 },
});

function write(view: HandMadeView, saveEveryMs: number): RecordWriter {
  const writer = new RecordWriter(store.share(), target);
  writer.add(source(view, saveEveryMs));
  writers.push(writer);
  return writer;
}

async function record(): Promise<StoredBook> {
  const [found] = await store.readBooks([target.recordKey]);
  if (found === null || isOrderFlowError(found)) throw found ?? new Error('no record');
  return found;
}

/** The book changes ten times a second. */
async function changing(view: HandMadeView, ms: number, look: () => Promise<void> | void): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    view.lastUpdateId++;
    for (const writer of writers) writer.onBook();
    await jest.advanceTimersByTimeAsync(STEP_MS);
    await look();
  }
}

test.each([
  ['a second n8n that saves as seldom', MAX_SAVE_EVERY_MS],
  ['one that saves each second', 1_000],
])('a book that is saved seldom is not taken over by %s', async (_, saveEveryMs) => {
  const view = new HandMadeView();
  // Known to be live a while ago: so the record may be older than the time between two saves.
  view.liveAgeMs = 900;
  const other = write(view, saveEveryMs);
  // The last to claim holds it; the other waits from the first write whose reply says so.
  await jest.advanceTimersByTimeAsync(200);
  const holder = write(view, MAX_SAVE_EVERY_MS);
  await changing(view, 3_000, () => undefined);
  const { epoch } = (await record()).record;
  expect(holder.stats()).toMatchObject({ role: 'hold', epoch });
  let oldest = 0;
  await changing(view, 60_000, async () => {
    oldest = Math.max(oldest, (await record()).ageMs);
  });
  expect((await record()).record).toMatchObject({ epoch, saveEveryMs: MAX_SAVE_EVERY_MS, state: 'live' });
  expect(other.stats().role).toBe('standby');
  // And it does not claim in between that the book of then is the one of now.
  expect(oldest).toBeGreaterThan(TAKEOVER_MS);
});

test('a holder that is gone is followed after two of its saves', async () => {
  const view = new HandMadeView();
  // As when its process was killed: it can no longer say in the record that it stops.
  const dying = store.share();
  dying.mark = () => Promise.reject(new Error('killed'));
  const other = write(view, 1_000);
  await jest.advanceTimersByTimeAsync(200);
  const gone = new RecordWriter(dying, target);
  gone.add(source(view, 8_000));
  await changing(view, 3_000, () => undefined);
  expect(other.standby).toBe(true);
  const { epoch } = (await record()).record;
  await gone.close();
  await changing(view, 12_000, () => undefined);
  expect((await record()).record.epoch).toBe(epoch);
  await changing(view, 4_000, () => undefined);
  expect((await record()).record.epoch).toBeGreaterThan(epoch);
});

test('a record that is to be saved less often says so at its old pace', async () => {
  const view = new HandMadeView();
  const writer = write(view, 10_000);
  const quick = source(view, 200);
  writer.add(quick);
  await changing(view, 1_000, () => undefined);
  expect((await record()).record.saveEveryMs).toBe(200);
  writer.remove(quick);
  await changing(view, 400, () => undefined);
  expect((await record()).record.saveEveryMs).toBe(10_000);
  const { saves } = writer.stats();
  await changing(view, 5_000, () => undefined);
  expect(writer.stats().saves).toBe(saves);
});

test('symbols that begin together are not saved together from then on', async () => {
  const view = new HandMadeView();
  for (let i = 0; i < 50; i++) {
    target = { recordKey: `${target.recordKey}-${i}`, feedKey: `${target.feedKey}-${i}` };
    write(view, 1_000);
  }
  const saved = () => writers.reduce((sum, writer) => sum + writer.stats().saves, 0);
  await changing(view, 3_000, () => undefined);
  let before = saved();
  let most = 0;
  await changing(view, 1_000, () => {
    most = Math.max(most, saved() - before);
    before = saved();
  });
  // Five of them in a tenth of a second, give or take.
  expect(most).toBeLessThan(25);
});

describe('the fields Save Every and Snapshot TTL', () => {
  const settings = (options: object) =>
    readTriggerSettings((name) =>
      name === 'options' ? options : { market: 'spot', symbols: 'BTCUSDT' }[name],
    );

  test('allow ten seconds and no more', () => {
    expect(settings({ saveEvery: 10 }).saveEveryMs).toBe(MAX_SAVE_EVERY_MS);
    expect(() => settings({ saveEvery: 10.1 })).toThrow(/Save Every.*to 10\b/);
  });

  test('are refused, both by name, where no snapshot would outlive the wait for the next', () => {
    for (const [saveEvery, snapshotTtl] of [
      [10, 10],
      [10, 5],
      [5, 5],
    ])
      expect(() => settings({ saveEvery, snapshotTtl })).toThrow(/Snapshot TTL.*Save Every/);
    expect(settings({ saveEvery: 5, snapshotTtl: 5.1 }).snapshotTtlMs).toBe(5_100);
    // As they are unless somebody sets them, and with the shortest TTL alone.
    expect(settings({ snapshotTtl: 5 })).toMatchObject({ saveEveryMs: 1_000, snapshotTtlMs: 5_000 });
  });
});
