import { type AppendOutcome, decideAppend, mostSamples } from '../history/appendRule';
import { addSample, BLOCK_BYTES, dropAfter, emptyRing, type Ring, samplesOf } from '../history/ring';
import { processShared } from '../runtime/processShared';
import {
  type AppendRequest,
  type HistoryRange,
  type HistoryStore,
  MAX_HISTORY_READ,
  type StoredHistory,
} from './historyTypes';

interface RingEntry {
  readonly ring: Ring;
  /** Wall clock. */
  forMs: number;
}

/**
 * All histories of this process together, bytes: a day of 300 symbols at the usual pace. Of more symbols the oldest samples
 * go first, so that a process with a thousand of them does not grow without end.
 */
const MAX_HISTORIES_BYTES = 90 * 1024 * 1024;

/** How often histories that nobody writes are looked for at most, milliseconds. Whoever writes does it. */
const SWEEP_EVERY_MS = 60_000;

interface Rings {
  readonly byKey: Map<string, RingEntry>;
  sweptAtMs: number;
}

const rings = (): Rings =>
  processShared('histories', 1, () => ({ byKey: new Map<string, RingEntry>(), sweptAtMs: 0 }));

/**
 * Histories in this process. Times are of the wall clock, as in Redis: a machine that slept has to show that as a gap,
 * which the monotonic clock does not count.
 */
export class MemoryHistory implements HistoryStore {
  private readonly rings = rings();

  /** @param run makes a step of the store: not after it was closed, and a failure is a rejection */
  constructor(
    private readonly run: <T>(step: () => T) => Promise<T>,
    private readonly wall: () => number,
    private readonly maxBytes = MAX_HISTORIES_BYTES,
  ) {}

  /** Blocks of samples that are kept, for tests. */
  get blocks(): number {
    return [...this.rings.byKey.values()].reduce((sum, { ring }) => sum + ring.blocks.length, 0);
  }

  append(key: string, { epoch, sample, ageMs, forMs }: AppendRequest): Promise<AppendOutcome> {
    return this.run(() => {
      const nowMs = Math.round(this.wall());
      this.sweep(nowMs);
      const place = { timeMs: Math.round(nowMs - Math.max(0, ageMs)), epoch };
      const entry = this.rings.byKey.get(key) ?? { ring: emptyRing(), forMs };
      const { ring } = entry;
      let decision = decideAppend(ring.newest, place, nowMs);
      if (decision === 'ahead') {
        dropAfter(ring, nowMs);
        decision = decideAppend(ring.newest, place, nowMs);
      }
      if (decision !== 'stored') return decision as AppendOutcome;
      addSample(ring, place, sample, {
        oldestMs: place.timeMs - forMs,
        most: mostSamples(forMs, sample.everyMs),
      });
      entry.forMs = forMs;
      this.rings.byKey.set(key, entry);
      if (ring.blocks.at(-1)?.count === 1) this.bound();
      return decision;
    });
  }

  read(key: string, { fromMs, toMs, lastMs, limit }: HistoryRange): Promise<StoredHistory> {
    return this.run(() => {
      const end = toMs ?? Math.round(this.wall());
      const start = Math.max(0, fromMs ?? end - lastMs);
      const count = Math.min(limit, MAX_HISTORY_READ);
      const entry = this.rings.byKey.get(key);
      // A block is freed as a whole: what is too old in it is gone all the same.
      const oldest = entry?.ring.newest ? entry.ring.newest.timeMs - entry.forMs : 0;
      const found = entry === undefined ? [] : samplesOf(entry.ring, Math.max(start, oldest), end, count + 1);
      const cut = found.length > count;
      const samples = cut ? found.slice(1) : found;
      return { samples, fromMs: start, toMs: end, cut, unreadable: 0, unknownVersion: null };
    });
  }

  /** After a block was added: as many of the oldest blocks go as are too many. */
  private bound(): void {
    const all = [...this.rings.byKey.values()].map(({ ring }) => ring);
    let { blocks } = this;
    while (blocks * BLOCK_BYTES > this.maxBytes) {
      const oldest = all
        .filter((ring) => ring.blocks.length > 1)
        .reduce<Ring | null>(
          (best, ring) => (best === null || ring.blocks[0].baseMs < best.blocks[0].baseMs ? ring : best),
          null,
        );
      if (oldest === null) return;
      oldest.blocks.shift();
      blocks--;
    }
  }

  private sweep(nowMs: number): void {
    // A clock that was set back counts as well.
    if (Math.abs(nowMs - this.rings.sweptAtMs) < SWEEP_EVERY_MS) return;
    this.rings.sweptAtMs = nowMs;
    for (const [key, { ring, forMs }] of this.rings.byKey)
      if (ring.newest === null || ring.newest.timeMs < nowMs - forMs) this.rings.byKey.delete(key);
  }
}
