import type { IDataObject } from 'n8n-workflow';
import { createClient } from 'redis';
import { encodeSample } from '../../src/history/encoding';
import type { SampleContent } from '../../src/history/sample';
import { chartRenderer } from '../../src/charts/chartRenderer';
import { MemoryStore } from '../../src/store/memoryStore';
import { RedisStore } from '../../src/store/redis/redisStore';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import { readRedisSettings } from '../../src/store/redis/redisSettings';
import { storeKeys } from '../../src/store/keys';
import type { SnapshotStore } from '../../src/store/types';
import { ofClass, parseSvg, pathParts } from '../support/drawnSvg';
import { type EngineCredentials, runNode } from '../support/engine';
import { OrderFlowData } from '../support/nodes';
import { readPng } from '../support/png';
import type { RedisServer } from '../support/redisServer';
import { credentialsOf, startLimitedRedis } from '../support/storeFixtures';
import { content } from '../unit/history/samples';

const nodes = { data: new OrderFlowData(), dataTool: new OrderFlowData() };

let redis: RedisServer;
beforeAll(async () => {
  redis = await startLimitedRedis();
});
afterAll(async () => {
  await closeIdleRedisConnections();
  await chartRenderer().closeIdle();
  await redis.stop();
});

type Json = Record<string, unknown>;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A whole hour, so that steps begin where they are expected to. */
const NOW_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
const iso = (timeMs: number) => new Date(timeMs).toISOString();

let counter = 0;

describe.each(['memory', 'redis'] as const)('the history from the store %s', (kind) => {
  const credentials = (): EngineCredentials =>
    kind === 'redis' ? { orderFlowRedisApi: credentialsOf(redis) as IDataObject } : {};
  let store: SnapshotStore;
  let wall = NOW_MS;
  beforeAll(() => {
    store =
      kind === 'memory'
        ? new MemoryStore(undefined, () => wall)
        : new RedisStore(readRedisSettings(credentialsOf(redis)));
  });
  afterAll(() => store.close());

  /** Puts samples at their times: minutes before NOW_MS. */
  async function keep(
    prefix: string,
    samples: ReadonlyArray<readonly [minutesAgo: number, over: Partial<SampleContent>]>,
    symbol = 'BTCUSDT',
  ): Promise<void> {
    const key = storeKeys(prefix, 'spot', symbol).history;
    const raw = createClient({ url: redis.url });
    if (kind === 'redis') await raw.connect();
    for (const [minutesAgo, over] of samples) {
      const sample = content({ everyMs: MINUTE_MS, ...over });
      const timeMs = NOW_MS - minutesAgo * MINUTE_MS;
      if (kind === 'redis') {
        await raw.xAdd(key, `${timeMs}-1`, { h: encodeSample(sample) });
      } else {
        wall = timeMs;
        expect(await store.history.append(key, { epoch: 1, sample, ageMs: 0, forMs: 24 * HOUR_MS })).toBe(
          'stored',
        );
      }
    }
    if (kind === 'redis') await raw.close();
  }

  const prefixOf = () => `examples/history${counter++}/`;
  const run = (prefix: string, parameters: object, type = 'data', options: object = {}) =>
    runNode({
      ...{ nodes, type, items: [{}], credentials: credentials() },
      parameters: {
        ...{ resource: 'history', store: kind, symbols: 'BTCUSDT', ...parameters },
        options: { keyPrefix: prefix, ...options },
      } as IDataObject,
    });
  const jsonsOf = ({ outputs, error }: Awaited<ReturnType<typeof run>>) => {
    expect(error).toBeUndefined();
    return outputs[0].map(({ json }) => json as Json);
  };

  const AN_HOUR: ReadonlyArray<readonly [number, Partial<SampleContent>]> = [
    [50, { began: true, mid: 100, imbalancePercent: 20, signal: 'SELLING', gateState: 'firing', alerts: 1 }],
    [49, { mid: 90, imbalancePercent: -20, signal: 'BUYING', resyncs: 2 }],
    [48, { mid: null, imbalancePercent: null, signal: null, reason: 'syncing' }],
    [40, { mid: 110, imbalancePercent: 3, signal: 'NEUTRAL', alerts: 2 }],
  ];

  test('gives every sample, between two times, in order, and says what is missing', async () => {
    const prefix = prefixOf();
    await keep(prefix, AN_HOUR);
    const all = jsonsOf(await run(prefix, { step: 0 }));
    expect(all.map(({ time, mid }) => [time, mid])).toEqual(
      [50, 49, 48, 40].map((ago, i) => [iso(NOW_MS - ago * MINUTE_MS), [100, 90, null, 110][i]]),
    );
    expect(all[0]).toEqual({
      ...{ exchange: 'binance', market: 'spot', symbol: 'BTCUSDT', time: iso(NOW_MS - 50 * MINUTE_MS) },
      ...{ lastUpdateId: 53_812_345_678, mid: 100, spread: 0.1, imbalancePercent: 20, signal: 'SELLING' },
      ...{ meanImbalancePercent60s: -8.1, smoothedPercent: -10.22, reportedSignal: 'NEUTRAL' },
      ...{ state: 'firing', alerts: 1, resyncs: 0, gapMs: null, began: true },
      ...{ measure: 'notional', levels: 20, threshold: 10 },
    });
    expect(all[2]).toMatchObject({ signal: null, reason: 'syncing' });
    expect(all[3]).toMatchObject({ gapMs: 8 * MINUTE_MS, alerts: 2 });
    const some = jsonsOf(
      await run(prefix, { step: 0, from: iso(NOW_MS - 49 * MINUTE_MS), to: iso(NOW_MS - 48 * MINUTE_MS) }),
    );
    expect(some.map(({ mid }) => mid)).toEqual([90, null]);
  });

  test('gives one sample a step, and counts all of it', async () => {
    const prefix = prefixOf();
    await keep(prefix, AN_HOUR);
    const steps = jsonsOf(await run(prefix, { step: 1800 }));
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({ mid: 110, alerts: 3, resyncs: 2, gapMs: 8 * MINUTE_MS, began: true });
  });

  test('says that older ones are left out', async () => {
    const prefix = prefixOf();
    await keep(prefix, AN_HOUR);
    const cut = await run(prefix, { step: 0 }, 'data', { maxSamples: 2 });
    expect(jsonsOf(cut).map(({ mid }) => mid)).toEqual([null, 110]);
    expect(cut.hints).toEqual([
      expect.stringContaining(`only the newest 2 samples are given, from ${iso(NOW_MS - 48 * MINUTE_MS)} on`),
    ]);
    expect(jsonsOf(cut)[0].warning).toBe(cut.hints[0]);
    const stepped = await run(prefix, { step: 60 }, 'data', { maxSamples: 3 });
    expect(jsonsOf(stepped)).toHaveLength(3);
    expect(stepped.hints).toHaveLength(1);
  });

  test('sums a day up', async () => {
    const prefix = prefixOf();
    await keep(prefix, AN_HOUR);
    const [summary] = jsonsOf(await run(prefix, { shape: 'summary' }));
    expect(summary).toMatchObject({
      ...{ samples: 4, firstMid: 100, lastMid: 110, lowestMid: 90, highestMid: 110, changePercent: 10 },
      ...{ meanImbalancePercent: 1, sellingPercent: 25, buyingPercent: 25, noSignalPercent: 25 },
      ...{ alerts: 3, resyncs: 2, gaps: 1, longestGapMs: 8 * MINUTE_MS, cut: false },
    });
    expect(summary.message).toBe(
      'BTCUSDT: 4 samples over 10 min: mid from 100 to 110 (+10.00 %), lowest 90, highest 110; selling pressure in 25.0 %, buying pressure in 25.0 %, no signal in 25.0 % of them; 3 alerts. 1 gap, the longest 8 min. The book was fetched again 2 times.',
    );
  });

  test('where nothing reports signals, no number of alerts is given', async () => {
    const prefix = prefixOf();
    await keep(prefix, [[50, { gateState: null, gateSignal: null }]]);
    expect(jsonsOf(await run(prefix, { shape: 'summary' }))[0]).toMatchObject({ alerts: null });
    const [sample] = jsonsOf(await run(prefix, { step: 0 }));
    expect([sample.alerts, sample.reportedSignal, sample.state]).toEqual([undefined, undefined, undefined]);
  });

  test('gives a file of all symbols', async () => {
    const prefix = prefixOf();
    await keep(prefix, AN_HOUR.slice(0, 2));
    await keep(prefix, [[30, { measure: 'band', depth: 7.5 }]], 'ETHUSDT');
    const answer = await run(prefix, { step: 0, shape: 'csv', symbols: 'BTCUSDT, ETHUSDT' });
    const [item] = jsonsOf(answer);
    expect(item).toMatchObject({ fileName: 'btcusdt-ethusdt-history.csv', samples: 3 });
    const lines = String(item.csv).split('\r\n');
    expect(lines[0]).toBe(
      'time,market,symbol,lastUpdateId,mid,spread,imbalancePercent,meanImbalancePercent60s,smoothedPercent,signal,reason,reportedSignal,state,alerts,resyncs,gapMs,began,measure,levels,bandBps,threshold',
    );
    expect(lines.slice(1)).toEqual([
      `${iso(NOW_MS - 50 * MINUTE_MS)},spot,BTCUSDT,53812345678,100,0.1,20,-8.1,-10.22,SELLING,,NEUTRAL,firing,1,0,,true,notional,20,,10`,
      `${iso(NOW_MS - 49 * MINUTE_MS)},spot,BTCUSDT,53812345678,90,0.1,-20,-8.1,-10.22,BUYING,,NEUTRAL,pending,0,2,,false,notional,20,,10`,
      `${iso(NOW_MS - 30 * MINUTE_MS)},spot,ETHUSDT,53812345678,90000.15,0.1,-12.34,-8.1,-10.22,BUYING,,NEUTRAL,pending,0,0,,false,band,,7.5,10`,
      '',
    ]);
    const file = answer.outputs[0][0].binary?.data;
    expect(file).toMatchObject({ fileName: 'btcusdt-ethusdt-history.csv', mimeType: 'text/csv' });
    expect(Buffer.from(file?.data ?? '', 'base64').toString()).toBe(item.csv);
  });

  test('where there is none it says why, and what to do', async () => {
    const prefix = prefixOf();
    const nothing = await run(prefix, {});
    expect(jsonsOf(nothing)).toEqual([]);
    expect(nothing.hints[0]).toContain(
      `No feed of it reports to this store under the key prefix "${prefix}"`,
    );
    await store.writeFeedStatus(
      storeKeys(prefix, 'spot', 'BTCUSDT').feed,
      {
        ...{ writer: 'w1', state: 'live', market: 'spot', symbol: 'BTCUSDT', sinceMs: 1, reason: null },
        ...{ errorCode: null, resyncs: 0, lastEventAgeMs: 10, usedWeight: 5, lastUpdateId: 7 },
      },
      60_000,
    );
    expect((await run(prefix, {})).hints[0]).toContain('History For of its trigger may be 0');
    await keep(prefix, AN_HOUR);
    const from = iso(NOW_MS - 30 * MINUTE_MS);
    expect((await run(prefix, { from })).hints[0]).toContain(
      `its newest sample is of ${iso(NOW_MS - 40 * MINUTE_MS)}`,
    );
  });

  test('gives a history of many parts as one, and finds what lies before many that cannot be read', async () => {
    const prefix = prefixOf();
    const many = Array.from({ length: 1_300 }, (_, i) => [1_300 - i, { mid: i + 1 }] as const);
    // As a clock of whole minutes has it, with one missing between two parts.
    await keep(
      prefix,
      many.filter(([ago]) => ago !== 500),
    );
    const all = jsonsOf(await run(prefix, { step: 0 }));
    expect(all.map(({ mid }) => mid)).toEqual(many.flatMap(([ago], i) => (ago === 500 ? [] : [i + 1])));
    expect(all.flatMap(({ gapMs }) => gapMs ?? [])).toEqual([2 * MINUTE_MS]);
    if (kind === 'memory') return;
    const raw = createClient({ url: redis.url });
    await raw.connect();
    const key = storeKeys(prefix, 'spot', 'BTCUSDT').history;
    for (let i = 0; i < 600; i++) await raw.xAdd(key, `${NOW_MS - MINUTE_MS + 1 + i}-1`, { h: 'spoilt' });
    await raw.close();
    const readable = await run(prefix, { step: 0 });
    expect(jsonsOf(readable)).toHaveLength(1_299);
    expect(readable.hints).toEqual([expect.stringContaining('600 entries of the history is left out')]);
  });

  test('draws it, with its numbers and a sentence', async () => {
    const prefix = prefixOf();
    await keep(prefix, AN_HOUR);
    const chart = { operation: 'historyChart', to: iso(NOW_MS - 30 * MINUTE_MS), symbols: 'BTCUSDT, NOPE' };
    const answer = await run(prefix, chart, 'data', { width: 360 });
    expect(jsonsOf(answer)).toMatchObject([
      { samples: 4, alerts: 3, message: expect.stringMatching(/^BTCUSDT: 4 samples over 10 min/) as string },
      { samples: 0, message: expect.stringMatching(/^NOPE: no history from/) as string },
    ]);
    expect(answer.hints).toEqual([expect.stringContaining('NOPE: no history')]);
    const [drawn, none] = answer.outputs[0];
    expect(drawn.binary?.data).toMatchObject({ mimeType: 'image/png', fileName: 'btcusdt-history.png' });
    expect(readPng(Buffer.from(drawn.binary?.data.data ?? '', 'base64')).width).toBe(360);
    expect(none.binary).toBeUndefined();
    const [asSvg] = (await run(prefix, chart, 'data', { format: 'svg' })).outputs[0];
    const svg = parseSvg(Buffer.from(asSvg.binary?.data.data ?? '', 'base64').toString('utf8'));
    // Both runs of samples: the one after the gap is a dot.
    expect(pathParts(ofClass(svg, 'price-line').attributes.d).map(({ length }) => length)).toEqual([2]);
    expect(ofClass(svg, 'price').children.filter(({ name }) => name === 'circle')).toHaveLength(1);
    const [asked] = (await run(prefix, chart, 'dataTool')).outputs[0];
    expect([asked.binary, asked.json.samples]).toEqual([undefined, 4]);
  });

  test('a model gets numbers and a sentence', async () => {
    const prefix = prefixOf();
    const none = jsonsOf(await run(prefix, {}, 'dataTool'));
    expect(none).toMatchObject([{ samples: 0, message: expect.stringContaining('no history') as string }]);
    await keep(prefix, AN_HOUR);
    const [answer] = jsonsOf(await run(prefix, {}, 'dataTool'));
    expect(answer).toMatchObject({ alerts: 3, message: expect.stringContaining('4 samples') as string });
    expect(answer.history).toEqual([
      expect.objectContaining({ time: iso(NOW_MS - 48 * MINUTE_MS), mid: null }),
      expect.objectContaining({ mid: 110, gapMs: 8 * MINUTE_MS }),
    ]);
  });

  test.each([
    [{ from: 'yesterday' }, /From must be a date and time/],
    [{ from: 5 }, /From must be a date and time/],
    [{ from: iso(NOW_MS), to: iso(NOW_MS - 1) }, /From must not be later than To/],
    [{ step: -1 }, /Step/],
    [{ shape: 'picture' }, /Return/],
  ])('refuses %j', async (parameters, message) => {
    const { error } = await run(prefixOf(), parameters);
    expect(error?.message).toMatch(message);
  });
});

test('a history of a later version is an error, and a spoilt entry is left out with a word', async () => {
  const raw = createClient({ url: redis.url });
  await raw.connect();
  const run = (prefix: string) =>
    runNode({
      ...{ nodes, type: 'data', credentials: { orderFlowRedisApi: credentialsOf(redis) as IDataObject } },
      parameters: {
        ...{
          resource: 'history',
          store: 'redis',
          symbols: 'BTCUSDT',
          step: 0,
          options: { keyPrefix: prefix },
        },
      },
    });
  const key = (prefix: string) => storeKeys(prefix, 'spot', 'BTCUSDT').history;
  try {
    await raw.xAdd(key('examples/later/'), '*', { h: '2,other' });
    expect((await run('examples/later/')).error?.message).toMatch(/version 2.*\[OF_RECORD_VERSION\]/);
    await raw.xAdd(key('examples/spoilt/'), '*', { h: 'hello' });
    await raw.xAdd(key('examples/spoilt/'), '*', { h: encodeSample(content()) });
    const { outputs, hints } = await run('examples/spoilt/');
    expect(outputs[0]).toHaveLength(1);
    expect(hints).toEqual([expect.stringContaining('1 entry of the history is left out')]);
  } finally {
    await raw.close();
  }
});
