import { OrderFlowError, isOrderFlowError } from '../runtime/errors';
import { gateKey } from '../store/keys';
import type { ReadResult, SnapshotStore, StoredState } from '../store/types';
import { advance, readState, remembers } from './advance';
import type { CheckResult } from './runChecks';
import type { CheckSettings } from './settings';

/** What a node has not been asked about for so long, it forgets; milliseconds. */
export const STATE_TTL_MS = 7 * 86_400_000;
/** Two checks at once decide one after the other; more than a few in a row means something else is wrong. */
const MAX_ATTEMPTS = 8;

/** Whose memory: kept for workflow, node and symbol. */
export interface MemoryOwner {
  readonly workflowId: string;
  readonly nodeId: string;
}

/**
 * What a node remembers of each symbol, in the store. Each check is one compare-and-swap, so that two checks at once
 * cannot both emit what only one may.
 */
export class CheckMemory {
  constructor(
    private readonly store: SnapshotStore,
    private readonly owner: MemoryOwner,
    private readonly wallMs: () => number,
  ) {}

  /** Passes on what each check has to say, in order. Symbols that come twice are decided one after the other. */
  async filter(
    results: readonly CheckResult[],
    settingsOf: (result: CheckResult) => CheckSettings,
  ): Promise<CheckResult[]> {
    const decided = new Map<CheckResult, CheckResult | null>();
    let open = results.filter((result) => remembers(settingsOf(result)));
    while (open.length > 0) {
      const keys = new Map<string, CheckResult>();
      for (const result of open) {
        const key = this.keyOf(result, settingsOf(result));
        if (!keys.has(key)) keys.set(key, result);
      }
      await this.decide([...keys], settingsOf, decided);
      open = open.filter((result) => !decided.has(result));
    }
    return results.flatMap((result) => {
      const outcome = decided.get(result);
      return outcome === undefined ? [result] : outcome === null ? [] : [outcome];
    });
  }

  private async decide(
    round: ReadonlyArray<readonly [key: string, result: CheckResult]>,
    settingsOf: (result: CheckResult) => CheckSettings,
    decided: Map<CheckResult, CheckResult | null>,
  ): Promise<void> {
    let waiting = round;
    for (let attempt = 0; waiting.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS) {
        throw new OrderFlowError(
          'OF_INTERNAL',
          `the state at "${waiting[0][0]}" keeps changing while it is decided`,
        );
      }
      const states = await this.store.loadStates(waiting.map(([key]) => key));
      const swapped = await Promise.all(
        waiting.map(([key, result], i) => this.swap(key, result, states[i], settingsOf(result), decided)),
      );
      waiting = waiting.filter((_, i) => !swapped[i]);
    }
  }

  /** False: someone else decided in between. */
  private async swap(
    key: string,
    result: CheckResult,
    stored: ReadResult<StoredState>,
    settings: CheckSettings,
    decided: Map<CheckResult, CheckResult | null>,
  ): Promise<boolean> {
    if (isOrderFlowError(stored)) throw stored;
    const { item, state } = advance(readState(stored?.value), result.item, settings, this.wallMs());
    if (state !== null) {
      const write = { value: state, expectedVersion: stored?.version ?? 0, ttlMs: STATE_TTL_MS };
      if (!(await this.store.storeState(key, write))) return false;
    }
    decided.set(result, item === null ? null : { ...result, item });
    return true;
  }

  private keyOf({ item }: CheckResult, settings: CheckSettings): string {
    const { workflowId, nodeId } = this.owner;
    return gateKey(settings.keyPrefix, item.market, item.symbol, workflowId, nodeId);
  }
}
