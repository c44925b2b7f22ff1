import { Random } from '../../../exchange/market/random';

/** How restless a market is: the spread of ln(asks / bids), and how long a lean of it lasts. */
export interface Mood {
  readonly sigma: number;
  readonly seconds: number;
}

/** `synthetic` is as the stand-in exchange's market: its spread, and how fast it forgets. The others are beside it. */
export const MOODS = {
  synthetic: { sigma: 0.96, seconds: 2.9 },
  calm: { sigma: 0.8, seconds: 2.5 },
  restless: { sigma: 1.2, seconds: 3.6 },
} as const;

export const STEP_MS = 100;
/** Of the variance: what comes and goes with single orders. */
const QUICK_SHARE = 0.12;
const QUICK_SECONDS = 0.25;
/** While pressed, the lean varies less, as in the stand-in's market. */
const PRESSED_SHARE = 0.4;

/**
 * The imbalance of the synthetic market without its book: ln(asks / bids) is the sum of a lean that lasts seconds and of
 * something quicker. It has what decides alerts, and takes a thousandth of the time.
 */
export class LeanProcess {
  private lean: number;
  private quick: number;
  private pressure = 0;
  private readonly random: Random;

  constructor(seed: string) {
    this.random = new Random(seed);
    this.lean = this.random.normal();
    this.quick = this.random.normal();
  }

  /** As SyntheticMarket.press: `strength` is the mean (asks − bids)/(bids + asks) aimed at; 0 ends it. */
  press(strength: number): void {
    this.pressure = Math.log((1 + strength) / (1 - strength));
  }

  /** Goes on by STEP_MS; 100 · (asks − bids) / the larger side. */
  next({ sigma, seconds }: Mood): number {
    const { random, pressure } = this;
    const keep = Math.exp(-STEP_MS / 1000 / seconds);
    const spread = sigma * Math.sqrt(1 - QUICK_SHARE) * (pressure === 0 ? 1 : PRESSED_SHARE);
    this.lean =
      pressure + (this.lean - pressure) * keep + spread * Math.sqrt(1 - keep * keep) * random.normal();
    this.quick = this.quick * QUICK_KEEP + Math.sqrt(1 - QUICK_KEEP * QUICK_KEEP) * random.normal();
    const x = this.lean + sigma * Math.sqrt(QUICK_SHARE) * this.quick;
    return x > 0 ? -100 * Math.expm1(-x) : 100 * Math.expm1(x);
  }
}

const QUICK_KEEP = Math.exp(-STEP_MS / 1000 / QUICK_SECONDS);
