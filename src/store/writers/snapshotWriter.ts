import { Leases } from '../../runtime/leases';
import { processShared } from '../../runtime/processShared';
import { RecordWriter, type WriterTarget } from './recordWriter';
import type { SnapshotStore } from '../types';
import type { ReleaseOptions, WriterHandle, WriterSource } from './writerTypes';

export type { ReleaseOptions, WriterHandle, WriterSource, WriterStats } from './writerTypes';
export type { WriterTarget } from './recordWriter';

const writers = (): Leases<RecordWriter> =>
  processShared('snapshotWriters', 2, () => new Leases({ close: (writer) => writer.close() }));

/**
 * A share in the process's writer of this record. Triggers that ask for different levels or intervals share one
 * writer: it keeps the deepest levels at the smallest interval.
 * @param store stays the caller's; the writer opens its own handle
 */
export function acquireWriter(
  store: SnapshotStore,
  target: WriterTarget,
  source: WriterSource,
): WriterHandle {
  const { value: writer, release } = writers().acquire(
    `${store.identity}|${target.recordKey}`,
    () => new RecordWriter(store.share(), target),
  );
  // A new source for each call, so that the same object given twice counts twice.
  const own = { ...source };
  writer.add(own);
  return {
    onBook: () => writer.onBook(),
    onStatus: () => writer.onStatus(),
    get standby() {
      return writer.standby;
    },
    stats: () => writer.stats(),
    release({ graceMs = 0, left = false }: ReleaseOptions = {}) {
      writer.remove(own, left);
      return release(graceMs);
    },
  };
}

/** For status pages and leak checks. */
export function writerInventory(): number {
  return writers().inventory().values;
}
