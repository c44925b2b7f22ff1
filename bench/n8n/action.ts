import type { IDataObject } from 'n8n-workflow';
import { createClient } from 'redis';
import { OrderFlowImbalance } from '../../nodes/OrderFlowImbalance/OrderFlowImbalance.node.js';
import type { Level } from '../../src/book/types';
import { storeKeys } from '../../src/store/keys';
import { openStore } from '../../src/store/openStore';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import type { BookContent } from '../../src/store/types';
import { runNode } from '../../test/support/engine';
import { startRedis } from '../../test/support/redisServer';
import { seededRandom } from '../lib/random';
import { median } from '../lib/stats';
import { Relay } from './relay';

const NODE = 'imbalance';
const nodes = { [NODE]: new OrderFlowImbalance() };
const BATCH = 1_000;
const LEVELS = 20;
const KEY_PREFIX = 'bench/';
const FEED_TTL_MS = 3_600_000;
/** Characters of the symbols' field. */
const MANY_SYMBOLS = 100;

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
  /** Of one run: times that the node waits for Redis. */
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

const credentialOf = (port: number) => ({
  ...{ host: '127.0.0.1', port, user: '', password: '', database: 0, tls: false, ca: '' },
});

async function fill(credentials: unknown): Promise<void> {
  const store = openStore({ kind: 'redis', credentials });
  const random = seededRandom(1);
  try {
    await store.ready();
    await Promise.all(
      names.map((symbol) =>
        store.save(storeKeys(KEY_PREFIX, 'spot', symbol).orderbook, {
          ...{ role: 'claim', epoch: 0, liveAgeMs: 0, ttlMs: FEED_TTL_MS },
          content: bookOf(symbol, random),
        }),
      ),
    );
  } finally {
    await store.close();
  }
}

interface Monitor {
  info(section: string): Promise<string>;
}

/** Commands that Redis has run so far, of all its clients. */
async function commandsRun(monitor: Monitor): Promise<number> {
  const stats = await monitor.info('stats');
  return Number(/^total_commands_processed:(\d+)/m.exec(stats)?.[1] ?? NaN);
}

/** The action node in n8n's engine against a Redis of its own, in single checks and in batches. */
export async function measureAction(
  quickly: boolean,
  progress: (text: string) => void,
): Promise<readonly ActionCost[]> {
  const server = await startRedis();
  const relay = await Relay.start(server.port);
  const monitor = createClient({ url: server.url });
  try {
    await monitor.connect();
    await fill(credentialOf(server.port));
    const costs: ActionCost[] = [];
    for (const test of CASES) {
      progress(`action node: ${test.label}`);
      const timed = await timeCase(test, credentialOf(server.port), monitor, quickly);
      costs.push({ ...timed, roundTrips: await countRoundTrips(test, relay) });
    }
    return costs;
  } finally {
    monitor.destroy();
    await closeIdleRedisConnections();
    await relay.close();
    await server.stop();
  }
}

/** @throws Error where not every book was judged: what is timed would not be the work */
async function runCase(test: Case, credentials: IDataObject): Promise<number> {
  const from = performance.now();
  const { outputs, error } = await runNode({
    ...{ nodes, type: NODE, parameters: test.parameters, items: test.items },
    credentials: { orderFlowRedisApi: credentials },
  });
  const ms = performance.now() - from;
  if (error !== undefined) throw error;
  const results = outputs.flat();
  const judged = results.filter(({ json }) => json.signal !== null).length;
  if (judged !== test.results) {
    const first = JSON.stringify(results[0]?.json);
    throw new Error(`${test.label}: ${judged} of ${test.results} books were judged: ${first}`);
  }
  return ms;
}

async function timeCase(
  test: Case,
  credentials: IDataObject,
  monitor: Monitor,
  quickly: boolean,
): Promise<Omit<ActionCost, 'roundTrips'>> {
  const size = isSingle(test) ? 1 : BATCH;
  const runs = quickly ? 2 : isSingle(test) ? 300 : 15;
  for (let i = 0; i < runs; i++) await runCase(test, credentials);
  const before = await commandsRun(monitor);
  const times: number[] = [];
  for (let i = 0; i < runs; i++) times.push(await runCase(test, credentials));
  // The look before counts itself.
  const commands = ((await commandsRun(monitor)) - before - 1) / runs;
  const ms = median(times);
  return { id: test.id, label: test.label, results: size, ms, resultsPerSecond: (size / ms) * 1e3, commands };
}

async function countRoundTrips(test: Case, relay: Relay): Promise<number> {
  const credentials = credentialOf(relay.port);
  // The first run opens the connection.
  await runCase(test, credentials);
  const before = relay.roundTrips;
  await runCase(test, credentials);
  return relay.roundTrips - before;
}

const isSingle = ({ items, parameters }: Case) =>
  items.length === 1 && JSON.stringify(parameters.symbols).length < MANY_SYMBOLS;
