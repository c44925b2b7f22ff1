import type { IDataObject } from 'n8n-workflow';
import { createClient } from 'redis';
import { OrderFlowImbalance } from '../../nodes/OrderFlowImbalance/OrderFlowImbalance.node.js';
import type { Level } from '../../src/book/types';
import { storeKeys } from '../../src/store/keys';
import { openStore } from '../../src/store/openStore';
import { closeIdleRedisConnections } from '../../src/store/redisPool';
import type { BookContent } from '../../src/store/types';
import { runNode } from '../../test/support/engine';
import { startRedis, type RedisServer } from '../../test/support/redisServer';
import { seededRandom } from '../lib/random';
import { median } from '../lib/stats';

const NODE = 'imbalance';
const nodes = { [NODE]: new OrderFlowImbalance() };
const BATCH = 1_000;
const LEVELS = 20;
const KEY_PREFIX = 'bench/';
const FEED_TTL_MS = 3_600_000;

/** What a run of the action node over some items took. */
export interface ActionCost {
  readonly id: string;
  readonly label: string;
  /** Results of one run. */
  readonly results: number;
  /** Of one run, median. */
  readonly ms: number;
  readonly resultsPerSecond: number;
  /** Of one run, as Redis counts them. */
  readonly commands: number;
  /** Times that this process handed the socket something, for one run. */
  readonly roundTrips: number;
}

interface Case {
  readonly id: string;
  readonly label: string;
  readonly parameters: IDataObject;
  readonly items: IDataObject[];
  readonly results: number;
}

const name = (i: number) => `S${i}USDT`;
const names = Array.from({ length: BATCH }, (_, i) => name(i));
const symbols = (value: string) => ({ __rl: true, mode: 'name', value });
const common = { store: 'redis', source: 'store', market: 'spot' };
const quietly = { keyPrefix: KEY_PREFIX, publish: false, maxAge: 0 };
const telling = { ...quietly, publish: true };

const CASES: readonly Case[] = [
  {
    id: 'single',
    label: 'one item',
    parameters: { ...common, symbols: symbols(name(0)), options: quietly },
    items: [{}],
    results: 1,
  },
  {
    id: 'singlePublished',
    label: 'one item, result published (default)',
    parameters: { ...common, symbols: symbols(name(0)), options: telling },
    items: [{}],
    results: 1,
  },
  {
    id: 'items',
    label: '1 000 items, each its symbol by expression',
    parameters: { ...common, symbols: symbols('={{ $json.symbol }}'), options: quietly },
    items: names.map((symbol) => ({ symbol })),
    results: BATCH,
  },
  {
    id: 'symbols',
    label: 'one item that asks for 1 000 symbols',
    parameters: { ...common, symbols: symbols(names.join(',')), options: quietly },
    items: [{}],
    results: BATCH,
  },
  {
    id: 'symbolsPublished',
    label: 'the same, results published (default)',
    parameters: { ...common, symbols: symbols(names.join(',')), options: telling },
    items: [{}],
    results: BATCH,
  },
  {
    id: 'symbolsOnChange',
    label: 'the same, on change only (a state a symbol)',
    parameters: { ...common, symbols: symbols(names.join(',')), emit: 'change', options: quietly },
    items: [{}],
    results: 0,
  },
];

function bookOf(symbol: string, random: () => number): BookContent {
  const side = (sign: number): Level[] =>
    Array.from({ length: LEVELS }, (_, i) => [
      String((100_000 + sign * (i + 1)) / 100),
      String(Math.ceil(random() * 1e5) / 1e5),
    ]);
  return {
    ...{ lastUpdateId: 35_346_513_512, levels: LEVELS, market: 'spot', symbol },
    ...{ eventTimeMs: Date.now(), receivedAtMs: Date.now() },
    ...{ bidsComplete: false, asksComplete: false, resyncs: 0, updateSpeedMs: 100 },
    bids: side(-1),
    asks: side(1),
  };
}

const credentialOf = ({ host, port }: RedisServer) => ({
  ...{ host, port, user: '', password: '', database: 0, tls: false, ca: '' },
});

async function fill(credentials: unknown): Promise<void> {
  const store = openStore({ kind: 'redis', credentials });
  const random = seededRandom(1);
  try {
    await store.ready();
    await Promise.all(
      names.map((symbol) =>
        store.save(storeKeys(KEY_PREFIX, 'spot', symbol).orderbook, {
          ...{ tenure: 'claim', epoch: 0, liveAgeMs: 0, ttlMs: FEED_TTL_MS },
          content: bookOf(symbol, random),
        }),
      ),
    );
  } finally {
    await store.close();
  }
}

/** What Redis says of all its clients so far: commands run, and times that it found something to read. */
async function served(monitor: { info(section: string): Promise<string> }) {
  const stats = await monitor.info('stats');
  const read = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(stats)?.[1] ?? NaN);
  return { commands: read('total_commands_processed'), reads: read('total_reads_processed') };
}

/** The action node in n8n's engine against a Redis of its own, in single checks and in batches. */
export async function measureAction(
  quickly: boolean,
  progress: (text: string) => void,
): Promise<readonly ActionCost[]> {
  const server = await startRedis();
  const monitor = createClient({ url: server.url });
  try {
    await monitor.connect();
    const credentials = credentialOf(server);
    await fill(credentials);
    const costs: ActionCost[] = [];
    for (const test of CASES) {
      progress(`action node: ${test.label}`);
      costs.push(await measureCase(test, credentials, monitor, quickly));
    }
    return costs;
  } finally {
    monitor.destroy();
    await closeIdleRedisConnections();
    await server.stop();
  }
}

async function measureCase(
  test: Case,
  credentials: IDataObject,
  monitor: { info(section: string): Promise<string> },
  quickly: boolean,
): Promise<ActionCost> {
  const single = test.items.length === 1 && test.results === 1;
  const runs = (quickly ? 1 : 10) * (single ? 20 : 1);
  const run = () =>
    runNode({
      ...{ nodes, type: NODE, parameters: test.parameters, items: test.items },
      credentials: { orderFlowRedisApi: credentials },
    });
  const check = ({ outputs, error }: Awaited<ReturnType<typeof run>>) => {
    if (error !== undefined) throw error;
    const results = outputs.flat();
    const judged = results.filter(({ json }) => json.signal !== null);
    if (judged.length !== test.results)
      throw new Error(
        `${test.label}: ${judged.length} of ${test.results} books were judged: ${JSON.stringify(results[0]?.json)}`,
      );
  };
  for (let i = 0; i < runs; i++) check(await run());
  const times: number[] = [];
  const before = await served(monitor);
  for (let i = 0; i < runs; i++) {
    const from = performance.now();
    const done = await run();
    times.push(performance.now() - from);
    check(done);
  }
  const after = await served(monitor);
  const ms = median(times);
  const size = Math.max(test.results, test.items.length, single ? 1 : BATCH);
  return {
    ...{ id: test.id, label: test.label, results: size, ms },
    resultsPerSecond: (size / ms) * 1e3,
    // The second look is one command and one read itself.
    commands: (after.commands - before.commands - 1) / runs,
    roundTrips: (after.reads - before.reads - 1) / runs,
  };
}
