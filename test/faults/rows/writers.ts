import { RecordWriter } from '../../../src/store/writers/recordWriter';
import type { SnapshotStore } from '../../../src/store/types';
import { HandMadeView } from '../../support/handMadeView';
import { Random } from '../random';
import { ofHandMadeView, RecordWatch } from '../recordWatch';
import { must, EVERY_RUN, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { pause, until } from '../scene';
import { withPlace } from '../recordPlace';
import { sharedRedis } from '../sharedRedis';
import { differentLevels } from './writerLevels';
import { leadershipChanges, stalledHolder } from './writerFeeds';

/** How often the right to write may change hands while both writers live and neither stops: once. */
const MOST_EPOCHS = 3;

/** @param wrap puts a hand-made bug into each writer's store */
export function twoWritersWith(
  seed: number,
  wrap: (store: SnapshotStore) => SnapshotStore = (store) => store,
  kind: 'redis' | 'memory' = 'redis',
): Promise<RunResult> {
  return withPlace(kind, async ({ store, target }) => {
    const random = new Random(seed);
    const views = [new HandMadeView(), new HandMadeView()];
    const writers: RecordWriter[] = [];
    const begin = (view: HandMadeView): void => {
      const writer = new RecordWriter(wrap(store.share()), target);
      writer.add({ view, levels: 5, saveEveryMs: random.whole(5, 20), ttlMs: 60_000, updateSpeedMs: 100 });
      writers.push(writer);
    };
    const watch = new RecordWatch(store, target.recordKey, ofHandMadeView);
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
      const roles = (): string =>
        writers
          .map((writer) => writer.stats().role)
          .sort()
          .join();
      await until(
        () => roles() === 'hold,standby',
        () => `not one holder and one in waiting but ${roles()}`,
        3_000,
      );
      const holder = writers.findIndex((writer) => writer.stats().role === 'hold');
      const { epoch } = writers[holder].stats();
      await writers[holder].close();
      const other = views[1 - holder];
      const recoverMs = await watch.until(
        (record) => record.lastUpdateId === other.lastUpdateId && record.state === 'live',
        'the other takes over',
      );
      must((watch.newest?.epoch ?? 0) > epoch, 'taken over without a newer epoch');
      return { recoverMs };
    } finally {
      await Promise.all(writers.map((writer) => writer.close()));
      await watch.end();
    }
  });
}

/** Row 15. */
function writers(seed: number): Promise<RunResult> {
  const kind = Math.floor(seed / 4) % 2 === 0 ? 'redis' : 'memory';
  switch (seed % 4) {
    case 0:
      return twoWritersWith(seed, undefined, kind);
    case 1:
      return leadershipChanges(seed, kind);
    case 2:
      return differentLevels(seed, kind);
    default:
      return stalledHolder(seed);
  }
}

export const writerRows: readonly Scenario[] = [
  {
    id: 15,
    name: 'two writers',
    what: 'two writers, feeds or processes on one record, in Redis and in memory; a change of leader in mid-sync, a holder that is stopped, killed or stands still, ids that start over, different levels',
    expected:
      'no record goes back or is torn; the epoch decides; the deeper stays; no trigger emits more than its share',
    maxRuns: REAL_RUNS,
    prepare: async () => void (await sharedRedis()),
    variants: 8,
    recovers: EVERY_RUN,
    run: writers,
  },
];
