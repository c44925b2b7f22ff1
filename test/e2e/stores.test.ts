import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Exchange } from '../../exchange';
import type { Collector } from '../../scripts/n8n/collector';
import type { N8nInstance } from '../../scripts/n8n/instance';
import type { N8nRestClient } from '../../scripts/n8n/restClient';
import {
  connect,
  everySecondNode,
  imbalanceNode,
  postNode,
  symbolsValue,
  triggerNode,
} from '../../scripts/n8n/workflowBuilder';
import type { Workflow } from '../../scripts/n8n/workflowTypes';
import { isOrderFlowError } from '../../src/runtime/errors';
import { storeKeys } from '../../src/store/keys';
import { openStore } from '../../src/store/openStore';
import { RELEASE_GRACE_MS } from '../../src/trigger/symbolOutlets';
import type { RedisServer } from '../support/redisServer';
import { baseUrls, Bench, eventually, HANG_MS, nodeNamed, readyMade, redisData } from './support';

/** Two n8n processes and one Redis: one keeps the feed, the other reads. */
let bench: Bench;
let exchange: Exchange;
let collector: Collector;
let redis: RedisServer;
let feeder: N8nInstance;
let reader: N8nRestClient;
let readerCredential: Record<string, { id: string; name: string }>;

const MAX_AGE_S = 5;

interface CheckItem {
  readonly symbol: string;
  readonly signal: string | null;
  readonly reason: string | null;
  readonly message: string;
  readonly ageMs: number | null;
  readonly lastUpdateId: number | null;
  readonly bids?: unknown;
}

function feed(
  store: 'redis' | 'memory',
  credentials?: Record<string, { id: string; name: string }>,
  symbol = 'BTCUSDT',
): Workflow {
  return {
    name: 'keeps the store',
    settings: {},
    nodes: [
      triggerNode(
        { symbols: symbolsValue(symbol), emit: 'never', store, options: baseUrls(exchange) },
        credentials,
      ),
    ],
    connections: {},
  };
}

/** A check every second; all four outputs to one path. */
function check(path: string, store: 'redis' | 'memory', options: Record<string, unknown> = {}): Workflow {
  return {
    name: path,
    settings: { saveDataSuccessExecution: 'none' },
    nodes: [
      everySecondNode([0, 0]),
      imbalanceNode(
        {
          store,
          symbols: symbolsValue('BTCUSDT'),
          options: { maxAge: MAX_AGE_S, includeLevels: true, ...options },
        },
        store === 'redis' ? readerCredential : undefined,
      ),
      postNode('Post', `${collector.url}/${path}`, [400, 0]),
    ],
    connections: connect(
      ['Schedule', 0, 'Imbalance'],
      ...[0, 1, 2, 3].map((output) => ['Imbalance', output, 'Post'] as const),
    ),
  };
}

const checks = (path: string) =>
  collector.at(path).map(({ body, atMs }) => ({ ...(body as CheckItem), atMs }));

beforeAll(async () => {
  bench = await Bench.open();
  reader = bench.rest;
  exchange = await bench.exchange({ symbols: ['BTCUSDT', 'ETHUSDT'] });
  collector = await bench.collector();
  redis = await bench.redis();
  readerCredential = await bench.redisCredential(redis);
  feeder = await bench.ownN8n();
  await bench.publish(feed('redis', await bench.redisCredential(redis, feeder.rest)), feeder.rest);
});

afterAll(() => bench.close(), 60_000);

test('the credential dialog tells a Redis that answers from one that refuses', async () => {
  const { id, name } = readerCredential.orderFlowRedisApi;
  const tested = (data: Record<string, unknown>) =>
    reader.testCredential({ id, name }, 'orderFlowRedisApi', { ...redisData(redis), ...data });
  expect((await tested({})).status).toBe('OK');
  const wrong = await tested({ password: 'canary-password-1' });
  expect(wrong.status).toBe('Error');
  expect(wrong.message).not.toContain('canary-password-1');
  const nobody = await tested({ port: 1 });
  expect(nobody.status).toBe('Error');
  expect(nobody.message).toMatch(/cannot be reached/);
});

test('with Redis the action works in another process than the trigger', async () => {
  const { id } = await bench.publish(check('redis', 'redis'));
  await eventually(
    'three signals from the other process',
    HANG_MS,
    () => checks('redis').filter(({ signal }) => signal).length >= 3,
  );
  for (const item of checks('redis').filter(({ signal }) => signal !== null)) {
    expect(item.bids).toEqual(exchange.trueBook('BTCUSDT', item.lastUpdateId as number, 20)?.bids);
    expect(item.ageMs).toBeLessThan(3_000);
  }
  await bench.remove(id);
});

test('with the embedded store the action in another process says what is missing', async () => {
  // A prefix of its own: other workflows of this n8n have left records of the same symbol in the process.
  const { id } = await bench.publish(check('memory', 'memory', { keyPrefix: 'unfed/' }));
  await eventually('a check', HANG_MS, () => checks('memory').length > 0);
  const [{ signal, reason, message }] = checks('memory');
  expect({ signal, reason }).toEqual({ signal: null, reason: 'missing' });
  expect(message).toMatch(/BTCUSDT/);
  await bench.remove(id);
});

test('a feed that dies silently: its record goes stale in time, and the ready-made watch reports it', async () => {
  const watch = readyMade('feed-watch');
  nodeNamed(watch, 'Schedule').parameters.rule = { interval: [{ field: 'seconds', secondsInterval: 1 }] };
  nodeNamed(watch, 'Notify').parameters.url = `${collector.url}/notices`;
  const data = nodeNamed(watch, 'Order Flow Data');
  data.credentials = readerCredential;
  Object.assign(data.parameters, { store: 'redis', options: { maxAge: MAX_AGE_S } });
  await bench.publish(check('dying', 'redis'));
  await bench.publish(watch);
  await eventually('a signal while the feed lives', HANG_MS, () =>
    checks('dying').some(({ signal }) => signal),
  );
  expect(collector.at('notices')).toEqual([]);

  await feeder.kill();
  const killedAtMs = Date.now();
  await eventually('a stale record', HANG_MS, () => checks('dying').some(({ reason }) => reason === 'stale'));
  // The check runs once a second, and its way here takes a moment.
  const lastSignalAtMs = Math.max(...checks('dying').flatMap(({ signal, atMs }) => (signal ? atMs : [])));
  expect(lastSignalAtMs - killedAtMs).toBeLessThanOrEqual(MAX_AGE_S * 1000 + 1_500);

  await eventually('a word to the user', HANG_MS, () => collector.at('notices').length > 0);
  expect((collector.at('notices')[0].body as { text: string }).text).toMatch(
    /^BTCUSDT: the order book feed is silent/,
  );
});

test('in queue mode the embedded store is refused, and the message says to use Redis', async () => {
  const queue = await bench.ownN8n({
    env: {
      EXECUTIONS_MODE: 'queue',
      QUEUE_BULL_REDIS_HOST: redis.host,
      QUEUE_BULL_REDIS_PORT: String(redis.port),
    },
  });
  await expect(bench.publish(feed('memory'), queue.rest)).rejects.toThrow(
    /queue mode.*Set Snapshot Store to Redis/s,
  );
  await bench.publish(feed('redis', await bench.redisCredential(redis, queue.rest)), queue.rest);
});

/** What `npm pack` made of version 0.1.0 (commit 2ffa3ec), without types and README. */
const OLD_PACKAGE = join(__dirname, '..', 'fixtures', 'package-0.1.0.tar.gz');

test('an n8n with version 0.1.0 beside it: of one symbol one writes, each takes over from the other, and both read that and what the new one feeds alone', async () => {
  const shared = await bench.redis();
  const old = await bench.ownN8n({ tarball: OLD_PACKAGE });
  const credential = await bench.redisCredential(shared);
  const oldCredential = await bench.redisCredential(shared, old.rest);
  const store = openStore({ kind: 'redis', credentials: redisData(shared) });
  let epoch = 0;
  const claimed = async (who: string, act: () => Promise<unknown>) => {
    await act();
    await eventually(`${who} claims the record`, HANG_MS, async () => {
      const [found] = await store.readBooks([storeKeys('examples/', 'spot', 'BTCUSDT').orderbook]);
      if (found === null || isOrderFlowError(found) || found.record.epoch <= epoch) return false;
      epoch = found.record.epoch;
      return true;
    });
  };
  const checkBoth = (path: string, credentials: typeof credential) => {
    const workflow = check(path, 'redis');
    const node = nodeNamed(workflow, 'Imbalance');
    node.parameters.symbols = symbolsValue('BTCUSDT, ETHUSDT');
    return {
      ...workflow,
      nodes: workflow.nodes.map((one) => (one === node ? { ...node, credentials } : one)),
    };
  };
  /** Both versions get signals of both symbols from now on, and each is of the true book. */
  const bothRead = async () => {
    for (const path of ['old', 'new']) {
      const from = checks(path).length;
      const found = (of: string) =>
        checks(path)
          .slice(from)
          .filter(({ signal, symbol }) => signal !== null && symbol === of);
      for (const symbol of ['BTCUSDT', 'ETHUSDT']) {
        await eventually(`${symbol} at the ${path} version`, HANG_MS, () => found(symbol).length >= 2);
        for (const { bids, lastUpdateId } of found(symbol))
          expect(bids).toEqual(exchange.trueBook(symbol, lastUpdateId as number, 20)?.bids);
      }
    }
  };
  try {
    const ofOld = await bench.create(feed('redis', oldCredential), old.rest);
    await claimed('the old version', () => old.rest.activate(ofOld.id));
    await bench.publish(feed('redis', credential, 'ETHUSDT'));
    await bench.publish(checkBoth('old', oldCredential), old.rest);
    await bench.publish(checkBoth('new', credential));
    await bothRead();
    const ofNew = await bench.create(feed('redis', credential));
    await claimed('the new version', () => reader.activate(ofNew.id));
    await bothRead();
    // A trigger that is published again within its grace goes on as what it was, and claims nothing.
    await claimed('the old version', () => reader.deactivate(ofNew.id));
    await setTimeout(RELEASE_GRACE_MS);
    await claimed('the new version', () => reader.activate(ofNew.id));
    await old.rest.deactivate(ofOld.id);
    await setTimeout(RELEASE_GRACE_MS);
    await claimed('the old version', () => old.rest.activate(ofOld.id));
    await claimed('the new version', () => old.kill());
    await claimed('the old version', () => old.restart());
    await bothRead();
  } finally {
    await store.close();
  }
});
