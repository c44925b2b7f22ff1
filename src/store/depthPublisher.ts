import { toOrderFlowError, type OrderFlowError } from '../runtime/errors';
import type { SnapshotStore } from './types';

/** Depth events of one symbol that may wait for the store; more are passed over and counted. */
export const MAX_EVENTS_IN_FLIGHT = 1_000;
/** The same in bytes. */
export const MAX_EVENT_BYTES_IN_FLIGHT = 4 * 1024 * 1024;

export interface PublishStats {
  readonly published: number;
  /** Passed over because too many were waiting. */
  readonly dropped: number;
  readonly failed: number;
}

/** Sends depth events to their topic as they come, several in flight. Safe to call in the receive path: it never throws. */
export class DepthPublisher {
  private waiting = 0;
  private waitingBytes = 0;
  private published = 0;
  private dropped = 0;
  private failed = 0;
  private errorCode: string | null = null;

  /** @param onError called when publishing begins to fail, fails otherwise, or works again (null) */
  constructor(
    private readonly store: SnapshotStore,
    private readonly topic: string,
    private readonly onError: (error: OrderFlowError | null) => void = () => undefined,
  ) {}

  publish(event: Buffer): void {
    const bytes = event.length;
    if (this.waiting >= MAX_EVENTS_IN_FLIGHT || this.waitingBytes + bytes > MAX_EVENT_BYTES_IN_FLIGHT) {
      this.dropped++;
      return;
    }
    this.waiting++;
    this.waitingBytes += bytes;
    this.store.publish(this.topic, event).then(
      () => {
        this.settle(bytes);
        this.published++;
        this.report(null);
      },
      (error: unknown) => {
        this.settle(bytes);
        this.failed++;
        this.report(toOrderFlowError(error));
      },
    );
  }

  stats(): PublishStats {
    return { published: this.published, dropped: this.dropped, failed: this.failed };
  }

  private settle(bytes: number): void {
    this.waiting--;
    this.waitingBytes -= bytes;
  }

  private report(error: OrderFlowError | null): void {
    const code = error === null ? null : error.code;
    if (code === this.errorCode) return;
    this.errorCode = code;
    this.onError(error);
  }
}
