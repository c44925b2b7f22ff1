/** `npm run docs:charts`: the pictures of docs/charts.md, of books that are made for it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Level } from '../src/book/types';
import { ChartRenderer } from '../src/charts/chartRenderer';
import type { Chart, ChartLook, ChartSample } from '../src/charts/types';

const FOLDER = join(__dirname, '..', 'docs', 'images');
/** 29 November 2026, 12:00 UTC. */
const NOW_MS = 1_795_953_600_000;

/** Numbers from 0 to 1 that are the same at each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

function side(best: number, sign: 1 | -1, count: number, next: () => number): Level[] {
  let cents = Math.round(best * 100);
  return Array.from({ length: count }, (): Level => {
    const level: Level = [(cents / 100).toFixed(2), (0.05 + next() ** 3 * 4).toFixed(5)];
    cents += sign * (1 + Math.floor(next() * 40));
    return level;
  });
}

const next = random(11);
const BOOK: Chart = {
  ...{ kind: 'depth', symbol: 'BTCUSDT', market: 'Binance Spot', priceUnit: 'USDT', quantityUnit: 'BTC' },
  ...{ timeMs: NOW_MS, levels: 20, bidsComplete: false, asksComplete: false },
  bids: side(97_000.5, -1, 60, next),
  asks: side(97_000.51, 1, 60, next),
};

const MINUTE_MS = 60_000;
const THRESHOLD = 10;
const RECOVERY = 8;

/** A day of samples whose alerts begin beyond the threshold and end below the recovery, with an hour missing. */
function day(): ChartSample[] {
  const samples: ChartSample[] = [];
  let [mid, percent] = [96_800, 0];
  let firing: ChartSample['firing'] = null;
  for (let i = 0; i < 24 * 60; i++) {
    percent = 0.985 * percent + 5 * (next() - 0.5);
    mid *= 1 + 0.0012 * (next() - 0.5) - percent * 1.2e-6;
    const size = Math.abs(percent);
    const before: ChartSample['firing'] = firing;
    if (before === null && size > THRESHOLD + 2) firing = percent > 0 ? 'SELLING' : 'BUYING';
    else if (before !== null && size < RECOVERY - 3) firing = null;
    const alert = before === firing ? null : (firing ?? 'NEUTRAL');
    if (i > 900 && i < 960) continue;
    samples.push({
      ...{
        timeMs: NOW_MS - (24 * 60 - i) * MINUTE_MS,
        mid: Math.round(mid * 100) / 100,
        percent,
        firing,
        alert,
      },
      ...{ threshold: THRESHOLD, afterGap: i === 960 },
    });
  }
  return samples;
}

const HISTORY: Chart = {
  ...{ kind: 'history', symbol: 'BTCUSDT', market: 'Binance Spot', priceUnit: 'USDT', samples: day() },
  ...{
    fromMs: NOW_MS - 24 * 60 * MINUTE_MS,
    toMs: NOW_MS,
    measure: 'notional, 20 levels',
    recovery: RECOVERY,
  },
};

const LOOK: ChartLook = { format: 'png', theme: 'light', width: 720, timeZone: 'Europe/Berlin' };
const PICTURES: ReadonlyArray<readonly [name: string, chart: Chart, look: Partial<ChartLook>]> = [
  ['chart-depth', BOOK, {}],
  ['chart-depth-dark', BOOK, { theme: 'dark' }],
  ['chart-history', HISTORY, {}],
  ['chart-history-dark', HISTORY, { theme: 'dark' }],
];

async function main(): Promise<void> {
  const renderer = new ChartRenderer();
  for (const [name, chart, look] of PICTURES) {
    const { bytes } = await renderer.draw({ chart, look: { ...LOOK, ...look } });
    writeFileSync(join(FOLDER, `${name}.png`), bytes);
  }
  await renderer.closeIdle();
}

void main();
