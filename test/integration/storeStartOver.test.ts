import { openStore } from '../../src/store/openStore';
import { LOWER_ID_GRACE_MS, RecordWriter } from '../../src/store/writers/recordWriter';
import type { OrderBookRecord, SnapshotStore } from '../../src/store/types';
import { until } from '../support/feedHarness';
import { HandMadeView } from '../support/handMadeView';

let counter = 0;
let store: SnapshotStore;
let writer: RecordWriter;
const view = new HandMadeView();

/** A writer whose record is read back. @param wrap changes its store */
async function start(wrap: (store: SnapshotStore) => SnapshotStore = (same) => same) {
  const key = `start-over-${counter++}`;
  store = openStore({ kind: 'memory' });
  Object.assign(view, { state: 'live', lastUpdateId: 1_000, syncGeneration: 1 });
  writer = new RecordWriter(wrap(store.share()), { recordKey: key, feedKey: `${key}-feed` });
  writer.add({ view, levels: 5, saveEveryMs: 10, ttlMs: 60_000, updateSpeedMs: 100 });
  let record: OrderBookRecord | null = null;
  return async (as: (record: OrderBookRecord) => boolean, what: string, timeoutMs?: number) => {
    const timer = setInterval(() => {
      void store.readBooks([key]).then(([found]) => {
        if (found !== null && 'record' in found) record = found.record;
      });
    }, 2);
    await until(() => record !== null && as(record), what, timeoutMs).finally(() => clearInterval(timer));
    return record as unknown as OrderBookRecord;
  };
}

/** The book moves on, by as much as it does in the field. */
async function moving(act: () => Promise<unknown>): Promise<void> {
  const timer = setInterval(() => {
    view.lastUpdateId += 5;
    writer.onBook();
  }, 10);
  await act().finally(() => clearInterval(timer));
}

afterEach(async () => {
  await writer.close();
  await store.close();
});

test('ids that start over behind a record that says "syncing" get a new epoch at once', async () => {
  const seen = await start();
  const { epoch } = await seen(({ lastUpdateId }) => lastUpdateId === 1_000, 'the first book');
  view.state = 'syncing';
  writer.onStatus();
  await seen(({ state }) => state === 'syncing', 'said so');
  Object.assign(view, { state: 'live', lastUpdateId: 10, syncGeneration: 2 });
  writer.onStatus();
  await moving(() =>
    seen((record) => record.epoch > epoch && record.state === 'live', 'a new epoch', LOWER_ID_GRACE_MS / 3),
  );
});

test('and in the end also where the reply to the last save was lost', async () => {
  let lose = false;
  const seen = await start((inner) => {
    const save = inner.save.bind(inner);
    inner.save = async (key, request) => {
      const reply = await save(key, request);
      if (!lose) return reply;
      lose = false;
      throw new Error('the reply was lost');
    };
    return inner;
  });
  const { epoch } = await seen(({ lastUpdateId }) => lastUpdateId === 1_000, 'the first book');
  lose = true;
  view.lastUpdateId = 2_000;
  writer.onBook();
  await seen(({ lastUpdateId }) => lastUpdateId === 2_000, 'saved, though nobody was reported');
  Object.assign(view, { lastUpdateId: 10, syncGeneration: 2 });
  await moving(() => seen((record) => record.epoch > epoch, 'a new epoch', 2 * LOWER_ID_GRACE_MS + 2_000));
});
