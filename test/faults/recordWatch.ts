import { isOrderFlowError } from '../../src/runtime/errors';
import type { OrderBookRecord, SnapshotStore } from '../../src/store/types';
import { must } from './scenario';

/** Says what is wrong with a record in itself, or nothing. */
export type WholeCheck = (record: OrderBookRecord) => string | null;

/** Each level of a hand-made book contains the book's id: a torn record shows. */
export const ofHandMadeView: WholeCheck = ({ lastUpdateId, bids, asks }) => {
  const levels = [...bids, ...asks];
  const torn = levels.length === 0 || levels.some(([, quantity]) => quantity !== String(lastUpdateId));
  return torn ? `at ${lastUpdateId} is torn` : null;
};

/** Reads a record over and over; each has to be whole and none may be older than the one before. */
export class RecordWatch {
  readonly epochs = new Set<number>();
  newest: OrderBookRecord | null = null;
  private wrong: string | null = null;
  private running = true;
  private readonly done: Promise<void>;

  /** @param store the caller's, who closes it after `end` */
  constructor(
    private readonly store: SnapshotStore,
    private readonly key: string,
    private readonly whole: WholeCheck,
  ) {
    this.done = this.watch();
  }

  /** Waits until the record is as asked for. @returns milliseconds */
  async until(
    as: (record: OrderBookRecord) => boolean,
    what: string | (() => string),
    limitMs = 6_000,
  ): Promise<number> {
    const begun = performance.now();
    while (this.newest === null || !as(this.newest)) {
      const { epoch, lastUpdateId, state, levels } = this.newest ?? {};
      must(performance.now() - begun < limitMs, () => {
        return `not within ${limitMs} ms: ${typeof what === 'string' ? what : what()}; the record is ${epoch}/${lastUpdateId}, ${state}, ${levels} levels`;
      });
      await pause(2);
    }
    return performance.now() - begun;
  }

  /** @throws Error with what was wrong with any record so far */
  async end(): Promise<void> {
    this.running = false;
    await this.done;
    must(this.wrong === null, () => `the record ${this.wrong}`);
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
    const last = this.newest;
    const { epoch, lastUpdateId } = record;
    if (last !== null && (epoch < last.epoch || (epoch === last.epoch && lastUpdateId < last.lastUpdateId)))
      this.wrong ??= `went back from ${last.epoch}/${last.lastUpdateId} to ${epoch}/${lastUpdateId}`;
    this.wrong ??= this.whole(record);
    this.epochs.add(epoch);
    this.newest = record;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
