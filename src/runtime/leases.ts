/** A share in a value that is kept open while someone uses it. */
export interface Lease<T> {
  readonly value: T;
  /**
   * Gives the share back. Idempotent: a later call returns the promise of the first.
   * @param graceMs milliseconds for which the value stays open in case someone takes it up again; the default is the
   *   collection's. Without a grace the promise resolves when the value is closed.
   */
  release(graceMs?: number): Promise<void>;
}

export interface LeasesOptions<T> {
  /** Called once for each value, when its last lease has ended and its grace is over. A new value may exist by then. */
  readonly close: (value: T) => Promise<void> | void;
  /** Milliseconds, default 0. */
  readonly graceMs?: number;
  /** Called with true when the last share was given back, with false when a share is taken. */
  readonly onIdle?: (value: T, idle: boolean) => void;
}

interface Entry<T> {
  readonly key: string;
  readonly value: T;
  leases: number;
  graceTimer: NodeJS.Timeout | undefined;
}

/** Values that are shared by key: the first lease makes one, and it closes after the last, with a grace. */
export class Leases<T> {
  private readonly entries = new Map<string, Entry<T>>();

  constructor(private readonly options: LeasesOptions<T>) {}

  /** @param create called when no value is open for the key */
  acquire(key: string, create: () => T): Lease<T> {
    const entry = this.entries.get(key) ?? this.add(key, create());
    clearTimeout(entry.graceTimer);
    entry.graceTimer = undefined;
    entry.leases++;
    this.options.onIdle?.(entry.value, false);
    let released: Promise<void> | null = null;
    return {
      value: entry.value,
      release: (graceMs = this.options.graceMs ?? 0) => (released ??= this.release(entry, graceMs)),
    };
  }

  /** Closes values without leases, without waiting for their grace to end: the one of `key`, or all of them. */
  async closeIdle(key?: string): Promise<void> {
    const idle = [...this.entries.values()].filter(
      (entry) => entry.leases === 0 && (key === undefined || key === entry.key),
    );
    await Promise.all(idle.map((entry) => this.close(entry)));
  }

  /** For status pages and leak checks: what is open, held or within its grace. */
  inventory(): { readonly values: number; readonly leases: number } {
    let leases = 0;
    for (const entry of this.entries.values()) leases += entry.leases;
    return { values: this.entries.size, leases };
  }

  private add(key: string, value: T): Entry<T> {
    const entry: Entry<T> = { key, value, leases: 0, graceTimer: undefined };
    this.entries.set(key, entry);
    return entry;
  }

  private async release(entry: Entry<T>, graceMs: number): Promise<void> {
    if (--entry.leases > 0) return;
    this.options.onIdle?.(entry.value, true);
    if (graceMs <= 0) return this.close(entry);
    entry.graceTimer = setTimeout(() => void this.close(entry), graceMs);
    // A value without leases must not keep the process alive.
    entry.graceTimer.unref();
  }

  private async close(entry: Entry<T>): Promise<void> {
    clearTimeout(entry.graceTimer);
    this.entries.delete(entry.key);
    await this.options.close(entry.value);
  }
}
