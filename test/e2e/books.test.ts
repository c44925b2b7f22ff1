import { setTimeout as delay } from 'node:timers/promises';
import { type Exchange, type MarketId } from '../../exchange';
import type { Collector, Received } from '../../scripts/n8n/collector';
import { connect, nodeTypes, postNode, symbolsValue } from '../../scripts/n8n/workflowBuilder';
import type { Workflow } from '../../scripts/n8n/workflowTypes';
import { baseUrls, Bench } from './support';
import { trueSignal } from './trueSignal';

const BRANCHES = ['no-signal', 'selling', 'buying', 'neutral'] as const;
const OUTPUT_OF: Record<string, (typeof BRANCHES)[number]> = {
  SELLING: 'selling',
  BUYING: 'buying',
  NEUTRAL: 'neutral',
};
/** Seconds between executions of each trigger, and how long they are watched. */
const INTERVAL = 1;
const WATCHED_MS = 25_000;
const FIRST_ITEMS_MS = 20_000;
/** How long the feed may take for a deeper book than it had so far. */
const JOINING_MS = 2_000;

interface Case {
  readonly id: string;
  readonly market: 'spot' | 'usdm' | 'coinm';
  readonly symbols: readonly string[];
  readonly store: 'memory' | 'redis';
  readonly source: 'store' | 'item';
  readonly levels: number;
  readonly threshold: number;
}

/** Both stores, three markets, several N and thresholds, three symbols in one trigger, several workflows on BTCUSDT. */
const CASES: readonly Case[] = [
  {
    id: 'spot3-memory',
    market: 'spot',
    symbols: ['btcusdt', 'ETHUSDT', '币安人生USDT'],
    store: 'memory',
    source: 'store',
    levels: 20,
    threshold: 10,
  },
  {
    id: 'spot-again-item',
    market: 'spot',
    symbols: ['BTCUSDT'],
    store: 'memory',
    source: 'item',
    levels: 100,
    threshold: 25,
  },
  {
    id: 'spot3-redis',
    market: 'spot',
    symbols: ['BTCUSDT', 'ETHUSDT', '币安人生USDT'],
    store: 'redis',
    source: 'store',
    levels: 5,
    threshold: 1,
  },
  {
    id: 'usdm-memory',
    market: 'usdm',
    symbols: ['BTCUSDT'],
    store: 'memory',
    source: 'store',
    levels: 20,
    threshold: 33.3,
  },
  {
    id: 'usdm-redis',
    market: 'usdm',
    symbols: ['BTCUSDT', 'ETHUSDT'],
    store: 'redis',
    source: 'item',
    levels: 50,
    threshold: 10,
  },
  {
    id: 'coinm-memory',
    market: 'coinm',
    symbols: ['BTCUSD_PERP'],
    store: 'memory',
    source: 'item',
    levels: 10,
    threshold: 5,
  },
  {
    id: 'coinm-redis',
    market: 'coinm',
    symbols: ['BTCUSD_PERP', 'ETHUSD_PERP'],
    store: 'redis',
    source: 'store',
    levels: 20,
    threshold: 10,
  },
];

interface BookItem {
  readonly symbol: string;
  readonly market: string;
  readonly lastUpdateId: number;
  readonly eventTimeMs: number | null;
  readonly receivedAtMs: number;
  readonly bids: Array<[string, string]>;
  readonly asks: Array<[string, string]>;
}

interface SignalItem extends BookItem {
  readonly signal: string | null;
  readonly reason: string | null;
  readonly weightedBids: number;
  readonly weightedAsks: number;
  readonly imbalance: number;
}

let bench: Bench;
let collector: Collector;
let exchanges: Record<Case['market'], Exchange>;
let watchedUntilMs = 0;
const firstBookAtMs = new Map<string, number>();

function workflowOf(test: Case, credentials: Record<string, { id: string; name: string }>): Workflow {
  const types = nodeTypes();
  const fromRedis = test.store === 'redis' ? credentials : undefined;
  return {
    name: test.id,
    settings: { executionOrder: 'v1', saveDataSuccessExecution: 'none' },
    nodes: [
      {
        name: 'Trigger',
        type: types.trigger,
        typeVersion: 1,
        position: [0, 0],
        credentials: fromRedis,
        parameters: {
          market: test.market,
          symbols: symbolsValue(test.symbols.join(', ')),
          interval: INTERVAL,
          levels: test.levels,
          store: test.store,
          options: { ...baseUrls(exchanges[test.market]), saveEvery: 0.5, keyPrefix: `${test.id}/` },
        },
      },
      {
        name: 'Imbalance',
        type: types.imbalance,
        typeVersion: 1,
        position: [200, 0],
        credentials: fromRedis,
        parameters: {
          source: test.source,
          store: test.store,
          market: test.market,
          symbols: symbolsValue('={{ $json.symbol }}'),
          levels: test.levels,
          threshold: test.threshold,
          options: { includeLevels: true, keyPrefix: `${test.id}/` },
        },
      },
      postNode('Books', `${collector.url}/${test.id}/book`, [200, 200]),
      ...BRANCHES.map((branch, index) =>
        postNode(branch, `${collector.url}/${test.id}/${branch}`, [400, index * 100]),
      ),
    ],
    connections: connect(
      ['Trigger', 0, 'Books'],
      ['Trigger', 0, 'Imbalance'],
      ...BRANCHES.map((branch, index) => ['Imbalance', index, branch] as const),
    ),
  };
}

/**
 * The item's levels against the exchange's own book at that update id, to the digit. A workflow that joins a feed of
 * shallower ones may for a moment get fewer levels than it asks for, never other ones.
 */
function expectTrueBook(test: Case, item: BookItem): void {
  const truth = exchanges[test.market].trueBook(item.symbol, item.lastUpdateId, test.levels);
  if (!truth) throw new Error(`${item.symbol} never had the update id ${item.lastUpdateId}`);
  expect(item.market).toBe(test.market);
  expect(item.bids).toEqual(truth.bids.slice(0, item.bids.length));
  expect(item.asks).toEqual(truth.asks.slice(0, item.asks.length));
  if (isShort(test, item)) {
    expect(item.receivedAtMs - (firstBookAtMs.get(test.id) ?? 0)).toBeLessThan(JOINING_MS);
  }
}

const isShort = ({ levels }: Case, { bids, asks }: BookItem) => bids.length < levels || asks.length < levels;

function contractSize({ market }: Case, symbol: string): number | null {
  if (market !== 'coinm') return null;
  return symbol.startsWith('BTCUSD_') ? 100 : 10;
}

beforeAll(async () => {
  bench = await Bench.open();
  collector = await bench.collector();
  const options = (market: MarketId, symbols: string[]) => ({
    market,
    seed: 7,
    symbols: symbols.map((symbol) => ({ symbol, levels: 600 })),
  });
  exchanges = {
    spot: await bench.exchange(options('spot', ['BTCUSDT', 'ETHUSDT', '币安人生USDT'])),
    usdm: await bench.exchange(options('usdm', ['BTCUSDT', 'ETHUSDT'])),
    coinm: await bench.exchange(options('coinm', ['BTCUSD_PERP', 'ETHUSD_PERP'])),
  };
  const redis = await bench.redis();
  const credentials = await bench.redisCredential(redis);
  for (const test of CASES) await bench.publish(workflowOf(test, credentials));
  await collector.until(
    (received) => CASES.every(({ id }) => received.some(({ path }) => path === `${id}/book`)),
    FIRST_ITEMS_MS,
    'a first item of every workflow',
  );
  for (const test of CASES) firstBookAtMs.set(test.id, booksOf(test)[0].atMs);
  await delay(WATCHED_MS);
  watchedUntilMs = Date.now();
});

afterAll(() => bench.close());

const booksOf = ({ id }: Case) =>
  collector.at(encodeURI(`${id}/book`)) as Array<Received & { body: BookItem }>;

test('workflows on one market share one connection, and no symbol is subscribed to twice', () => {
  for (const exchange of Object.values(exchanges)) {
    expect(exchange.stats.openConnections).toBe(1);
    expect(exchange.stats.mostSubscribersOfADiff).toBe(1);
  }
});

describe.each(CASES)('$id: $symbols, N = $levels, $threshold %, $store', (test_) => {
  test('every book equals the exchange’s own at its update id, level by level and digit by digit', () => {
    const books = booksOf(test_);
    expect(books.length).toBeGreaterThanOrEqual((test_.symbols.length * WATCHED_MS) / 1000 / INTERVAL / 2);
    for (const symbol of test_.symbols) {
      expect(books.some(({ body }) => body.symbol === symbol.toUpperCase())).toBe(true);
    }
    for (const { body } of books) expectTrueBook(test_, body);
  });

  test('every result rests on a true book, has the true signal, and leaves by the output of that name', () => {
    let judged = 0;
    for (const branch of BRANCHES) {
      for (const { body } of collector.at(`${test_.id}/${branch}`)) {
        const item = body as SignalItem;
        expectTrueBook(test_, item);
        if (isShort(test_, item)) {
          expect({ branch, signal: item.signal }).toEqual({ branch: 'no-signal', signal: null });
          continue;
        }
        expect(branch).toBe(OUTPUT_OF[String(item.signal)]);
        expect(item).not.toHaveProperty('reason');
        const truth = trueSignal(item, test_.levels, test_.threshold, contractSize(test_, item.symbol));
        expect(item.signal).toBe(truth.signal);
        expect(item.weightedBids).toBeCloseTo(truth.weightedBids, 4);
        expect(item.weightedAsks).toBeCloseTo(truth.weightedAsks, 4);
        judged++;
      }
    }
    expect(judged).toBeGreaterThanOrEqual((test_.symbols.length * WATCHED_MS) / 1000 / INTERVAL / 2);
  });

  // A single late moment on a busy machine is the machine's; what is promised has to hold for nearly all of them.
  test('the newest item is not more than the interval and two seconds behind the exchange', () => {
    for (const symbol of test_.symbols.map((name) => name.toUpperCase())) {
      const books = booksOf(test_).filter(({ body }) => body.symbol === symbol);
      const ages = books.map(({ body }, i) => {
        const newestUntilMs = books[i + 1]?.atMs ?? watchedUntilMs;
        return newestUntilMs - (body.eventTimeMs ?? body.receivedAtMs);
      });
      const late = ages.filter((age) => age > INTERVAL * 1000 + 2000);
      expect(late.length).toBeLessThanOrEqual(ages.length / 20);
    }
  });
});

test('hundreds of samples were compared', () => {
  const samples = CASES.reduce((sum, test_) => sum + booksOf(test_).length, 0);
  const results = collector.received.length - samples;
  console.log(`${samples} books and ${results} results compared with the exchange’s own books`);
  expect(samples).toBeGreaterThan(200);
  expect(results).toBeGreaterThan(200);
});
