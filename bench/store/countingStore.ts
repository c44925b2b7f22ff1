import type { RedisStore } from '../../src/store/redis/redisStore';
import type { HeartbeatRequest, SaveRequest, SnapshotStore, WriteReply } from '../../src/store/types';

/** Counts what goes through a store, and how many writes of one key are on their way at once. */
export class WriteCounts {
  saves = 0;
  heartbeats = 0;
  statuses = 0;
  /** The most writes of one record that were ever on their way together. */
  mostInFlight = 0;
  private readonly inFlight = new Map<string, number>();

  async watch(key: string, write: Promise<WriteReply>): Promise<WriteReply> {
    const now = (this.inFlight.get(key) ?? 0) + 1;
    this.inFlight.set(key, now);
    this.mostInFlight = Math.max(this.mostInFlight, now);
    try {
      return await write;
    } finally {
      this.inFlight.set(key, (this.inFlight.get(key) ?? 1) - 1);
    }
  }

  reset(): void {
    this.saves = this.heartbeats = this.statuses = this.mostInFlight = 0;
  }
}

/** The store as it is, with every write counted on its way out. */
export function counting(store: RedisStore, counts: WriteCounts): SnapshotStore {
  const watched: Partial<SnapshotStore> = {
    save(key: string, request: SaveRequest) {
      counts.saves++;
      return counts.watch(key, store.save(key, request));
    },
    heartbeat(key: string, request: HeartbeatRequest) {
      counts.heartbeats++;
      return counts.watch(key, store.heartbeat(key, request));
    },
    writeFeedStatus(key, status, ttlMs) {
      counts.statuses++;
      return store.writeFeedStatus(key, status, ttlMs);
    },
    share: () => counting(store.share() as RedisStore, counts),
  };
  return new Proxy(store, {
    get(target, name) {
      const own = watched[name as keyof SnapshotStore];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  }) as unknown as SnapshotStore;
}
