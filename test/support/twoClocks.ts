import type { CheckItem } from '../../src/check/checkItem';
import { CheckMemory } from '../../src/check/memory';
import type { CheckSettings } from '../../src/check/settings';
import type { ThresholdPlan } from '../../src/signal/budget/thresholdInForce';
import {
  CHECK_GATE_DEFAULTS,
  type GateDefaults,
  readGateParameters,
} from '../../src/signal/gate/gateParameters';
import { SIGNAL_DEFAULTS } from '../../src/signal/parameters';
import type { SnapshotStore } from '../../src/store/types';

/** An item, with the fields of an alert where it is one. */
export type Reported = CheckItem & Readonly<Record<string, unknown>>;

export function settingsOf(
  alerts: Partial<GateDefaults> | null,
  threshold: ThresholdPlan = { by: 'percentage', percent: 10 },
): CheckSettings {
  return {
    ...{
      threshold,
      keyPrefix: 'clocks/',
      onlyNew: alerts === null,
      source: 'store',
      judgeMean: false,
      testRun: null,
    },
    parameters: { ...SIGNAL_DEFAULTS, levels: 20 },
    alerts: alerts && readGateParameters(10, alerts, CHECK_GATE_DEFAULTS),
  } as unknown as CheckSettings;
}

/** A worker whose checks see what a test says, by a clock of its own. */
export class Worker {
  private readonly memory: CheckMemory;

  constructor(
    store: SnapshotStore,
    workflowId: string,
    readonly wallMs: () => number,
  ) {
    this.memory = new CheckMemory(store, { workflowId, nodeId: 'n1' }, wallMs);
  }

  /** @returns what the check reports, or null. */
  async check(percent: number, settings: CheckSettings, lastUpdateId = 7): Promise<Reported | null> {
    const item = {
      ...{ symbol: 'BTCUSDT', market: 'spot', lastUpdateId, epoch: 1, mid: 100 },
      ...{ signal: 'NEUTRAL', reason: null, imbalancePercent: percent },
    } as unknown as CheckItem;
    const { results, failed } = await this.memory.filter(
      [{ itemIndex: 0, position: 0, item }],
      () => settings,
    );
    if (failed.size > 0) throw [...failed.values()][0];
    return (results[0]?.item as Reported | undefined) ?? null;
  }
}
