import { processShared } from '../runtime/processShared';
import { RecordWriter, type WriterTarget } from './recordWriter';
import type { SnapshotStore } from './types';
import type { ReleaseOptions, WriterHandle, WriterSource } from './writerTypes';

export type { ReleaseOptions, WriterHandle, WriterSource, WriterStats } from './writerTypes';
export type { WriterTarget } from './recordWriter';

interface Shared {
  readonly writer: RecordWriter;
  graceTimer: NodeJS.Timeout | undefined;
}

const writers = (): Map<string, Shared> =>
  processShared('snapshotWriters', 1, () => new Map<string, Shared>());

/**
 * A share in the process's writer of this record. Triggers that ask for different levels or intervals share one
 * writer: it keeps the deepest levels at the smallest interval.
 * @param store stays the caller's; the writer opens a handle of its own
 */
export function acquireWriter(
  store: SnapshotStore,
  target: WriterTarget,
  source: WriterSource,
): WriterHandle {
  const identity = `${store.identity}|${target.recordKey}`;
  let shared = writers().get(identity);
  if (shared === undefined) {
    shared = { writer: new RecordWriter(store.share(), target), graceTimer: undefined };
    writers().set(identity, shared);
  }
  clearTimeout(shared.graceTimer);
  shared.graceTimer = undefined;
  const { writer } = shared;
  // A source of one's own, so that the same object given twice counts twice.
  const own = { ...source };
  writer.add(own);
  const held = shared;
  let released: Promise<void> | null = null;
  return {
    onBook: () => writer.onBook(),
    onStatus: () => writer.onStatus(),
    get standby() {
      return writer.standby;
    },
    stats: () => writer.stats(),
    release: (options) => (released ??= release(identity, held, own, options)),
  };
}

async function release(
  identity: string,
  shared: Shared,
  source: WriterSource,
  options: ReleaseOptions = {},
): Promise<void> {
  const { graceMs = 0, leave = 'stopped' } = options;
  shared.writer.remove(source);
  if (!shared.writer.idle) {
    shared.writer.onStatus();
    return;
  }
  const finish = async () => {
    if (writers().get(identity) === shared) writers().delete(identity);
    await shared.writer.close(leave);
  };
  if (graceMs <= 0) return finish();
  shared.graceTimer = setTimeout(() => void finish(), graceMs);
  shared.graceTimer.unref();
}

/** For status pages and leak checks. */
export function writerInventory(): number {
  return writers().size;
}
