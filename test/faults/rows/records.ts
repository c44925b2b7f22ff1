import fc from 'fast-check';
import { createClient } from 'redis';
import { isOrderFlowError } from '../../../src/runtime/errors';
import { openStore } from '../../../src/store/openStore';
import { closeIdleRedisConnections } from '../../../src/store/redis/sharedConnections';
import { runNode, type NodeRun } from '../../support/engine';
import { OrderFlowData, OrderFlowImbalance } from '../../support/nodes';
import { credentialsOf } from '../../support/storeFixtures';
import { type Foreign, foreignValue, showForeign } from '../model/foreignText';
import { type NamedCase, namedRecords, namedStates, namedStatuses } from '../model/namedRecords';
import { soundPercent, soundStatus } from '../model/soundRecord';
import { must, NOTHING_TO_RECOVER, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { noRedisConnectionLeft, sharedRedis } from '../sharedRedis';

/** Foreign values of each kind in one run. */
const RECORDS = 24;
const STATUSES = 10;
const STATES = 6;
const LEVELS = 3;
/** As asked of the nodes. */
const MAX_AGE_MS = 20_000;
const [MARKET, SYMBOL] = ['spot', 'BTCUSDT'];
const nodes = { imbalance: new OrderFlowImbalance(), data: new OrderFlowData() };

/** Three asks to one bid: untouched, it is a signal. */
const soundRecord = (nowMs: number) => ({
  ...{
    format: 1,
    epoch: nowMs - 60_000,
    lastUpdateId: 7_000,
    liveAtMs: nowMs - 100,
    state: 'live',
    levels: 5,
  },
  ...{
    exchange: 'binance',
    market: MARKET,
    symbol: SYMBOL,
    eventTimeMs: nowMs - 120,
    receivedAtMs: nowMs - 110,
  },
  ...{ bidsComplete: false, asksComplete: true, resyncs: 0, updateSpeedMs: 100 },
  bids: [99, 98, 97, 96].map((price) => [String(price), '1.5']),
  asks: [100, 101, 102, 103].map((price) => [String(price), '4.5']),
  flow: { ofi1s: 1, meanImbalancePercent60s: 66, meanCoveredMs: 60_000 },
});
const soundFeed = (nowMs: number) => ({
  ...{ format: 1, writtenAtMs: nowMs - 100, writer: 'abc', state: 'live', market: MARKET, symbol: SYMBOL },
  ...{ sinceMs: nowMs - 9_000, reason: null, errorCode: null, resyncs: 0, lastEventAgeMs: 5, usedWeight: 3 },
  lastUpdateId: 7_000,
});
const soundGate = (nowMs: number) => ({
  ...{ format: 1, version: nowMs - 500, writtenAtMs: nowMs - 500 },
  value: {
    seen: { epoch: nowMs - 60_000, lastUpdateId: 6_999 },
    gate: {
      ...{ version: 1, atMs: nowMs - 500, signal: 'NEUTRAL', previousSignal: null, sinceMs: nowMs - 900 },
      ...{ held: 1, smoothed: 1, pending: null, recoveringSinceMs: null, noSignalSinceMs: null },
      ...{ noSignalReason: null, lastAlertMs: null, lastNoSignalMs: null },
    },
  },
});

const connectTo = (url: string) => createClient({ url });

class RecordsScene {
  private constructor(
    private readonly raw: ReturnType<typeof connectTo>,
    readonly store: ReturnType<typeof openStore>,
    private readonly credentials: Record<string, unknown>,
    readonly prefix: string,
  ) {}

  static async play(seed: number, act: (scene: RecordsScene) => Promise<void>): Promise<void> {
    const server = await sharedRedis();
    const credentials = credentialsOf(server);
    const raw = connectTo(server.url);
    await raw.connect();
    const store = openStore({ kind: 'redis', credentials });
    try {
      await act(new RecordsScene(raw, store, credentials, `foreign-${process.pid}-${seed}/`));
    } finally {
      await store.close();
      await raw.close();
      await noRedisConnectionLeft();
    }
  }

  key(what: string): string {
    return `${this.prefix}btcusdt-${what}`;
  }

  async put(key: string, { kind, bytes }: Foreign): Promise<void> {
    await this.raw.del(key);
    if (kind === 'text') await this.raw.set(key, bytes);
    else if (kind === 'list') await this.raw.lPush(key, bytes);
    else if (kind === 'hash') await this.raw.hSet(key, 'value', bytes);
    else await this.raw.sAdd(key, bytes);
  }

  run(type: 'imbalance' | 'data', parameters: object, options: object = {}): Promise<NodeRun> {
    return runNode({
      nodes,
      type,
      credentials: { orderFlowRedisApi: this.credentials as never },
      parameters: {
        ...{ market: MARKET, symbols: SYMBOL, store: 'redis', measure: 'quantity', levels: LEVELS },
        ...parameters,
        options: { keyPrefix: this.prefix, maxAge: MAX_AGE_MS / 1_000, ...options },
      } as never,
    });
  }
}

/** The node's error, which it may give: coded, and not one for a bug of the package. */
function checkError(error: Error): void {
  must(/\[OF_[A-Z_]+\]/.test(error.message), () => `no coded error: ${error.stack ?? error.message}`);
  must(!error.message.includes('OF_INTERNAL'), () => `an error of our own: ${error.message}`);
}

async function checkRecord(scene: RecordsScene, foreign: Foreign, judgeMean: boolean): Promise<void> {
  await scene.put(scene.key('orderbook'), foreign);
  const wanted = { market: MARKET, symbol: SYMBOL, nowMs: Date.now(), maxAgeMs: MAX_AGE_MS };
  const sound = foreign.kind === 'text' ? soundPercent(foreign.bytes, wanted, LEVELS) : null;

  const [found] = await scene.store.readBooks([scene.key('orderbook')]);
  if (isOrderFlowError(found))
    must(/^OF_(RECORD|REDIS_WRONG)/.test(found.code), () => `${found.code} of a reader`);

  const { outputs, error } = await scene.run('imbalance', {}, { judgeMean, includeLevels: true });
  if (error !== undefined) return checkError(error);
  const items = outputs.flatMap((output, i) => output.map(({ json }) => ({ json, output: i })));
  must(items.length === 1, () => `${items.length} items for one symbol`);
  const [{ json, output }] = items;
  if (json.signal === null) {
    must(output === 0 && typeof json.reason === 'string', 'no signal at another output than its own');
    return;
  }
  must(output > 0 && sound !== null, () => `the signal ${String(json.signal)} from a record that is none`);
  const percent = json.imbalancePercent as number;
  const near = judgeMean ? Math.abs(percent) <= 100.001 : Math.abs(percent - sound) < 1e-6;
  must(near, () => `${percent} % where the record says ${sound}`);
}

async function checkStatus(scene: RecordsScene, foreign: Foreign): Promise<void> {
  await scene.put(scene.key('feed'), foreign);
  const wanted = { market: MARKET, symbol: SYMBOL, nowMs: Date.now(), maxAgeMs: MAX_AGE_MS };
  const sound = foreign.kind === 'text' && soundStatus(foreign.bytes, wanted);
  const { outputs, error } = await scene.run('data', { operation: 'feedStatus' });
  if (error !== undefined) return checkError(error);
  const items = outputs.flat();
  must(items.length === 1, () => `${items.length} items for one symbol`);
  const { healthy, state } = items[0].json;
  must(typeof state === 'string' && typeof healthy === 'boolean', 'an item without a state');
  must(!healthy || sound, () => `healthy by a status that is none`);
}

/** A value whose name says what is wrong with it: never a signal, and it has to be said what it is. */
async function checkNamedRecord(scene: RecordsScene, { name, value, says }: NamedCase): Promise<void> {
  await scene.put(scene.key('orderbook'), value);
  const { outputs, error } = await scene.run('imbalance', {});
  must(error === undefined, () => `${name}: ${error?.message}`);
  const [item] = outputs[0] ?? [];
  must(item !== undefined && outputs.flat().length === 1, `${name}: not one item without a signal`);
  const { signal, reason, message } = item.json;
  must(signal === null && typeof message === 'string', `${name}: a signal, or without a word`);
  const [found] = await scene.store.readBooks([scene.key('orderbook')]);
  const reported = isOrderFlowError(found) ? found.code : reason;
  must(reported === says, () => `${name}: ${String(reported)} and not ${says}`);
  must(!says.startsWith('OF_') || reason === 'error', () => `${name}: ${String(reason)} in the node`);
}

async function checkNamedStatus(scene: RecordsScene, { name, value, says }: NamedCase): Promise<void> {
  await scene.put(scene.key('feed'), value);
  const { outputs, error } = await scene.run('data', { operation: 'feedStatus' });
  must(error === undefined, () => `${name}: ${error?.message}`);
  const { healthy, state, errorCode, reason } = outputs.flat()[0].json;
  must(healthy === false && typeof reason === 'string', `${name}: healthy, or without a word`);
  const reported = errorCode ?? state;
  must(reported === says, () => `${name}: ${String(reported)} and not ${says}`);
}

/** What the node itself remembers is in the store too, and may come back changed. */
async function checkState(scene: RecordsScene, foreign: Foreign): Promise<void> {
  await scene.put(scene.key('gate-w1-under-test'), foreign);
  const { outputs, error } = await scene.run('imbalance', { emit: 'change' }, { onlyNew: true });
  if (error !== undefined) return checkError(error);
  const items = outputs.flat();
  must(items.length <= 1, () => `${items.length} items for one symbol`);
  for (const { json } of items)
    must(
      json.imbalancePercent === (100 * 9) / 13.5,
      () => `${String(json.imbalancePercent)} % after a state`,
    );
}

/** Row 23: what somebody else wrote, read by the nodes in n8n's engine. */
async function foreignRecords(seed: number): Promise<RunResult> {
  await RecordsScene.play(seed, async (scene) => {
    const nowMs = Date.now();
    const property = <T>(count: number, values: fc.Arbitrary<T>, act: (value: T) => Promise<void>) =>
      fc.assert(fc.asyncProperty(values, act), { seed, numRuns: count, endOnFailure: true });
    const shown = (sound: Record<string, unknown>): fc.Arbitrary<Foreign> =>
      foreignValue(sound).map((value) =>
        Object.assign(value, { [fc.toStringMethod]: () => showForeign(value) }),
      );

    // Untouched, record and status are taken: what follows can fail.
    const record = soundRecord(nowMs);
    const asText = (value: object): Foreign => ({ kind: 'text', bytes: Buffer.from(JSON.stringify(value)) });
    await scene.put(scene.key('orderbook'), asText(record));
    await scene.put(scene.key('feed'), asText(soundFeed(nowMs)));
    const taken = await scene.run('imbalance', {});
    must(
      taken.outputs[1]?.length === 1,
      () => `the sound record gives no signal: ${String(taken.error?.message)}`,
    );
    const healthy = (await scene.run('data', { operation: 'feedStatus' })).outputs.flat()[0]?.json.healthy;
    must(healthy === true, 'the sound feed status is not healthy');

    await property(STATES, shown(soundGate(nowMs)), (value) => checkState(scene, value));
    await property(RECORDS, fc.tuple(shown(record), fc.boolean()), ([value, judgeMean]) =>
      checkRecord(scene, value, judgeMean),
    );
    await property(STATUSES, shown(soundFeed(nowMs)), (value) => checkStatus(scene, value));
    for (const one of namedRecords(record, Date.now())) await checkNamedRecord(scene, one);
    for (const one of namedStatuses(soundFeed(nowMs), Date.now())) await checkNamedStatus(scene, one);
    await scene.put(scene.key('orderbook'), asText(soundRecord(Date.now())));
    for (const one of namedStates(soundGate(nowMs), Date.now())) await checkState(scene, one);
    const nowAhead = Date.now() + 10_000 + (seed % 100) * 60_000;
    await checkRecord(scene, asText({ ...record, liveAtMs: nowAhead }), false);
    await checkStatus(scene, asText({ ...soundFeed(nowMs), writtenAtMs: nowAhead }));
  });
  return NOTHING_TO_RECOVER;
}

/** n8n's engine loads parts when it first runs a node: what they keep for good is no leak. */
async function prepare(): Promise<void> {
  await RecordsScene.play(0, async (scene) => void (await scene.run('imbalance', {})));
  await closeIdleRedisConnections();
}

export const recordRows: readonly Scenario[] = [
  {
    id: 23,
    name: 'foreign records',
    what: 'records, feed statuses and alert states spoilt in any field, level or byte; each time also crossed, locked, huge, of other versions and types, from the future',
    expected:
      'in n8n: no signal or a coded error, never a crash, never a signal that a sound record would not give',
    maxRuns: REAL_RUNS,
    prepare,
    run: foreignRecords,
  },
];
