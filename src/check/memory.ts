import { OrderFlowError, isOrderFlowError, toOrderFlowError } from '../runtime/errors';
import { isSymbol } from '../feed/symbols';
import { mayComeAgain } from '../signal/gate/alertMessage';
import { GATE_TTL_MS, type NodeOwner, gateKey } from '../store/keys';
import { loadEach, MAX_ATTEMPTS } from '../store/states';
import type { SnapshotStore, StoredState } from '../store/types';
import { advance, clockAhead, readState, remembers } from './advance';
import type { CheckItem } from './checkItem';
import type { CheckSettings } from './settings';
import type { CheckResult } from './types';

interface Outcomes<R extends CheckResult> {
  readonly decided: Map<R, R | null>;
  readonly failed: Map<R, OrderFlowError>;
}

/** What the checks have to say, and those whose memory could be neither read nor kept. */
export interface Remembered<R extends CheckResult> {
  readonly results: readonly R[];
  readonly failed: ReadonlyMap<R, OrderFlowError>;
}

/**
 * What a node remembers of each symbol, in the store. Each check is one compare-and-swap, so that two checks at once
 * cannot both emit what only one may.
 */
export class CheckMemory {
  /** Why checks have nothing to report, a sentence for each of their keys. */
  readonly hints = new Map<string, string>();

  constructor(
    private readonly store: SnapshotStore,
    private readonly owner: NodeOwner,
    private readonly wallMs: () => number,
  ) {}

  /** Passes on what each check has to say, in order. Symbols that come twice are decided one after the other. */
  async filter<R extends CheckResult>(
    results: readonly R[],
    settingsOf: (result: R) => CheckSettings,
  ): Promise<Remembered<R>> {
    const decided = new Map<R, R | null>();
    const failed = new Map<R, OrderFlowError>();
    let open = results.filter((result) => remembers(settingsOf(result)));
    while (open.length > 0) {
      const keys = new Map<string, R>();
      for (const result of open) {
        const key = this.keyOf(result, settingsOf(result));
        if (!keys.has(key)) keys.set(key, result);
      }
      await this.decide([...keys], settingsOf, { decided, failed });
      open = open.filter((result) => !decided.has(result) && !failed.has(result));
    }
    const said = results.flatMap((result) => {
      if (failed.has(result)) return [];
      const outcome = decided.get(result);
      return outcome === undefined ? [result] : outcome === null ? [] : [outcome];
    });
    return { results: said, failed };
  }

  private async decide<R extends CheckResult>(
    round: ReadonlyArray<readonly [key: string, result: R]>,
    settingsOf: (result: R) => CheckSettings,
    { decided, failed }: Outcomes<R>,
  ): Promise<void> {
    let waiting = round;
    for (let attempt = 0; waiting.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS) {
        for (const [key, result] of waiting)
          failed.set(
            result,
            new OrderFlowError('OF_INTERNAL', `the state at "${key}" keeps changing while it is decided`),
          );
        return;
      }
      const states = await loadEach(
        this.store,
        waiting.map(([key]) => key),
      );
      // The moment of which the store gave the ages: deciding many takes its time.
      const nowMs = this.wallMs();
      const swapped = await Promise.all(
        waiting.map(async ([key, result], i) => {
          const stored = states[i];
          if (isOrderFlowError(stored)) {
            failed.set(result, stored);
            return true;
          }
          const item = await this.swap(key, result.item, stored, settingsOf(result), nowMs);
          if (item === undefined) return false;
          if (isOrderFlowError(item)) failed.set(result, item);
          else decided.set(result, item === null ? null : { ...result, item });
          return true;
        }),
      );
      waiting = waiting.filter((_, i) => !swapped[i]);
    }
  }

  /**
   * What there is to report, null for nothing. Undefined: someone else decided in between. Where the reply to the write
   * was lost, it is unknown whether it was taken: then it is reported, rather twice than never.
   */
  private async swap(
    key: string,
    checked: CheckItem,
    stored: StoredState | null,
    settings: CheckSettings,
    nowMs: number,
  ): Promise<CheckItem | null | undefined | OrderFlowError> {
    const known = readState(stored?.value);
    const aheadMs = stored === null ? 0 : clockAhead(known, stored.ageMs, nowMs);
    const { item, state, hint } = advance(known, checked, settings, nowMs, aheadMs);
    if (hint !== null) this.hints.set(key, hint);
    if (state === null) return item;
    const write = { value: state, expectedVersion: stored?.version ?? 0, ttlMs: GATE_TTL_MS };
    try {
      return (await this.store.storeState(key, write)) ? item : undefined;
    } catch (error) {
      const failure = toOrderFlowError(error);
      if (!failure.retryable || item === null) return failure;
      return { ...item, warning: mayComeAgain(failure) };
    }
  }

  private keyOf({ item }: CheckResult, settings: CheckSettings): string {
    return gateKey(settings.keyPrefix, item.market, keyNameOf(item.symbol), this.owner);
  }
}

/** A label of an item may hold anything, or be missing. */
function keyNameOf(symbol: string | null): string {
  return symbol === null ? 'UNKNOWN' : isSymbol(symbol) ? symbol : encodeURIComponent(symbol);
}
