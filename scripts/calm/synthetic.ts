import { SyntheticMarket } from '../../exchange/market/synthetic';
import type { GateParameters } from '../../src/signal/gate/gateParameters';
import { Watch } from './watch';

const STEP_MS = 100;
/** When a planting begins in its own market; a little later in each, so that none meets the same noise. */
const QUIET_MS = 300_000;
const STAGGER_MS = 1_700;
export const PLANTED_MS = 60_000;
export const REPORT_WITHIN_MS = 30_000;

/** The stand-in's market, read through the rule's percentage, without the sockets. */
class NoisyMarket {
  private readonly market: SyntheticMarket;
  private readonly top = { bids: 0, asks: 0, bestBid: 0, bestAsk: 0 };
  atMs = 0;

  constructor(
    seed: string,
    private readonly levels: number,
  ) {
    this.market = new SyntheticMarket({
      symbol: 'BTCUSDT',
      price: 60_000,
      seed,
      levels: 200,
      history: { maxChanges: 0, maxAgeMs: 0 },
    });
  }

  press(side: 'bid' | 'ask', strength: number): void {
    this.market.press(side, strength, PLANTED_MS);
  }

  /** Goes on by one update; 100 · (asks − bids) / the larger side. */
  next(): number {
    this.atMs += STEP_MS;
    this.market.step(this.atMs);
    const { bids, asks } = this.market.topNotional(this.levels, this.top);
    return (100 * (asks - bids)) / Math.max(bids, asks);
  }
}

export interface NoiseAlerts {
  readonly hours: number;
  readonly bare: number;
  readonly gated: number;
}

/** Alerts on nothing but noise. */
export function alertsOnNoise(
  seed: string,
  hours: number,
  levels: number,
  bareGate: GateParameters,
  gate: GateParameters,
): NoiseAlerts {
  const market = new NoisyMarket(seed, levels);
  const bare = new Watch(bareGate);
  const gated = new Watch(gate);
  for (let i = 0; i < (hours * 3_600_000) / STEP_MS; i++) {
    const percent = market.next();
    bare.observe(market.atMs, percent);
    gated.observe(market.atMs, percent);
  }
  return { hours, bare: bare.alerts, gated: gated.alerts };
}

export interface PlantingResult {
  readonly plantings: number;
  /** An alert of the right direction within the time allowed. */
  readonly reported: number;
  /** Of those reported, from the beginning of the pressure. */
  readonly medianMs: number | null;
}

/** Plants stretches of pressure inside the noise, each in a market of its own, in turn to either side. */
export function plantPressure(
  seed: string,
  plantings: number,
  strength: number,
  levels: number,
  gate: GateParameters,
): PlantingResult {
  const delays: number[] = [];
  for (let i = 0; i < plantings; i++) {
    const market = new NoisyMarket(`${seed}/${i}`, levels);
    const watch = new Watch(gate);
    const startMs = QUIET_MS + i * STAGGER_MS;
    const [side, signal] = i % 2 === 0 ? (['ask', 'SELLING'] as const) : (['bid', 'BUYING'] as const);
    while (market.atMs < startMs) watch.observe(market.atMs + STEP_MS, market.next());
    market.press(side, strength);
    while (market.atMs < startMs + REPORT_WITHIN_MS) watch.observe(market.atMs + STEP_MS, market.next());
    const alert = watch.reported.find(
      (reported) => reported.kind === 'alert' && reported.signal === signal && reported.atMs > startMs,
    );
    if (alert !== undefined) delays.push(alert.atMs - startMs);
  }
  delays.sort((a, b) => a - b);
  return { plantings, reported: delays.length, medianMs: delays[Math.floor(delays.length / 2)] ?? null };
}
