import { isOrderFlowError } from '../../../src/runtime/errors';
import { openStore } from '../../../src/store/openStore';
import { RecordWriter } from '../../../src/store/recordWriter';
import type { OrderBookRecord, SnapshotStore } from '../../../src/store/types';
import { HandMadeView } from '../../support/handMadeView';
import { credentialsOf } from '../../support/storeFixtures';
import { Random } from '../random';
import { must, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { noRedisConnectionLeft, sharedRedis } from '../sharedRedis';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
let counter = 0;

/** Reads a record over and over; each has to be whole and none may be older than the one before. */
class RecordWatch {
  readonly epochs = new Set<number>();
  seen = 0;
  newest: OrderBookRecord | null = null;
  private wrong: string | null = null;
  private running = true;
  private readonly done: Promise<void>;

  constructor(
    private readonly store: SnapshotStore,
    private readonly key: string,
  ) {
    this.done = this.watch();
  }

  private async watch(): Promise<void> {
    while (this.running) {
      const [found] = await this.store.readBooks([this.key]);
      if (found !== null && !isOrderFlowError(found)) this.look(found.record);
      else if (isOrderFlowError(found)) this.wrong ??= found.message;
      await pause(1);
    }
  }

  private look(record: OrderBookRecord): void {
    this.seen++;
    const last = this.newest;
    const { epoch, lastUpdateId } = record;
    if (last !== null && (epoch < last.epoch || (epoch === last.epoch && lastUpdateId < last.lastUpdateId)))
      this.wrong ??= `went back from ${last.epoch}/${last.lastUpdateId} to ${epoch}/${lastUpdateId}`;
    const levels = [...record.bids, ...record.asks];
    // Each level of a hand-made book bears the book's id: a torn record shows.
    if (levels.length === 0 || levels.some(([, quantity]) => quantity !== String(lastUpdateId)))
      this.wrong ??= `the record at ${lastUpdateId} is torn`;
    this.epochs.add(epoch);
    this.newest = record;
  }

  async end(): Promise<void> {
    this.running = false;
    await this.done;
    must(this.wrong === null, () => `the record ${this.wrong}`);
  }
}

/** How often the right to write may change hands while both writers live and neither stops: once. */
const MOST_EPOCHS = 3;

/** @param wrap puts a hand-made bug into each writer's store */
export async function twoWritersWith(
  seed: number,
  wrap: (store: SnapshotStore) => SnapshotStore = (store) => store,
): Promise<RunResult> {
  const random = new Random(seed);
  const server = await sharedRedis();
  const name = `examples/faults-writers-${process.pid}-${counter++}`;
  const target = { recordKey: `${name}-orderbook`, feedKey: `${name}-feed` };
  const store = openStore({ kind: 'redis', credentials: credentialsOf(server) });
  const views = [new HandMadeView(), new HandMadeView()];
  const writers: RecordWriter[] = [];
  const begin = (view: HandMadeView): void => {
    const writer = new RecordWriter(wrap(store.share()), target);
    writer.add({ view, levels: 5, saveEveryMs: random.whole(5, 20), ttlMs: 60_000, updateSpeedMs: 100 });
    writers.push(writer);
  };
  const watch = new RecordWatch(store, target.recordKey);
  let recoverMs: number;
  try {
    for (const view of views) view.lastUpdateId = random.whole(1_000, 2_000);
    begin(views[0]);
    await pause(random.whole(0, 60));
    begin(views[1]);
    // Two feeds of one symbol: now the one is ahead, now the other.
    for (let i = 0; i < 60; i++) {
      const view = random.pick(views);
      view.lastUpdateId += random.whole(1, 30);
      for (const writer of writers) writer.onBook();
      await pause(random.whole(0, 8));
    }
    must(
      watch.epochs.size <= MOST_EPOCHS,
      `${watch.epochs.size} epochs: the writers take the record from each other`,
    );
    // One holds it and stops: the other takes over, by a newer epoch.
    // A writer that lost the record learns so from its next write, at the latest a heartbeat.
    const tenures = (): string =>
      writers
        .map((writer) => writer.stats().tenure)
        .sort()
        .join();
    const settleBy = performance.now() + 3_000;
    while (tenures() !== 'hold,standby') {
      must(performance.now() < settleBy, () => `not one holder and one in waiting but ${tenures()}`);
      await pause(5);
    }
    const holder = writers.findIndex((writer) => writer.stats().tenure === 'hold');
    const epoch = writers[holder].stats().epoch;
    const begun = performance.now();
    await writers[holder].close('stopped');
    const other = views[1 - holder];
    while (watch.newest?.lastUpdateId !== other.lastUpdateId || watch.newest.state !== 'live') {
      must(performance.now() - begun < 5_000, 'nobody took over');
      await pause(2);
    }
    recoverMs = performance.now() - begun;
    must(watch.newest.epoch > epoch, 'taken over without a newer epoch');
  } finally {
    await Promise.all(writers.map((writer) => writer.close('stopped')));
    const ended = watch.end();
    await ended.finally(() => store.close()).finally(noRedisConnectionLeft);
  }
  return { recoverMs };
}

export const writerRows: readonly Scenario[] = [
  {
    id: 15,
    name: 'two writers',
    what: 'two writers on one record in Redis, now one ahead, now the other; then the holder stops',
    expected: 'no record goes back or is torn; the epoch decides; the one in waiting takes over',
    maxRuns: REAL_RUNS,
    prepare: async () => void (await sharedRedis()),
    run: (seed) => twoWritersWith(seed),
  },
];
