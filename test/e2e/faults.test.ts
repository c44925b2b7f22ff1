import { setTimeout as delay } from 'node:timers/promises';
import type { BookText, Exchange } from '../../exchange';
import type { Collector } from '../../scripts/n8n/collector';
import type { N8nInstance } from '../../scripts/n8n/instance';
import {
  connect,
  everySecondNode,
  imbalanceNode,
  postNode,
  symbolsValue,
  triggerNode,
} from '../../scripts/n8n/workflowBuilder';
import type { Workflow, WorkflowNode } from '../../scripts/n8n/workflowTypes';
import { openStore } from '../../src/store/openStore';
import { MAX_EXECUTION_WAIT_MS } from '../../src/trigger/patience';
import { RecordWatch } from '../faults/recordWatch';
import type { RedisServer } from '../support/redisServer';
import { baseUrls, Bench, eventually, HANG_MS, redisData } from './support';

/**
 * The hardest rows of docs/FAULTS.md once more, in two real n8n on one Redis: one reads what the other keeps.
 * Each part goes on from the one before: n8n's starts are what takes time here.
 */
const SYMBOL = 'BTCUSDT';
const LEVELS = 20;
const MAX_AGE_S = 5;
const KEY_PREFIX = 'faults/';
/** How long until a book is there again on a busy machine, after its feed or its store was cut off. */
const BACK_WITHIN_MS = 20_000;
/** n8n never says that an execution was cancelled in its queue: the trigger goes on after its longest wait. */
const CANCELLED_BACK_WITHIN_MS = MAX_EXECUTION_WAIT_MS + BACK_WITHIN_MS;

interface Item {
  /** Null where there was no book. */
  readonly lastUpdateId: number | null;
  readonly bids: BookText['bids'];
  readonly asks: BookText['asks'];
  readonly receivedAtMs: number;
  readonly signal?: string | null;
  readonly reason?: string | null;
}

const ONE_EXECUTION_AT_A_TIME = { N8N_CONCURRENCY_PRODUCTION_LIMIT: '1' };
const KILLED_AT_ITS_START = {
  // What n8n was about to activate when it was killed, it takes up again when this has passed: two minutes as it comes.
  N8N_WORKFLOW_PUBLICATION_OUTBOX_LEASE_SECONDS: '5',
  N8N_WORKFLOW_PUBLICATION_OUTBOX_POLL_INTERVAL_MS: '1000',
};

type Credential = Record<string, { id: string; name: string }>;

let bench: Bench;
let exchange: Exchange;
let collector: Collector;
let redis: RedisServer;
let reader: N8nInstance;
let keeper: N8nInstance;
/** The workflow whose execution row 12 cancels in the queue. */
let judged: string;
let kept: string;
const credentials = new Map<N8nInstance, Credential>();

function trigger(parameters: Record<string, unknown>, credential?: Credential): WorkflowNode {
  const options = { ...baseUrls(exchange), saveEvery: 0.5, keyPrefix: KEY_PREFIX };
  const symbols = symbolsValue(SYMBOL);
  return triggerNode({ symbols, levels: LEVELS, interval: 1, options, ...parameters }, credential);
}

function imbalance(parameters: Record<string, unknown>, credential?: Credential): WorkflowNode {
  const options = { maxAge: MAX_AGE_S, includeLevels: true, keyPrefix: KEY_PREFIX };
  return imbalanceNode({ symbols: symbolsValue(SYMBOL), options, ...parameters }, credential);
}

/** One node after the other by their first outputs; Imbalance by all of its four. */
function chain(name: string, nodes: readonly WorkflowNode[]): Workflow {
  const lines = nodes.slice(1).flatMap((node, i) => {
    const outputs = nodes[i].name === 'Imbalance' ? [0, 1, 2, 3] : [0];
    return outputs.map((output) => [nodes[i].name, output, node.name] as const);
  });
  const settings = { saveDataSuccessExecution: 'none' };
  return { name, settings, nodes: [...nodes], connections: connect(...lines) };
}

const post = (path: string): WorkflowNode => postNode('Post', `${collector.url}/${path}`, [400, 0]);

const feed = (path: string, n8n: N8nInstance): Workflow =>
  chain(path, [trigger({ store: 'redis' }, credentials.get(n8n)), post(path)]);

/** A check a second of what is in Redis. */
const check = (path: string, n8n: N8nInstance): Workflow =>
  chain(path, [everySecondNode([0, 0]), imbalance({ store: 'redis' }, credentials.get(n8n)), post(path)]);

const waitNode = (amount: number | string, unit: string): WorkflowNode => ({
  name: 'Wait',
  type: 'n8n-nodes-base.wait',
  typeVersion: 1.1,
  position: [600, 0],
  parameters: { resume: 'timeInterval', amount, unit },
});

const arrived = (path: string): Array<Item & { atMs: number }> =>
  collector.at(path).map(({ body, atMs }) => ({ ...(body as Item), atMs }));

/** What has come so far shows the exchange's own books, each at least as new as the one before. */
function expectTrueAndForward(path: string): void {
  const books = arrived(path).filter(({ lastUpdateId }) => lastUpdateId !== null);
  expect(books.length).toBeGreaterThan(0);
  for (const [i, { lastUpdateId, bids, asks }] of books.entries()) {
    expect({ bids, asks }).toEqual(exchange.trueBook(SYMBOL, Number(lastUpdateId), LEVELS));
    expect(lastUpdateId).toBeGreaterThanOrEqual(books[i - 1]?.lastUpdateId ?? 0);
  }
}

/** Waits for this many more that `accept` takes. */
async function more(
  path: string,
  count: number,
  accept: (item: Item) => boolean = () => true,
  limitMs = BACK_WITHIN_MS,
): Promise<void> {
  const sinceMs = Date.now();
  await eventually(`${count} more of ${path}`, limitMs, () => {
    return arrived(path).filter((item) => item.atMs > sinceMs && accept(item)).length >= count;
  });
}

/** With a signal, from a book that was received after this call. */
async function freshSignal(path: string, limitMs = BACK_WITHIN_MS): Promise<void> {
  const sinceMs = Date.now();
  await more(path, 1, ({ signal, receivedAtMs }) => Boolean(signal) && receivedAtMs > sinceMs, limitMs);
}

beforeAll(async () => {
  bench = await Bench.open();
  collector = await bench.collector();
  exchange = await bench.exchange({ symbols: [SYMBOL] });
  redis = await bench.redis();
  [reader, keeper] = await Promise.all([
    bench.ownN8n({ env: ONE_EXECUTION_AT_A_TIME }),
    bench.ownN8n({ env: KILLED_AT_ITS_START }),
  ]);
  for (const n8n of [reader, keeper]) credentials.set(n8n, await bench.redisCredential(redis, n8n.rest));
});

afterAll(() => bench.close(), 60_000);

describe('n8n at its limit of one execution at a time (row 12)', () => {
  let hold: string;
  const HELD_S = 12;

  beforeAll(async () => {
    const nodes = [trigger({ store: 'memory' }), imbalance({ source: 'item' }), post('judged')];
    judged = (await bench.publish(chain('judged', nodes), reader.rest)).id;
    const webhook: WorkflowNode = {
      name: 'Webhook',
      type: 'n8n-nodes-base.webhook',
      typeVersion: 2,
      position: [0, 0],
      webhookId: 'hold',
      parameters: { path: 'hold', responseMode: 'onReceived', options: {} },
    };
    const held = waitNode('={{ $json.query.seconds }}', 'seconds');
    hold = (await bench.publish(chain('hold', [webhook, held]), reader.rest)).id;
    await freshSignal('judged');
  });

  const withStatus = async (id: string, status: string): Promise<string[]> =>
    (await reader.rest.executions(id)).filter((one) => one.status === status).map((one) => one.id);

  /** Another workflow takes the one place; ours waits in n8n's queue. @returns its execution there */
  async function holdTheOnlyPlace(seconds: number): Promise<string> {
    await fetch(`${reader.url}/webhook/hold?seconds=${seconds}`);
    let queued: string[] = [];
    await eventually('ours in the queue', HANG_MS, async () => {
      const taken = await withStatus(hold, 'running');
      queued = await withStatus(judged, 'new');
      return taken.length === 1 && queued.length > 0;
    });
    return queued[0];
  }

  test('few executions wait in the queue, their old books give no signal, and the newest comes next', async () => {
    await holdTheOnlyPlace(HELD_S);
    const heldAtMs = Date.now();
    await delay((HELD_S - 4) * 1000);
    const waiting = (await withStatus(judged, 'new')).length;
    // The trigger waits 5 s for the first, 10 s for the second, and so on.
    expect([1, 2]).toContain(waiting);
    await freshSignal('judged');
    const late = arrived('judged').filter(({ atMs }) => atMs > heldAtMs + 4_000);
    const first = late.findIndex(({ signal }) => signal !== null);
    for (const old of late.slice(0, first)) expect(old.reason).toBe('stale');
    expect([1, 2]).toContain(first);
    expect(late[first].atMs - late[first].receivedAtMs).toBeLessThan(3_000);
    expectTrueAndForward('judged');
  });

  test('executions that wait for days do not hold the next ones back', async () => {
    const days = chain('days', [trigger({ store: 'memory' }), post('days'), waitNode(2, 'days')]);
    const { id } = await bench.publish(days, reader.rest);
    await more('days', 3);
    for (const { atMs, receivedAtMs } of arrived('days')) expect(atMs - receivedAtMs).toBeLessThan(3_000);
    expect((await withStatus(id, 'waiting')).length).toBeGreaterThanOrEqual(2);
    expectTrueAndForward('days');
    await bench.remove(id);
  });

  test('an execution is cancelled in the queue', async () => {
    await reader.rest.stopExecution(await holdTheOnlyPlace(3));
    expect(await withStatus(judged, 'canceled')).toHaveLength(1);
  });
});

describe('Redis goes under a running trigger (row 14)', () => {
  beforeAll(async () => {
    kept = (await bench.publish(feed('kept', keeper), keeper.rest)).id;
    await bench.publish(check('checked', reader), reader.rest);
    await freshSignal('checked');
  });

  test('killed and started again, empty: books go on, no signal without a record, then the newest one', async () => {
    const connections = exchange.stats.totalConnections;
    await redis.kill();
    const killedAtMs = Date.now();
    await more('kept', 3);
    const judgedBlindly = arrived('checked').filter(
      ({ signal, receivedAtMs }) => signal && receivedAtMs > killedAtMs,
    );
    expect(judgedBlindly).toEqual([]);
    const { port } = redis;
    await redis.stop();
    redis = await bench.redis({ port });
    await freshSignal('checked');
    expect(exchange.stats.totalConnections).toBe(connections);
    expectTrueAndForward('kept');
    expectTrueAndForward('checked');
  });

  test('mute for longer than a record may be old, its connections open: the same', async () => {
    const connections = exchange.stats.totalConnections;
    redis.pause();
    await delay((MAX_AGE_S + 2) * 1000);
    const pausedUntilMs = Date.now();
    await more('kept', 1);
    redis.resume();
    await freshSignal('checked');
    const checked = arrived('checked').filter(({ atMs }) => atMs > pausedUntilMs);
    for (const { signal, atMs, receivedAtMs } of checked)
      if (signal) expect(atMs - receivedAtMs).toBeLessThan((MAX_AGE_S + 2) * 1000);
    expect(exchange.stats.totalConnections).toBe(connections);
    expectTrueAndForward('kept');
    expectTrueAndForward('checked');
  });
});

describe('two n8n keep one record (rows 15 and 21)', () => {
  let watch: RecordWatch;
  const store = () => openStore({ kind: 'redis', credentials: redisData(redis) });
  let records: ReturnType<typeof store>;

  beforeAll(async () => {
    records = store();
    watch = new RecordWatch(records, `${KEY_PREFIX}btcusdt-orderbook`, ({ lastUpdateId, bids, asks }) => {
      const truth = exchange.trueBook(SYMBOL, lastUpdateId, LEVELS);
      return JSON.stringify([truth?.bids, truth?.asks]) === JSON.stringify([bids, asks])
        ? null
        : `at ${lastUpdateId} is not the true book`;
    });
    await bench.publish(feed('standing-by', reader), reader.rest);
    await more('standing-by', 2);
    // Who comes last claims the record.
    await keeper.rest.deactivate(kept);
    await keeper.rest.activate(kept);
    await more('kept', 1);
  });

  afterAll(async () => {
    await watch.end();
    await records.close();
  });

  test('each starts its own executions, at its own interval', async () => {
    const count = () => ['kept', 'standing-by'].map((path) => arrived(path).length);
    const before = count();
    await delay(4_000);
    for (const [i, after] of count().entries()) {
      expect(after - before[i]).toBeGreaterThanOrEqual(2);
      expect(after - before[i]).toBeLessThanOrEqual(6);
    }
    expectTrueAndForward('standing-by');
  });

  test('the one that holds the record is killed, and killed again while it starts: the other takes over, no ban', async () => {
    await watch.until(({ state }) => state === 'live', 'a live record');
    const before = watch.newest;
    await keeper.kill();
    const killedAtMs = Date.now();
    await eventually('its connection is gone', HANG_MS, () => exchange.stats.openConnections === 1);
    await watch.until(
      ({ epoch, receivedAtMs }) => epoch > (before?.epoch ?? 0) && (receivedAtMs ?? 0) > killedAtMs,
      'taken over',
      BACK_WITHIN_MS,
    );
    await freshSignal('checked');

    const connections = exchange.stats.totalConnections;
    let unstarted: Error | null = null;
    const starting = keeper.restart().catch((error: Error) => (unstarted = error));
    await eventually('its feed connects', HANG_MS, () => {
      if (unstarted !== null) throw unstarted;
      return exchange.stats.totalConnections > connections;
    });
    await keeper.kill();
    await starting;
    await keeper.restart();
    await more('kept', 2);
    await freshSignal('checked');

    for (const path of ['kept', 'standing-by', 'checked']) expectTrueAndForward(path);
    const { bans, earlyRequests, openConnections } = exchange.stats;
    expect({ bans, earlyRequests, openConnections }).toEqual({
      bans: 0,
      earlyRequests: 0,
      openConnections: 2,
    });
  });
});

test('the trigger whose execution was cancelled in the queue has gone on after its longest wait', async () => {
  await freshSignal('judged', CANCELLED_BACK_WITHIN_MS);
  expectTrueAndForward('judged');
  await bench.remove(judged);
});
