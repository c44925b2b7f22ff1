import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { chartRenderer, type RendererOptions } from '../../../src/charts/chartRenderer';
import { storeKeys } from '../../../src/store/keys';
import { runNode } from '../../support/engine';
import { OrderFlowData } from '../../support/nodes';
import { credentialsOf, eventually } from '../../support/storeFixtures';
import { EVERY_RUN, must, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { pause, until } from '../scene';
import { sharedRedis } from '../sharedRedis';
import { askRedis } from '../storeScene';
import { KEY_PREFIX, TriggerScene } from '../triggerScene';

const SYMBOL = 'BTCUSDT';
/** Enough for a picture on a machine that is busy; an alert waits 10 s for one, and a thread has 60. */
const ALERT_WAIT_MS = 2_500;
const DRAW_TIMEOUT_MS = 3_500;
const ALERT_WITHIN_MS = 20_000;
/** Alerts of which one has to be as expected: what was on its way when something changed is as it was before. */
const ALERTS = 8;
const REAL_THREAD = join(__dirname, '../../../dist/charts/chartWorker.js');

type Item = INodeExecutionData;

interface Trouble {
  readonly name: string;
  readonly place: 'memory' | 'redis';
  /** Is it an alert as this trouble makes them? */
  readonly alert: (item: Item) => boolean;
  /** What Get Chart of the book, and of the history, says; null where it gives a picture all the same. */
  readonly book: RegExp | null;
  readonly history: RegExp | null;
  /** @returns what mends it */
  begin(scene: TriggerScene): Promise<() => Promise<void>>;
}

const isDrawn = ({ binary }: Item): boolean => binary !== undefined;
const says =
  (why: RegExp) =>
  ({ json }: Item): boolean =>
    why.test(String(json.chartError));

/** The renderer that the nodes of this process share. */
const renderer = () =>
  chartRenderer() as unknown as {
    readonly options: { -readonly [name in keyof RendererOptions]: RendererOptions[name] };
    readonly current: object | null;
    readonly worker: object | null;
  };

let folder = '';
/** As long as this file is there, the thread does what is in it with each chart. */
const flag = () => join(folder, 'trouble.js');

/** The real thread, which looks for trouble before each chart. */
function troubledThread(): string {
  const file = join(folder, 'thread.js');
  const text = `const { existsSync, readFileSync } = require('node:fs');
require('node:worker_threads').parentPort.on('message', () => {
  if (existsSync(${JSON.stringify(flag())})) new Function('process', readFileSync(${JSON.stringify(flag())}, 'utf8'))(process);
});
require(${JSON.stringify(REAL_THREAD)});`;
  if (!existsSync(file)) writeFileSync(file, text);
  return file;
}

const thread = (name: string, does: string, why: RegExp): Trouble => ({
  ...{ name: `the thread ${name}`, place: 'memory', alert: says(why), book: why, history: why },
  begin() {
    writeFileSync(flag(), does);
    return Promise.resolve(() => Promise.resolve(rmSync(flag(), { force: true })));
  },
});

const inRedis = (name: string, begin: (key: string) => string, why: RegExp): Trouble => ({
  ...{ name, place: 'redis', alert: says(why), book: null, history: why },
  async begin() {
    const redis = await sharedRedis();
    const key = storeKeys(KEY_PREFIX, 'spot', SYMBOL).history;
    await askRedis(redis, begin(key));
    return async () => void (await askRedis(redis, `DEL ${key}`, 'ACL SETUSER default +xrevrange'));
  },
});

const TOO_LATE = /not done within .* s \[OF_CHART\]/;
const TROUBLES: readonly Trouble[] = [
  thread('ends', 'process.exit(3)', /thread ended with code 3 \[OF_CHART\]/),
  thread('throws', 'throw new Error("burst")', /burst \[OF_CHART\]/),
  thread('hangs', 'for (;;);', TOO_LATE),
  thread(
    'has no memory left',
    'for (const all = []; ; ) all.push(new Array(1e6).fill(0.5));',
    /memory.*\[OF_CHART\]/,
  ),
  {
    ...thread('is not there', '', /Cannot find module.*\[OF_CHART\]/),
    async begin() {
      renderer().options.workerFile = join(folder, 'none.js');
      const isGone = () => {
        void chartRenderer().closeIdle();
        return renderer().worker === null;
      };
      await until(isGone, 'a moment without a chart');
      return () => Promise.resolve(void (renderer().options.workerFile = troubledThread()));
    },
  },
  inRedis('a history of another type', (key) => `SET ${key} text`, /OF_REDIS_WRONG_TYPE/),
  inRedis('a history that may not be read', () => 'ACL SETUSER default -xrevrange', /OF_REDIS_PERMISSION/),
  {
    ...{ name: 'a book with one side', place: 'memory' },
    alert: ({ json }) => json.reason === 'empty-side',
    // What was before is drawn.
    ...{ book: /empty-side/, history: null },
    begin({ exchange, random }) {
      const id = exchange.faults.add({ kind: 'emptySide', side: random.pick(['bid', 'ask'] as const) });
      return Promise.resolve(() => Promise.resolve(exchange.faults.clear(id)));
    },
  },
];

/** Row 34: what keeps a chart from being drawn keeps no alert back. */
async function withoutPictures(seed: number): Promise<RunResult> {
  const trouble = TROUBLES[seed % TROUBLES.length];
  const { place } = trouble;
  Object.assign(renderer().options, { workerFile: troubledThread(), timeoutMs: DRAW_TIMEOUT_MS });
  const redis = place === 'redis' ? credentialsOf(await sharedRedis()) : null;
  try {
    return await TriggerScene.play(
      {
        ...{ seed, symbols: [SYMBOL], limits: { chartWaitMs: ALERT_WAIT_MS }, redis },
        exchange: { symbols: [{ symbol: SYMBOL, levels: 40 }] },
        parameters: {
          ...{ emit: 'signalChange', store: place },
          alerts: { pendingPeriod: 0, smoothingHalfLife: 0, cooldown: 0, keepFiringFor: 0, noSignalAfter: 0 },
          options: { attachChart: 'hour', historyEvery: 1 },
        },
      },
      (scene) =>
        act(scene, trouble, redis).catch((error: Error) => {
          throw new Error(`${trouble.name}: ${error.message}`);
        }),
    );
  } finally {
    rmSync(flag(), { force: true });
    // A thread that hangs is given up first.
    await until(() => renderer().current === null, 'the thread is given up', 2 * DRAW_TIMEOUT_MS);
    await chartRenderer().closeIdle();
  }
}

async function act(
  scene: TriggerScene,
  { begin, alert, book, history }: Trouble,
  redis: Record<string, unknown> | null,
): Promise<number> {
  await alertThat(scene, isDrawn);
  await pause(scene.random.whole(0, 300));
  const from = items(scene).length;
  const mend = await begin(scene);
  await alertThat(scene, alert, from);
  // A record may be a moment older than the alert.
  await eventually(() => shows(redis, 'book', book));
  await shows(redis, 'history', history);
  const begun = performance.now();
  await mend();
  await alertThat(scene, isDrawn);
  const tookMs = performance.now() - begun;
  await eventually(() => shows(redis, 'book', null));
  await shows(redis, 'history', null);
  const odd = items(scene).filter((item) => isDrawn(item) === (item.json.chartError !== undefined));
  must(odd.length === 0, `${odd.length} alerts have neither a picture nor a reason, or both`);
  return tookMs;
}

const items = ({ trigger }: TriggerScene): Item[] => trigger.executions.flatMap(([all]) => all);

/** The market leans now to one side and now to the other, until an alert comes as expected. */
async function alertThat(
  scene: TriggerScene,
  isRight: (item: Item) => boolean,
  from = items(scene).length,
): Promise<void> {
  const fresh = () => items(scene).slice(from);
  for (let count = 1; !fresh().some(isRight); count++) {
    must(
      count <= ALERTS,
      () => `no alert as expected: ${JSON.stringify(fresh().map(({ json }) => json.chartError))}`,
    );
    const before = items(scene).length;
    scene.exchange.pressure(SYMBOL, count % 2 === 0 ? 'bid' : 'ask', 4, 2_000);
    await until(() => items(scene).length > before, 'an alert', ALERT_WITHIN_MS);
  }
}

async function shows(
  redis: Record<string, unknown> | null,
  resource: 'book' | 'history',
  why: RegExp | null,
): Promise<void> {
  const { outputs, error } = await runNode({
    ...{ nodes: { data: new OrderFlowData() }, type: 'data' },
    credentials: redis === null ? {} : { orderFlowRedisApi: redis as IDataObject },
    parameters: {
      ...{ resource, operation: resource === 'book' ? 'bookChart' : 'historyChart', symbols: SYMBOL },
      ...{ store: redis === null ? 'memory' : 'redis', options: { keyPrefix: KEY_PREFIX } },
    },
  });
  const [item] = outputs.flat();
  const said = error?.message ?? String(item?.json.reason);
  if (why === null) must(item?.binary !== undefined, `no picture of the ${resource}: ${said}`);
  else must(item?.binary === undefined && why.test(said), `of the ${resource}: ${said}`);
}

export const chartRows: readonly Scenario[] = [
  {
    id: 34,
    name: 'charts',
    what: 'the thread that draws ends, throws, hangs, has no memory left or is not there; a history of another type or without the right to read it; a book with one side empty',
    expected:
      'each alert arrives, with a picture or with the reason why there is none; Get Chart says the reason; pictures again when it is over',
    maxRuns: REAL_RUNS,
    variants: TROUBLES.length,
    recovers: EVERY_RUN,
    prepare: async () => {
      folder = mkdtempSync(join(tmpdir(), 'orderflow-charts-'));
      await sharedRedis();
    },
    run: withoutPictures,
    finish: () => {
      Object.assign(renderer().options, { workerFile: '', timeoutMs: 60_000 });
      return Promise.resolve(rmSync(folder, { recursive: true, force: true }));
    },
  },
];
