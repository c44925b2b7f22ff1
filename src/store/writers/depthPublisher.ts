import type { SymbolStatus } from '../../feed/types';
import { toOrderFlowError, type OrderFlowError } from '../../runtime/errors';
import { Leases } from '../../runtime/leases';
import { processShared } from '../../runtime/processShared';
import { monotonicMs } from '../../runtime/time';
import type { SnapshotStore } from '../types';
import { LOWER_ID_GRACE_MS } from './recordWriter';

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

/** Of a SymbolView, what tells whose events are to be sent. */
interface EventSource {
  status(): Pick<SymbolStatus, 'state' | 'lastUpdateId'>;
}

/** One trigger's share. */
interface Source {
  readonly view: EventSource;
  readonly onError: OnError;
}

/** Sends depth events to their topic as they come, several in flight. */
class TopicPublisher {
  /** Oldest first. */
  private readonly sources = new Set<Source>();
  private current: Source | null = null;
  /** The event that was sent last. */
  private sent: { readonly by: Source; readonly lastUpdateId: number; readonly atMs: number } | null = null;
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

  add(source: Source): void {
    this.sources.add(source);
    if (this.error !== null) source.onError(this.error);
  }

  remove(source: Source): void {
    this.sources.delete(source);
    if (this.current === source) this.current = null;
  }

  publish(source: Source, event: Buffer): void {
    if (this.isAlone(source) || (source === this.sender() && this.isNext(source))) this.send(event);
  }

  private send(event: Buffer): void {
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

  /** As most are: then nobody's status has to be looked at, which would cost as much as all the rest. */
  private isAlone(source: Source): boolean {
    const { sources, sent } = this;
    return sources.size === 1 && sources.has(source) && (sent === null || sent.by === source);
  }

  /** The one in use while it is live, else another that is: two feeds of a symbol may differ by an update. */
  private sender(): Source | null {
    const { current, sources } = this;
    if (current !== null && isLive(current)) return current;
    const all = [...sources];
    return (this.current = all.find(isLive) ?? current ?? all.at(0) ?? null);
  }

  /** Another feed that takes over may be behind: what it brings was sent already. Not for long, or its ids have started over. */
  private isNext(source: Source): boolean {
    const { lastUpdateId } = source.view.status();
    const { sent } = this;
    const now = monotonicMs();
    const follows = sent === null || sent.by === source || now - sent.atMs >= LOWER_ID_GRACE_MS;
    if (!follows && lastUpdateId !== null && lastUpdateId <= sent.lastUpdateId) return false;
    if (lastUpdateId !== null) this.sent = { by: source, lastUpdateId, atMs: now };
    return true;
  }

  private settle(bytes: number): void {
    this.waiting--;
    this.waitingBytes -= bytes;
  }

  private report(error: OrderFlowError | null): void {
    if (this.error?.code === error?.code) return;
    this.error = error;
    for (const source of this.sources) source.onError(error);
  }
}

function isLive({ view }: Source): boolean {
  return view.status().state === 'live';
}

/** One trigger's share in the publishing of a symbol's depth events. */
export interface DepthPublisher {
  /** In the receive path: returns quickly, never throws. Of several shares the events of one that is live are sent. */
  publish(event: Buffer): void;
  stats(): PublishStats;
  /** Idempotent. */
  release(): Promise<void>;
}

const publishers = (): Leases<TopicPublisher> =>
  processShared('depthPublishers', 3, () => new Leases({ close: (publisher) => publisher.close() }));

/**
 * Two triggers on one symbol bring each event twice, by one feed or by two; it goes to the topic once.
 * @param store stays the caller's; the publisher opens its own handle
 * @param onError called when publishing begins to fail, fails otherwise, or works again (null), and at once where it
 *   fails already. Must not throw.
 */
export function acquireDepthPublisher(
  store: SnapshotStore,
  topic: string,
  view: EventSource,
  onError: OnError = () => undefined,
): DepthPublisher {
  const { value: publisher, release } = publishers().acquire(
    `${store.identity}|${topic}`,
    () => new TopicPublisher(store.share(), topic),
  );
  const source = { view, onError };
  publisher.add(source);
  return {
    publish: (event) => publisher.publish(source, event),
    stats: () => publisher.stats(),
    release() {
      publisher.remove(source);
      return release();
    },
  };
}
