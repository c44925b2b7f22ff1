import { isOrderFlowError, type OrderFlowError } from '../../src/runtime/errors';
import { monotonicMs } from '../../src/runtime/time';
import { openStore } from '../../src/store/openStore';
import { acquireWriter, type WriterHandle } from '../../src/store/writers/snapshotWriter';
import type { SnapshotStore } from '../../src/store/types';
import { HandMadeView } from './handMadeView';

const UPDATE_EVERY_MS = 20;
/** What a read may be older than it says, for clocks are read in whole milliseconds and over a socket. */
const SLACK_MS = 100;

/** A record that a trigger's writer keeps while the servers fail, and what a check reads of it meanwhile. */
export class RecordUnderWrites {
  private readonly view = new HandMadeView();
  private readonly writing: SnapshotStore;
  private readonly reading: SnapshotStore;
  private readonly writer: WriterHandle;
  private readonly updating: NodeJS.Timeout;
  private readonly loop: Promise<void>;
  private closed = false;
  /** When each book was replaced by the next. */
  private readonly replacedAt = new Map<number, number>();
  private newestEpoch = 0;
  /** Reads that gave a book, and what was wrong with any of them. */
  reads = 0;
  readonly wrong: string[] = [];
  readonly failures = new Set<string>();
  private writerSays = 'no error';
  private newestReadId = 0;

  /** @param readers values of a credential for the same place with an identity of its own, as in another process */
  constructor(
    readonly key: string,
    writers: object,
    readers: object,
  ) {
    this.writing = openStore({ kind: 'redis', credentials: writers }, { keepConnected: true });
    this.reading = openStore({ kind: 'redis', credentials: readers });
    const target = { recordKey: key, feedKey: `${key}-feed` };
    const onError = (error: OrderFlowError | null) => void (this.writerSays = error?.message ?? 'no error');
    const source = {
      view: this.view,
      levels: 5,
      saveEveryMs: 50,
      ttlMs: 60_000,
      updateSpeedMs: 100,
      onError,
    };
    this.writer = acquireWriter(this.writing, target, source);
    this.updating = setInterval(() => {
      this.replacedAt.set(this.view.lastUpdateId++, monotonicMs());
      this.writer.onBook();
    }, UPDATE_EVERY_MS);
    this.loop = this.readOn();
  }

  /** Waits until a book is read that is newer than what there is now. @returns when, by the monotonic clock */
  async back(limitMs: number): Promise<number> {
    const [from, end] = [this.view.lastUpdateId, monotonicMs() + limitMs];
    while (this.newestReadId <= from) {
      if (monotonicMs() > end) throw new Error(this.situation());
      await wait(10);
    }
    return monotonicMs();
  }

  private situation(): string {
    const writer = `${this.writerSays}, ${JSON.stringify(this.writer.stats())}`;
    return `no newer book in ${this.reads} reads; readers: ${[...this.failures].join(', ')}; writer: ${writer}`;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.updating);
    await this.loop;
    await this.writer.release();
    await Promise.all([this.writing.close(), this.reading.close()]);
  }

  private async readOn(): Promise<void> {
    while (!this.closed) {
      await this.readOnce().catch((error: unknown) =>
        this.failures.add(isOrderFlowError(error) ? error.message : String(error)),
      );
      await wait(20);
    }
  }

  private async readOnce(): Promise<void> {
    const startedAt = monotonicMs();
    const [result] = await this.reading.readBooks([this.key]);
    if (isOrderFlowError(result)) throw result;
    if (result === null) return;
    this.reads++;
    const { record, ageMs } = result;
    const { lastUpdateId, epoch, bids, asks } = record;
    // At least so old was the book when the server looked: the reply may have waited for a busy test.
    const trueAge = startedAt - (this.replacedAt.get(lastUpdateId) ?? startedAt);
    if ([...bids, ...asks].some(([, quantity]) => quantity !== String(lastUpdateId)))
      this.wrong.push(`a torn book ${lastUpdateId}`);
    if (trueAge > ageMs + SLACK_MS) this.wrong.push(`${lastUpdateId} says ${ageMs} ms, is ${trueAge} ms old`);
    if (epoch < this.newestEpoch)
      this.wrong.push(`a book of an old server: ${epoch} after ${this.newestEpoch}`);
    this.newestEpoch = Math.max(this.newestEpoch, epoch);
    this.newestReadId = Math.max(this.newestReadId, lastUpdateId);
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
