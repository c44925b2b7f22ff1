import { ENDPOINTS } from '../../src/binance/endpoints';
import { fastCodec } from '../../src/binance/wire/codec';
import type { MarketId } from '../../src/feed/markets';
import { emptyTopSums } from '../../src/book/types';
import type { GateParameters } from '../../src/signal/gate/gateParameters';
import { percentFromSums } from '../../src/signal/rule';
import { openRecording } from '../replay/recording';
import { replay } from '../replay/replay';
import { Watch } from './watch';

export interface RecordedAlerts {
  /** How long the book was in sync. */
  readonly hours: number;
  /** Alerts of the bare rule and of the gate. */
  readonly bare: number;
  readonly gated: number;
}

/** Alerts of the bare rule and of the gate on one recording, in the time of its events. */
export async function alertsOnRecording(
  folder: string,
  marketId: MarketId,
  levels: number,
  bareGate: GateParameters,
  gate: GateParameters,
): Promise<RecordedAlerts> {
  const market = ENDPOINTS[marketId];
  const bare = new Watch(bareGate);
  const gated = new Watch(gate);
  const sums = emptyTopSums();
  let fromMs: number | null = null;
  let toMs = 0;
  await replay(fastCodec(), openRecording(folder), market, ({ sync, update }) => {
    const known = sync.trustedSums(levels, sums);
    const percent = known ? percentFromSums(sums, 'notional', levels, market.contractSize !== null) : NaN;
    if (known) {
      fromMs ??= update.eventTimeMs;
      toMs = update.eventTimeMs;
    }
    bare.observe(update.eventTimeMs, percent);
    gated.observe(update.eventTimeMs, percent);
  });
  return { hours: (toMs - (fromMs ?? toMs)) / 3_600_000, bare: bare.alerts, gated: gated.alerts };
}
