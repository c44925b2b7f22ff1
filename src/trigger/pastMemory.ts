import { explained, isOrderFlowError, type OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { monotonicMs } from '../runtime/time';
import type { GateAt } from '../signal/budget/pastCounter';
import { SymbolPast } from '../signal/budget/symbolPast';
import { withThreshold } from '../signal/gate/gateParameters';
import { comparedBy } from '../signal/parameters';
import { GATE_TTL_MS, type NodeOwner, pastKey } from '../store/keys';
import { changeState, loadEach } from '../store/states';
import type { ReadResult, SnapshotStore, StoredState } from '../store/types';
import type { TriggerSettings } from './settings';

/** Between two looks at the time, for a book that sends no updates. */
const TICK_MS = 10_000;
/** Closing waits no longer than this for the store. */
const CLOSE_WITHIN_MS = 2_000;

type Log = (level: 'info' | 'warn', message: string) => void;

/**
 * Reads what was counted of each symbol's past, in one round trip. A store that fails keeps no trigger from starting: what
 * is stored is taken up when it can be read.
 */
export async function loadPasts(
  settings: TriggerSettings,
  store: SnapshotStore,
  owner: NodeOwner,
  log: Log,
): Promise<Map<string, PastMemory>> {
  const { keyPrefix, market, symbols } = settings;
  const keys = symbols.map((symbol) => pastKey(keyPrefix, market, symbol, owner));
  const loaded = await loadEach(store, keys);
  const trouble = new PastTrouble(log);
  return new Map(
    symbols.map((symbol, i) => {
      const past = newPast(settings, loaded[i]);
      if (past.restarted === 'unreadable')
        log('warn', `The past of ${symbol} that alerts are counted in cannot be read: counting starts over.`);
      return [symbol, new PastMemory(past, keys[i], loaded[i], store, trouble)];
    }),
  );
}

function newPast(settings: TriggerSettings, loaded: ReadResult<StoredState>): SymbolPast {
  const { alerts, threshold, measure } = settings;
  const gateAt: GateAt = (percent) => withThreshold(alerts, percent);
  // All that the counts depend on. A gate at one and the same threshold stands for how calm it is.
  const counted = JSON.stringify([...comparedBy(measure), gateAt(1)]);
  return new SymbolPast(threshold, gateAt, counted, monotonicMs(), isOrderFlowError(loaded) ? null : loaded);
}

/**
 * One symbol's past of a running trigger, kept in the store: written when the threshold was looked at, every ten minutes,
 * and at the end. Nothing of the feed waits for it.
 */
export class PastMemory {
  private timer: NodeJS.Timeout | undefined;
  private taken: boolean;
  private writing: Promise<void> | null = null;
  private onReview: () => void = () => undefined;

  constructor(
    readonly past: SymbolPast,
    private readonly key: string,
    loaded: ReadResult<StoredState>,
    private readonly store: SnapshotStore,
    private readonly trouble: PastTrouble,
  ) {
    this.taken = !isOrderFlowError(loaded);
    if (isOrderFlowError(loaded)) trouble.note(key, loaded);
  }

  /** @param onReview after each look at the past: the threshold may be another now */
  start(onReview: () => void): void {
    this.onReview = onReview;
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.timer.unref();
  }

  /** Never rejects, and waits a little for the store only. */
  async close(): Promise<void> {
    if (this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.past.goOn(monotonicMs());
    let late: NodeJS.Timeout | undefined;
    const wait = new Promise<void>((resolve) => (late = setTimeout(resolve, CLOSE_WITHIN_MS)));
    const earlier = this.writing ?? Promise.resolve();
    await Promise.race([earlier.then(() => this.save()), wait]);
    clearTimeout(late);
  }

  private tick(): void {
    if (!this.past.goOn(monotonicMs())) return;
    this.onReview();
    void this.save();
  }

  /** One write at a time. Never rejects. */
  private save(): Promise<void> {
    return (this.writing ??= this.write()
      .then(
        () => this.trouble.note(this.key, null),
        (error: unknown) => this.trouble.note(this.key, toOrderFlowError(error)),
      )
      .finally(() => (this.writing = null)));
  }

  private async write(): Promise<void> {
    await changeState(this.store, this.key, GATE_TTL_MS, (stored) => {
      if (!this.taken) {
        this.taken = true;
        if (stored !== null && this.past.takeUp(stored, monotonicMs())) this.onReview();
      }
      const nowMs = monotonicMs();
      return this.past.coveredMs(nowMs) === 0 ? undefined : this.past.stored(nowMs);
    });
  }
}

/** What is asked of a memory of the past. */
export type PastKeeper = Pick<PastMemory, 'past' | 'start' | 'close'>;

/** One line when pasts of a trigger cannot be kept, and one when all of them can be again. */
class PastTrouble {
  private readonly failing = new Set<string>();

  constructor(private readonly log: Log) {}

  note(key: string, error: OrderFlowError | null): void {
    if (error !== null) {
      if (this.failing.size === 0)
        this.log('warn', `The store cannot keep the past that alerts are counted in: ${explained(error)}`);
      this.failing.add(key);
    } else if (this.failing.delete(key) && this.failing.size === 0) {
      this.log('info', 'The past that alerts are counted in is kept in the store again.');
    }
  }
}
