import { RecordWriter } from '../../../src/store/writers/recordWriter';
import { acquireWriter, type WriterHandle } from '../../../src/store/writers/snapshotWriter';
import { HandMadeView } from '../../support/handMadeView';
import { Random } from '../random';
import { ofHandMadeView, RecordWatch } from '../recordWatch';
import { must, type RunResult } from '../scenario';
import { pause, until } from '../scene';
import { withPlace } from '../recordPlace';

/** Two triggers of one n8n and one of another, with different levels on one symbol: the deeper record stays. */
export function differentLevels(seed: number, kind: 'redis' | 'memory'): Promise<RunResult> {
  return withPlace(kind, async ({ store, target }) => {
    const random = new Random(seed);
    const view = new HandMadeView();
    const shallow = random.whole(1, 9);
    const deep = shallow + random.whole(2, 20);
    const source = (levels: number) => ({
      ...{ view, levels, saveEveryMs: random.whole(5, 20), ttlMs: 60_000, updateSpeedMs: 100 },
    });
    const watch = new RecordWatch(store, target.recordKey, ofHandMadeView);
    const epochs = (): number => watch.epochs.size;
    const handles: WriterHandle[] = [];
    const others: RecordWriter[] = [];
    const acquire = (levels: number): WriterHandle => {
      const handle = acquireWriter(store, target, source(levels));
      handles.push(handle);
      return handle;
    };
    /** As another process has it. */
    const other = (levels: number): RecordWriter => {
      const writer = new RecordWriter(store.share(), target);
      writer.add(source(levels));
      others.push(writer);
      return writer;
    };
    const move = async (ms: number): Promise<void> => {
      const end = performance.now() + ms;
      while (performance.now() < end) {
        view.lastUpdateId += random.whole(1, 9);
        for (const handle of handles) handle.onBook();
        for (const writer of others) writer.onBook();
        await pause(random.whole(0, 6));
      }
    };
    try {
      const first = acquire(random.chance(0.5) ? shallow : deep);
      await move(random.whole(0, 60));
      const second = acquire(first.stats().epoch % 2 === 0 ? deep : deep + 1);
      await move(60);
      await watch.until(({ levels }) => levels >= deep, 'the deeper of both');
      const most = watch.newest?.levels ?? 0;
      const { epoch } = first.stats();

      const waiting = other(random.whole(1, shallow));
      await until(() => waiting.stats().role === 'standby', 'one with fewer levels stands by');
      await move(150);
      must(epochs() === 1 && watch.newest?.epoch === epoch, 'fewer levels took the record');
      must(watch.newest?.levels === most, () => `${watch.newest?.levels} levels and not ${most}`);

      const deeper = other(most + random.whole(1, 9));
      const recoverMs = await watch.until(({ levels }) => levels > most, 'one with more levels takes over');
      must((watch.newest?.epoch ?? 0) > epoch, 'taken over without a newer epoch');
      await move(150);
      must(epochs() === 2, () => `${epochs()} epochs of two holders`);
      await until(() => second.standby, 'the former holder stands by');
      must(deeper.stats().role === 'hold', 'the deeper does not hold the record');
      return { recoverMs };
    } finally {
      await Promise.all([...handles.map((handle) => handle.release()), ...others.map((one) => one.close())]);
      await watch.end();
    }
  });
}
