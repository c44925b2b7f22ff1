import type { Figures, Part, PartOptions, PartResult, Series, Table, Target } from '../lib/part';
import { figure } from '../lib/stats';
import { N8N_VERSION } from '../../scripts/n8n/layout';
import { type ActionCost, measureAction } from './action';
import { ageBySecond, analyse, type LiveFigures } from './analysis';
import { type CheckCost, measureCheckCost } from './checkCost';
import { LiveBench, type LiveCase, type Mode } from './live';

/** What the project promises, milliseconds and microseconds. */
const OLDER_THAN_OWN_TIME_MS = 150;
/** n8n reads the workflow from its database before it takes an execution on. */
const BEYOND_IN_FLIGHT_MS = 50;
const US_A_CHECK = 2;

const OURS: readonly Mode[] = ['continuous', 'interval', 'signalChange'];
const WATCHED_MS = 15_000;

/** Of an n8n with nothing else to do; the naive ones leave it with a backlog. */
const CASES: readonly LiveCase[] = [
  ...OURS.flatMap((mode) => [1, 5, 20].map((symbols) => ({ mode, symbols, measuredMs: WATCHED_MS }))),
  { mode: 'continuous', symbols: 100, measuredMs: WATCHED_MS },
  { mode: 'naive', symbols: 1, measuredMs: WATCHED_MS },
  { mode: 'naive', symbols: 2, measuredMs: 50_000 },
  { mode: 'naive', symbols: 5, measuredMs: WATCHED_MS },
  { mode: 'naive', symbols: 20, measuredMs: WATCHED_MS },
];

const QUICK_CASES: readonly LiveCase[] = [
  ...OURS.map((mode) => ({ mode, symbols: 5, measuredMs: 2_500 })),
  { mode: 'naive', symbols: 5, measuredMs: 3_000 },
];

/** After the naive trigger with this many symbols n8n is started again: it would not catch up in time. */
const SWAMPED_FROM = 2;

export const part: Part = {
  name: 'n8n',
  summary:
    'frame received → execution started in a real n8n, the check on every update, the action in batches',
  needsPeers: false,
  run,
};

interface Live {
  readonly figures: LiveFigures;
  readonly series: Series;
}

async function run({ quick, progress }: PartOptions): Promise<PartResult> {
  const checks = measureCheckCost(quick, progress);
  const actions = await measureAction(quick, progress);
  const live = await runLive(quick ? QUICK_CASES : CASES, progress);
  const figures = live.map(({ figures }) => figures);
  return {
    figures: {
      live: figures.map((found): Figures => ({ ...found })),
      checks: checks.map((found): Figures => ({ ...found })),
      actions: actions.map((found): Figures => ({ ...found })),
    },
    tables: [liveTable(figures), delayTable(live), checkTable(checks), actionTable(actions)],
    plots: [
      {
        name: 'n8n-delay',
        title: 'Frame received to execution started, n8n on one machine',
        x: { label: 'seconds watched', scale: 'linear' },
        y: { label: 'age of the book, ms', scale: 'log' },
        series: live
          .filter(({ figures: { mode } }) => mode === 'naive' || mode === 'continuous')
          .map(({ series }) => series),
      },
    ],
    targets: targetsOf(figures, checks, actions),
    versions: { n8n: N8N_VERSION },
    notes: NOTES,
  };
}

const NOTES = [
  'Every workflow is trigger → a node that looks at the clock → Order Flow Imbalance on the item; successful executions are not saved. The age of a book is the time from the receipt of its last frame to the first node after the trigger, by one clock. Own time is from n8n’s taking an execution on to its end.',
  'The naive trigger emits each update as it comes and has n8n queue them. Only books whose execution has begun are counted, so its true delay is longer.',
  'With `signalChange` every side of every book is pressed in turns, and every crossing of 10 % is reported: far more signals than a real market with Calm Alerts gives.',
];

async function runLive(cases: readonly LiveCase[], progress: (text: string) => void): Promise<Live[]> {
  const bench = await LiveBench.start(progress);
  try {
    const found: Live[] = [];
    let swamped = false;
    for (const test of cases) {
      if (swamped) await bench.restart();
      progress(`${test.mode}, ${test.symbols} symbols, ${test.measuredMs / 1e3} s`);
      const watched = await bench.run(test);
      const figures = analyse(test, watched);
      const label = `${test.mode}, ${Math.round(figures.eventsPerSecond)} events/s`;
      found.push({ figures, series: { label, points: ageBySecond(watched).filter(([, ms]) => ms > 0) } });
      swamped = test.mode === 'naive' && test.symbols >= SWAMPED_FROM;
    }
    return found;
  } finally {
    await bench.close();
  }
}

function liveTable(live: readonly LiveFigures[]): Table {
  return {
    title: 'Frame received → execution started, real n8n',
    head: [
      ...['trigger', 'symbols', 'events/s', 'executions/s', 'age ms, median', 'age ms, p99'],
      ...[
        'from the event, p99',
        'own time ms, median',
        'own, p99',
        'age beyond own, p99',
        'wait beyond the one in flight ms, p99',
      ],
      ...['passed over', 'events an execution'],
    ],
    rows: live.map((found) => [
      ...[found.mode, String(found.symbols), figure(found.eventsPerSecond)],
      ...[figure(found.executionsPerSecond), figure(found.ageMedianMs), figure(found.ageP99Ms)],
      ...[figure(found.eventAgeP99Ms), figure(found.ownMedianMs), figure(found.ownP99Ms)],
      ...[
        figure(found.beyondOwnP99Ms),
        figure(found.beyondInFlightP99Ms),
        String(found.passedOver),
        figure(found.eventsPerExecution),
      ],
    ]),
  };
}

const SHOWN_SECONDS = [1, 5, 10, 15, 20, 30, 40, 50];

/** How the delay goes on: flat, or growing without end. */
function delayTable(live: readonly Live[]): Table {
  const shown = live.filter(({ figures: { mode } }) => mode === 'naive' || mode === 'continuous');
  return {
    title: 'Age of the book that an execution begins with, ms, by seconds watched',
    head: ['trigger', ...SHOWN_SECONDS.map((second) => `${second} s`)],
    rows: shown.map(({ series: { label, points } }) => {
      const at = new Map(points);
      return [label, ...SHOWN_SECONDS.map((second) => figure(at.get(second) ?? NaN))];
    }),
  };
}

function checkTable(checks: readonly CheckCost[]): Table {
  return {
    title: 'A check on every update: measure, order flow, mean and gate of one symbol of 10 000 levels',
    head: ['', 'µs, median', 'µs, p99', 'bytes of garbage', 'alerts of checks'],
    rows: checks.map(({ label, usMedian, usP99, bytes, alerts, checks: all }) => [
      ...[label, figure(usMedian), figure(usP99), figure(bytes), `${alerts} of ${all}`],
    ]),
  };
}

function actionTable(actions: readonly ActionCost[]): Table {
  return {
    title: 'Order Flow Imbalance in n8n’s engine, books from Redis',
    head: ['one run of the node', 'results', 'ms a run', 'results/s', 'round trips', 'commands'],
    rows: actions.map(({ label, results, ms, resultsPerSecond, roundTrips, commands }) => [
      ...[label, String(results), figure(ms), figure(resultsPerSecond)],
      ...[String(roundTrips), String(commands)],
    ]),
  };
}

function targetsOf(
  live: readonly LiveFigures[],
  checks: readonly CheckCost[],
  actions: readonly ActionCost[],
): Target[] {
  return [
    ...live.flatMap((found): Target[] => {
      const name = `${found.mode}, ${found.symbols} symbols`;
      if (found.mode === 'continuous' || found.mode === 'interval')
        return [
          {
            text: `${name}: age beyond the execution’s own time at p99, ms`,
            value: found.beyondOwnP99Ms,
            limit: OLDER_THAN_OWN_TIME_MS,
            kind: 'atMost',
          },
        ];
      if (found.mode === 'signalChange')
        return [
          {
            text: `${name}: wait beyond the execution in flight at p99, ms`,
            value: found.beyondInFlightP99Ms,
            limit: BEYOND_IN_FLIGHT_MS,
            kind: 'atMost',
          },
        ];
      return [];
    }),
    ...checks
      .filter(({ id }) => id === 'unchanged' || id === 'smoothed')
      .map(({ label, usMedian }): Target => ({
        text: `a check, ${label}: µs, median`,
        value: usMedian,
        limit: US_A_CHECK,
        kind: 'atMost',
      })),
    ...actions
      .filter(({ id }) => id === 'items' || id === 'symbols')
      .map(({ label, roundTrips }): Target => ({
        text: `${label}: round trips to Redis`,
        value: roundTrips,
        limit: 1,
        kind: 'atMost',
      })),
  ];
}
