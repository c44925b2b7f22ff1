import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { IDataObject } from 'n8n-workflow';
import { type Exchange, startExchange } from '../../../exchange';
import { isOrderFlowError } from '../../../src/runtime/errors';
import { storeKeys } from '../../../src/store/keys';
import { openStore } from '../../../src/store/openStore';
import type { SnapshotStore } from '../../../src/store/types';
import { runNode } from '../../support/engine';
import { OrderFlowData, OrderFlowImbalance } from '../../support/nodes';
import { credentialsOf } from '../../support/storeFixtures';
import { Random } from '../random';
import { must, NOTHING_TO_RECOVER, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { agrees, pause } from '../scene';
import { noRedisConnectionLeft, sharedRedis } from '../sharedRedis';

const SYMBOL = 'BTCUSDT';
const LEVELS = 20;
const ROOT = join(__dirname, '../../..');
const START_LIMIT_MS = 30_000;
/** Between the reader's clock and the moment at which its question reaches Redis. */
const TOLERANCE_MS = 40;
const nodes = { imbalance: new OrderFlowImbalance(), data: new OrderFlowData() };

/** From the last sign of life until a reader knew, less its maximum age: what polling adds. */
const toldAfterMs: number[] = [];
let counter = 0;

/** A process of its own that runs one trigger, as an n8n does. */
class FeedProcess {
  private readonly child: ChildProcess;
  private readonly gone: Promise<void>;

  constructor(credentials: object, exchange: Exchange, keyPrefix: string) {
    const { restBaseUrl, webSocketBaseUrl } = exchange;
    const options = { restBaseUrl, webSocketBaseUrl, keyPrefix, saveEvery: 0.2 };
    const parameters = {
      market: 'spot',
      symbols: SYMBOL,
      emit: 'never',
      levels: LEVELS,
      store: 'redis',
      options,
    };
    const script = join(ROOT, 'test/support/feedChild.ts');
    const job = JSON.stringify({ credentials, parameters });
    this.child = spawn(process.execPath, ['--import', 'tsx', script, job], {
      stdio: ['ignore', 'ignore', 'ignore'],
      cwd: ROOT,
    });
    this.gone = new Promise((resolve) => this.child.once('exit', () => resolve()));
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.gone;
  }
}

/** What a workflow on a schedule learns, by the two nodes in n8n's own engine. */
class Reader {
  constructor(
    private readonly credentials: IDataObject,
    private readonly keyPrefix: string,
  ) {}

  async signal(maxAge: number): Promise<IDataObject> {
    return this.ask('imbalance', { options: { maxAge, keyPrefix: this.keyPrefix, publish: false } });
  }

  async status(maxAge: number): Promise<IDataObject> {
    return this.ask('data', { options: { maxAge, keyPrefix: this.keyPrefix } });
  }

  private async ask(type: keyof typeof nodes, parameters: IDataObject): Promise<IDataObject> {
    const credentials = { orderFlowRedisApi: this.credentials };
    const asked = { symbols: SYMBOL, store: 'redis', ...parameters };
    const { outputs, error } = await runNode({ nodes, type, credentials, parameters: asked });
    if (error !== undefined) throw error;
    return outputs.flat()[0].json;
  }
}

/** Row 20: the feed's process is killed, without any notice. */
async function silentDeath(seed: number): Promise<RunResult> {
  const random = new Random(seed);
  const credentials = credentialsOf(await sharedRedis()) as IDataObject;
  const keyPrefix = `faults/silence-${process.pid}-${counter++}/`;
  const exchange = await startExchange({ seed, symbols: [SYMBOL], tickMs: 20 });
  const store = openStore({ kind: 'redis', credentials });
  const reader = new Reader(credentials, keyPrefix);
  const processes = [new FeedProcess(credentials, exchange, keyPrefix)];
  try {
    await live(reader);
    await pause(random.whole(0, 300));
    must((await reader.signal(5)).signal !== null, 'no signal from a live feed');
    await processes[0].kill();
    await recordIsTrue(store, exchange, keyPrefix);
    await Promise.all([
      staleInTime(store, reader, keyPrefix, random.whole(10, 14) / 10),
      silentInTime(store, reader, keyPrefix, random.whole(10, 14) / 10),
    ]);
    // Every other run: to start a process takes as long as all the rest.
    if (seed % 2 === 1) return NOTHING_TO_RECOVER;
    const begun = performance.now();
    processes.push(new FeedProcess(credentials, exchange, keyPrefix));
    await live(reader);
    await recordIsTrue(store, exchange, keyPrefix);
    return { recoverMs: performance.now() - begun };
  } finally {
    await Promise.all(processes.map((one) => one.kill()));
    await store.close();
    await exchange.close();
    await noRedisConnectionLeft();
  }
}

/** Both nodes say that the feed lives: that it reported lately, and that the book can be judged. */
async function live(reader: Reader): Promise<void> {
  const end = performance.now() + START_LIMIT_MS;
  for (;;) {
    const [status, signal] = [await reader.status(15), await reader.signal(1)];
    if (status.state === 'live' && signal.signal !== null && (status.reportAgeMs as number) < 2_000) return;
    must(performance.now() < end, () => `not live: ${JSON.stringify([status.message, signal.message])}`);
    await pause(100);
  }
}

async function recordIsTrue(store: SnapshotStore, exchange: Exchange, keyPrefix: string): Promise<void> {
  const [found] = await store.readBooks([storeKeys(keyPrefix, 'spot', SYMBOL).orderbook]);
  must(found !== null && !isOrderFlowError(found), 'no record');
  const { lastUpdateId, bids, asks } = found.record;
  const same = exchange
    .trueBooks(SYMBOL, lastUpdateId, LEVELS)
    .some((truth) => agrees(bids, truth.bids, true) && agrees(asks, truth.asks, true));
  must(same, `the record at ${lastUpdateId} is not the true book`);
}

/** The action gives a signal up to the maximum age behind the last heartbeat, and none beyond. */
async function staleInTime(
  store: SnapshotStore,
  reader: Reader,
  keyPrefix: string,
  maxAge: number,
): Promise<void> {
  const [found] = await store.readBooks([storeKeys(keyPrefix, 'spot', SYMBOL).orderbook]);
  must(found !== null && !isOrderFlowError(found), 'no record');
  await toldInTime('stale', found.record.liveAtMs, maxAge, async () => {
    const { signal, reason } = await reader.signal(maxAge);
    must((signal === null) === (reason === 'stale'), () => `${String(signal)}, ${String(reason)}`);
    return reason === 'stale';
  });
}

/** The operation Feed Status says live up to the maximum age behind the last report, and silent beyond. */
async function silentInTime(
  store: SnapshotStore,
  reader: Reader,
  keyPrefix: string,
  maxAge: number,
): Promise<void> {
  const [found] = await store.readFeedStatus([storeKeys(keyPrefix, 'spot', SYMBOL).feed]);
  must(found !== null && !isOrderFlowError(found), 'no feed status');
  await toldInTime('silent', found.record.writtenAtMs, maxAge, async () => {
    const { state, healthy, message } = await reader.status(maxAge);
    must(state === 'silent' || state === 'live', () => `${String(state)}: ${String(message)}`);
    must(healthy === (state === 'live'), 'healthy although silent');
    return state === 'silent';
  });
}

async function toldInTime(
  what: string,
  lastSignMs: number,
  maxAge: number,
  reported: () => Promise<boolean>,
): Promise<void> {
  const dueMs = lastSignMs + maxAge * 1_000;
  for (;;) {
    const askedMs = Date.now();
    const isReported = await reported();
    if (isReported) {
      must(Date.now() >= dueMs - TOLERANCE_MS, `${what} ${(dueMs - Date.now()).toFixed(0)} ms too early`);
      toldAfterMs.push(Math.max(0, Date.now() - dueMs));
      return;
    }
    must(askedMs <= dueMs + TOLERANCE_MS, () => `not ${what} ${askedMs - dueMs} ms behind the maximum age`);
    await pause(20);
  }
}

function figures(): string[] {
  const sorted = [...toldAfterMs].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? NaN;
  return [`reported after the maximum age, polled every 20 ms: median ${at(0.5)} ms, p99 ${at(0.99)} ms`];
}

export const silenceRows: readonly Scenario[] = [
  {
    id: 20,
    name: 'silent death',
    what: 'the process that runs the feed is killed while its record is in Redis; then another is started',
    expected:
      'no signal beyond the maximum age of the last heartbeat, Feed Status says silent; live again by itself',
    maxRuns: REAL_RUNS,
    prepare: async () => void (await sharedRedis()),
    variants: 2,
    recovers: (seed) => seed % 2 === 0,
    run: silentDeath,
    figures,
  },
];
