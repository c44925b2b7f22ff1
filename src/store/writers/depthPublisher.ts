import { toOrderFlowError, type OrderFlowError } from '../../runtime/errors';
import { Leases } from '../../runtime/leases';
import { processShared } from '../../runtime/processShared';
import type { SnapshotStore } from '../types';

/** Depth events of one symbol that may wait for the store; more are passed over and counted. */
const MAX_EVENTS_IN_FLIGHT = 1_000;
/** The same in bytes. */
const MAX_EVENT_BYTES_IN_FLIGHT = 4 * 1024 * 1024;

export interface PublishStats {
  readonly published: number;
  /** Passed over because too many were waiting. */
  readonly dropped: number;
  readonly failed: number;
}

type OnError = (error: OrderFlowError | null) => void;

/** Sends depth events to their topic as they come, several in flight. */
class TopicPublisher {
  readonly handles: DepthPublisher[] = [];
  private waiting = 0;
  private waitingBytes = 0;
  private published = 0;
  private dropped = 0;
  private failed = 0;
  private error: OrderFlowError | null = null;

  constructor(
    private readonly store: SnapshotStore,
    private readonly topic: string,
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

  close(): Promise<void> {
    return this.store.close();
  }

  private settle(bytes: number): void {
    this.waiting--;
    this.waitingBytes -= bytes;
  }

  private report(error: OrderFlowError | null): void {
    if (this.error?.code === error?.code) return;
    this.error = error;
    for (const handle of this.handles) handle.onError(error);
  }
}

/** One trigger's share in the publishing of a symbol's depth events. */
export interface DepthPublisher {
  /** In the receive path: returns quickly, never throws. Events of all shares but the oldest are the same ones again, and not sent. */
  publish(event: Buffer): void;
  readonly onError: OnError;
  stats(): PublishStats;
  /** Idempotent. */
  release(): Promise<void>;
}

const publishers = (): Leases<TopicPublisher> =>
  processShared('depthPublishers', 2, () => new Leases({ close: (publisher) => publisher.close() }));

/**
 * Two triggers on one symbol share a feed and both get each event; it goes to the topic once.
 * @param store stays the caller's; the publisher opens its own handle
 * @param onError called when publishing begins to fail, fails otherwise, or works again (null). Must not throw.
 */
export function acquireDepthPublisher(
  store: SnapshotStore,
  topic: string,
  onError: OnError = () => undefined,
): DepthPublisher {
  const { value: publisher, release } = publishers().acquire(
    `${store.identity}|${topic}`,
    () => new TopicPublisher(store.share(), topic),
  );
  const { handles } = publisher;
  const handle: DepthPublisher = {
    onError,
    publish(event) {
      if (handles[0] === handle) publisher.publish(event);
    },
    stats: () => publisher.stats(),
    release() {
      const index = handles.indexOf(handle);
      if (index >= 0) handles.splice(index, 1);
      return release();
    },
  };
  handles.push(handle);
  return handle;
}
