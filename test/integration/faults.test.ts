import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCENARIOS } from '../faults/all';
import { MUTANTS } from '../faults/mutants';
import { soakRow } from '../faults/rows/soak';
import { runRow } from '../faults/runner';
import { stopSharedRedis } from '../faults/sharedRedis';

/** `npm run faults` with few seeds; every row is here, those on real sockets once. */
const SEEDS_IN_PROCESS = 10;

/** A soak long enough to see that it works. */
const SHORT_SOAK = soakRow({ hours: 0.01, symbols: 30 });
const ROWS = SCENARIOS.map((row) => (row.id === SHORT_SOAK.id ? SHORT_SOAK : row));

afterAll(stopSharedRedis);

test.each(ROWS.map((scenario) => [`${scenario.id} ${scenario.name}`, scenario] as const))(
  'row %s',
  async (_name, scenario) => {
    const seeds = scenario.maxRuns === Infinity ? SEEDS_IN_PROCESS : 1;
    const row = await runRow(scenario, { firstSeed: 1, seeds });
    expect(row.failures).toEqual([]);
    expect(row).toMatchObject({ runs: seeds, passed: seeds, leaks: 0 });
  },
);

test('the weekly run has every row, once', () => {
  const workflow = readFileSync(join(__dirname, '../../.github/workflows/faults.yml'), 'utf8');
  const [, lists = ''] = /^ *rows:\s*\[([^\]]*)\]/m.exec(workflow) ?? [];
  const rows = (lists.match(/\d+/g) ?? []).map(Number).sort((a, b) => a - b);
  expect(rows).toEqual(SCENARIOS.map(({ id }) => id));
});

test('a hundred seeds run every variant of every row', () => {
  const short = SCENARIOS.filter(({ variants = 1, maxRuns }) => variants > Math.min(100, maxRuns));
  expect(short.map(({ id, variants, maxRuns }) => ({ id, variants, maxRuns }))).toEqual([]);
});

test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
  'the hand-made bug "%s" is caught',
  async (_name, mutant) => {
    expect(await mutant.caught(20)).toBe(true);
  },
);
