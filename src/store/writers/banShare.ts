import type { Ban, BanBoard } from '../../feed/bans';
import { isBanCode, LONGEST_BAN_MS } from '../../limits/refusals';
import { isOrderFlowError } from '../../runtime/errors';
import { Leases } from '../../runtime/leases';
import { processShared } from '../../runtime/processShared';
import { banKey } from '../keys';
import type { ReadResult, SnapshotStore, StoredState } from '../types';

/** How often a running feed looks for the bans of others, milliseconds: one cheap read. */
export const LOOK_EVERY_MS = 1_000;
/** How long the connection is left to its own backoff after a failure. */
const LOOK_AFTER_FAILURE_MS = 5_000;
/** Two figures for one ban may differ by the way through the store. */
const SLACK_MS = 500;

export interface BanShareHandle {
  /** Resolves when the bans of others are known; before it nothing should be asked. Rejects with OrderFlowError. */
  readonly ready: Promise<void>;
  /** Resolves when the bans of this process have been passed on, or could not be. Idempotent, never rejects. */
  release(): Promise<void>;
}

/**
 * Shares the bans that this process received with the processes that share its store, and takes over theirs. Ages are
 * measured by the store's clock, so machines whose clocks disagree agree on when a ban ends; and the record outlives its
 * writer, so a process that crashed during a ban knows of it when it starts again.
 */
export class BanShare {
  private readonly hosts = new Map<string, number>();
  /** The newest version of each host's record that was taken over: taking it twice would add its jitter twice. */
  private readonly taken = new Map<string, number>();
  private readonly unlisten: Array<() => void>;
  private last: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  /** @param store a separate handle; closed with the share */
  constructor(
    private readonly store: SnapshotStore,
    private readonly keyPrefix: string,
    private readonly board: BanBoard,
  ) {
    const lookNow = () => void this.look().catch(() => undefined);
    this.unlisten = [
      board.onBan((host) => void (this.hosts.has(host) && lookNow())),
      store.onReady(() => void (this.hosts.size > 0 && lookNow())),
    ];
  }

  get idle(): boolean {
    return this.hosts.size === 0;
  }

  /** @returns resolves when the host's ban is known */
  add(host: string): Promise<void> {
    this.hosts.set(host, (this.hosts.get(host) ?? 0) + 1);
    return this.look();
  }

  remove(host: string): void {
    const left = (this.hosts.get(host) ?? 0) - 1;
    if (left > 0) this.hosts.set(host, left);
    else this.hosts.delete(host);
  }

  /** Passes on what is on its way, and ends. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const end of this.unlisten) end();
    clearTimeout(this.timer);
    await this.last;
    await this.store.close();
  }

  /** One look at a time; a call during one begins another after it, since something may have changed. */
  private look(): Promise<void> {
    const turn = this.last.then(() => this.exchange());
    this.last = turn.then(
      () => this.lookIn(LOOK_EVERY_MS),
      () => this.lookIn(LOOK_AFTER_FAILURE_MS),
    );
    return turn;
  }

  private lookIn(ms: number): void {
    clearTimeout(this.timer);
    if (this.closed || this.idle) return;
    this.timer = setTimeout(() => void this.look().catch(() => undefined), ms);
    this.timer.unref();
  }

  private async exchange(): Promise<void> {
    const hosts = [...this.hosts.keys()];
    const keys = hosts.map((host) => banKey(this.keyPrefix, host));
    const states = await this.store.loadStates(keys);
    for (const [i, host] of hosts.entries()) await this.settle(host, keys[i], states[i]);
  }

  private async settle(host: string, key: string, state: ReadResult<StoredState>): Promise<void> {
    if (isOrderFlowError(state)) throw state;
    const ours = this.board.ownBan(host);
    const theirs = state && banIn(state);
    if (ours && isLonger(ours, theirs)) {
      const value = { host, code: ours.code, forMs: Math.ceil(ours.forMs) };
      // Where someone else wrote in between, the next look compares with what that one wrote.
      const expectedVersion = state?.version ?? 0;
      await this.store.storeState(key, { value, expectedVersion, ttlMs: value.forMs });
    } else if (state && theirs && isLonger(theirs, ours) && this.taken.get(host) !== state.version) {
      this.taken.set(host, state.version);
      this.board.apply(host, theirs);
    }
  }
}

function isLonger(one: Ban, other: Ban | null): boolean {
  return other === null || one.forMs > other.forMs + SLACK_MS;
}

/** What is left of a stored ban; null where nothing is, or where the record holds none that the exchange could have given. */
function banIn({ value, ageMs }: StoredState): Ban | null {
  if (typeof value !== 'object' || value === null) return null;
  const { code, forMs } = value as Readonly<Record<string, unknown>>;
  if (!isBanCode(code)) return null;
  // No exchange bans for longer: a record that says so was written by someone else.
  if (typeof forMs !== 'number' || !(forMs > 0) || forMs > LONGEST_BAN_MS) return null;
  return forMs > ageMs ? { code, forMs: forMs - ageMs } : null;
}

const shares = (): Leases<BanShare> =>
  processShared('banShares', 2, () => new Leases({ close: (share) => share.close().catch(() => undefined) }));

/**
 * A share in the process's exchange of bans with others under this prefix. With the memory store there is nothing to
 * do: the bans of a process are known to all of it.
 * @param store stays the caller's; the share opens its own handle
 * @param host of the REST requests
 * @param board the bans of this process
 */
export function acquireBanShare(
  store: SnapshotStore,
  keyPrefix: string,
  host: string,
  board: BanBoard,
): BanShareHandle {
  if (store.kind === 'memory') return { ready: Promise.resolve(), release: () => Promise.resolve() };
  const lease = shares().acquire(
    `${store.identity}|${keyPrefix}`,
    () => new BanShare(store.share(), keyPrefix, board),
  );
  const ready = lease.value.add(host);
  ready.catch(() => undefined);
  let released: Promise<void> | null = null;
  const release = async () => {
    // What the last request earned may be on its way to the store.
    await ready.catch(() => undefined);
    lease.value.remove(host);
    await lease.release();
  };
  return { ready, release: () => (released ??= release()) };
}
