import { ChartRenderer } from '../../src/charts/chartRenderer';
import { historyChart } from '../../src/charts/historyChart';
import type { SampleContent } from '../../src/history/sample';
import { historySamples } from '../../src/store/historySamples';
import { storeKeys } from '../../src/store/keys';
import { MemoryStore } from '../../src/store/memoryStore';
import { quantile } from '../lib/stats';

/** A day, as a trigger keeps it. */
export const SAMPLES = 8_640;
const EVERY_MS = 10_000;
const DAY_MS = SAMPLES * EVERY_MS;
const BOOK = { market: 'spot', symbol: 'BTCUSDT' } as const;
const LOOK = { theme: 'light', format: 'png', width: 1_440, timeZone: 'Europe/Berlin' } as const;

/** Reads and draws a day of history again and again, as fast as it can, until it is stopped. */
export class Drawing {
  private readonly renderer = new ChartRenderer();
  private readonly times: number[] = [];
  private stopped = false;
  private readonly ended: Promise<void>;

  private constructor(private readonly store: MemoryStore) {
    this.ended = this.run();
  }

  static async start(): Promise<Drawing> {
    let wall = Date.now() - DAY_MS;
    const store = new MemoryStore(undefined, () => wall);
    const key = storeKeys('drawn/', BOOK.market, BOOK.symbol).history;
    for (let i = 0; i < SAMPLES; i++) {
      wall += EVERY_MS;
      await store.history.append(key, { epoch: 1, sample: sampleOf(i), ageMs: 0, forMs: 2 * DAY_MS });
    }
    return new Drawing(store);
  }

  async stop(): Promise<{ readonly charts: number; readonly medianMs: number }> {
    this.stopped = true;
    await this.ended;
    await this.renderer.closeIdle();
    await this.store.close();
    return { charts: this.times.length, medianMs: quantile(this.times, 0.5) };
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const begunAt = performance.now();
      const { samples, toMs } = await historySamples(this.store, 'drawn/', BOOK, { lastMs: DAY_MS });
      const chart = historyChart({ ...BOOK, samples, toMs, fromMs: null });
      if (chart === null) throw new Error('there is nothing to draw');
      await this.renderer.draw({ chart, look: LOOK });
      this.times.push(performance.now() - begunAt);
    }
  }
}

/** Pressure of both kinds in turns. */
function sampleOf(i: number): SampleContent {
  const percent = 15 * Math.sin(i / 540);
  const signal = Math.abs(percent) <= 10 ? 'NEUTRAL' : percent > 0 ? 'SELLING' : 'BUYING';
  return {
    ...{ lastUpdateId: i, mid: 97_000 + 500 * Math.sin(i / 1_200) + 50 * Math.sin(i * i), spread: 0.01 },
    ...{ imbalancePercent: percent, meanImbalancePercent60s: percent, smoothedPercent: percent },
    ...{ signal, reason: null, gateSignal: signal, gateState: signal === 'NEUTRAL' ? 'normal' : 'firing' },
    ...{
      resyncs: 0,
      alerts: 0,
      began: false,
      everyMs: EVERY_MS,
      measure: 'notional',
      depth: 20,
      threshold: 10,
      recoveryThreshold: 8,
    },
  };
}
