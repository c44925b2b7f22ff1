import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { MarketId } from '../src/feed/markets';
import { OrderFlowError, toOrderFlowError } from '../src/runtime/errors';
import { readNumber } from '../src/runtime/validate';
import { bareGate, readGateParameters } from '../src/signal/gate/gateParameters';
import { SIGNAL_DEFAULTS } from '../src/signal/parameters';
import { printBudget } from './calm/budget/print';
import { figuresOf, plantedOf, provePair, provePairs } from './calm/budget/proof';
import { poissonInterval } from './calm/poisson';
import { alertsOnRecording } from './calm/recorded';
import { alertsOnNoise, plantPressure } from './calm/synthetic';

const USAGE = `npm run calm -- [--data DIR] [--hours 24] [--plantings 100] [--strength 0.8] [--seed 1] [--json]
  How many alerts an hour the defaults give, with and without the gate: on the recordings (ORDERFLOW_DATA or
  ../shared/data), on a synthetic day of noise, and how many planted stretches of pressure are reported.

npm run calm -- --budget [--pairs 60] [--seed 1] [--json]
  How well a budget of alerts a day is met: one day to learn, one to count, then the same after a change of mood.
`;

const RECORDINGS: ReadonlyArray<readonly [folder: string, market: MarketId]> = [
  ['spot-ethusdt-2024-08', 'spot'],
  ['usdm-ethusdt-2024-08', 'usdm'],
  ['coinm-ethusd_perp-2024-08', 'coinm'],
  ['spot-nknusdt-2021-10', 'spot'],
  ['us-compusdt-2021-10', 'us'],
];

/** Strong pressure: the larger side is nine times the smaller. */
const STRENGTH = 0.8;

interface Rate {
  readonly name: string;
  readonly hours: number;
  readonly bare: number;
  readonly gated: number;
}

async function main(argv: readonly string[]): Promise<void> {
  const values = readArguments(argv);
  if (values.help) {
    console.error(USAGE);
    return;
  }
  const hours = readNumber('--hours', values.hours, { min: 0.1, max: 240 }, 24);
  const plantings = readNumber('--plantings', values.plantings, { min: 1, max: 10_000, whole: true }, 100);
  const strength = readNumber('--strength', values.strength, { min: 0, max: 0.95 }, STRENGTH);
  const seed = values.seed ?? '1';
  if (values.budget) return proveBudget(values, seed);
  const { levels, threshold } = SIGNAL_DEFAULTS;
  const bare = bareGate(threshold);
  const gate = readGateParameters(threshold, {});

  const recorded: Rate[] = [];
  const data = values.data ?? process.env.ORDERFLOW_DATA ?? resolve(__dirname, '../../shared/data');
  for (const [folder, market] of RECORDINGS) {
    const path = join(data, folder);
    if (!existsSync(path)) continue;
    recorded.push({ name: folder, ...(await alertsOnRecording(path, market, levels, bare, gate)) });
  }
  const total = (key: 'hours' | 'bare' | 'gated') => recorded.reduce((sum, rate) => sum + rate[key], 0);
  const pooled: Rate = {
    name: 'all recordings',
    hours: total('hours'),
    bare: total('bare'),
    gated: total('gated'),
  };
  const noise: Rate = { name: `synthetic, ${hours} h`, ...alertsOnNoise(seed, hours, levels, bare, gate) };
  const planted = plantPressure(`planted ${seed}`, plantings, strength, levels, gate);

  if (values.json) {
    console.log(JSON.stringify({ recorded, pooled, noise, planted, gate }));
    return;
  }
  console.log('Alerts an hour, 95 % Poisson interval (exact) in brackets\n');
  console.log(
    `${''.padEnd(28)}${'hours'.padStart(7)}${'bare rule'.padStart(26)}${'with the gate'.padStart(26)}`,
  );
  if (recorded.length === 0) console.log(`no recordings in ${data}: skipped`);
  else [...recorded, pooled].forEach(printRate);
  printRate(noise);
  const median = planted.medianMs === null ? '' : `, median ${(planted.medianMs / 1000).toFixed(1)} s`;
  console.log(
    `\nPressure of 60 s, strength ${strength}: ${planted.reported} of ${planted.plantings} reported within 30 s${median}`,
  );
}

function printRate({ name, hours, bare, gated }: Rate): void {
  const cells = [
    name.padEnd(28),
    hours.toFixed(3).padStart(7),
    rateText(bare, hours).padStart(26),
    rateText(gated, hours).padStart(26),
  ];
  console.log(cells.join(''));
}

function rateText(count: number, hours: number): string {
  const [low, high] = poissonInterval(count).map((mean) => mean / hours);
  const digits = count / hours >= 100 ? 0 : 1;
  return `${(count / hours).toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

/** Each pair in a process of its own, as many at once as there are cores. */
async function proveBudget(values: ReturnType<typeof readArguments>, seed: string): Promise<void> {
  if (values.pair !== undefined) {
    console.log(JSON.stringify(provePair(Number(values.pair), seed)));
    return;
  }
  const pairs = readNumber('--pairs', values.pairs, { min: 1, max: 10_000, whole: true }, 60);
  const results = await provePairs(
    pairs,
    (index) => ['--import', 'tsx', __filename, '--budget', '--pair', String(index), '--seed', seed],
    (done) => console.error(`${done} of ${pairs} pairs of days`),
  );
  const figures = figuresOf(results);
  const planted = plantedOf(results);
  if (values.json) console.log(JSON.stringify({ figures, planted, results }));
  else printBudget(figures, planted);
}

function readArguments(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        data: { type: 'string' },
        hours: { type: 'string' },
        plantings: { type: 'string' },
        strength: { type: 'string' },
        seed: { type: 'string' },
        budget: { type: 'boolean', default: false },
        pairs: { type: 'string' },
        pair: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new OrderFlowError('OF_PARAMETER', error instanceof Error ? error.message : String(error));
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const known = toOrderFlowError(error);
  console.error(`${known.code}: ${known.message}. ${known.remedy}`);
  process.exitCode = 1;
});
