import type { HistoryChart } from '../../../src/charts/types';
import { OrderFlowError } from '../../../src/runtime/errors';
import { MemoryStore } from '../../../src/store/memoryStore';
import { storeKeys } from '../../../src/store/keys';
import { ChartAttacher } from '../../../src/trigger/chartAttacher';
import type { OutgoingItem } from '../../../src/trigger/host';
import { readTriggerSettings } from '../../../src/trigger/settings';
import { content } from '../history/samples';

const EVERY_MS = 10_000;
const HOUR_MS = 3_600_000;
let wall = 1_795_953_600_000;
let prefixes = 0;

const settingsOf = (options: object = {}) => {
  const keyPrefix = `examples/attacher${prefixes++}/`;
  const values: Record<string, unknown> = {
    ...{ market: 'spot', symbols: 'BTCUSDT', emit: 'signalChange', threshold: 12, store: 'memory' },
    options: { attachChart: 'hour', keyPrefix, ...options },
  };
  return readTriggerSettings((name) => values[name]);
};
type Settings = ReturnType<typeof settingsOf>;

/** A store with samples of the last so many periods, and a host that keeps what it is to draw. */
async function scene(settings: Settings, samples: number, draw?: (chart: HistoryChart) => Promise<unknown>) {
  const store = new MemoryStore(undefined, () => wall);
  const key = storeKeys(settings.keyPrefix, 'spot', 'BTCUSDT').history;
  for (let i = 0; i < samples; i++) {
    wall += EVERY_MS;
    const sample = content({ mid: 100 + i, everyMs: EVERY_MS, recoveryThreshold: 4.5 });
    await store.history.append(key, { epoch: 1, sample, ageMs: 0, forMs: 24 * HOUR_MS });
  }
  wall += 1_000;
  const charts: HistoryChart[] = [];
  const picture = (chart: HistoryChart) => {
    charts.push(chart);
    return draw === undefined ? Promise.resolve(`picture ${charts.length}`) : draw(chart);
  };
  const attacher = new ChartAttacher(settings, store, { picture: picture as never }, 200);
  return { attacher, charts, close: () => store.close() };
}

const alert = (over: object = {}): OutgoingItem => ({
  output: 0,
  json: {
    ...{ kind: 'alert', symbol: 'BTCUSDT', mid: 123, signal: 'SELLING', state: 'firing' },
    ...{ smoothedPercent: 15, imbalancePercent: 16, ...over },
  },
});
const book: OutgoingItem = { output: 1, json: { symbol: 'BTCUSDT', state: 'live' } };

test('an alert gets a chart of the last hour, of which it is the end itself', async () => {
  const settings = settingsOf();
  const { attacher, charts, close } = await scene(settings, 400);
  const items = [book, alert()];
  expect(attacher.isWanted).toBe(true);
  expect(await attacher.attach(items)).toEqual([book, { ...items[1], picture: 'picture 1' }]);
  const [{ samples, fromMs, toMs, recovery, symbol }] = charts;
  expect([symbol, recovery, toMs]).toEqual(['BTCUSDT', 4.5, wall]);
  expect(wall - fromMs).toBeGreaterThan(HOUR_MS - 2 * EVERY_MS);
  expect(wall - fromMs).toBeLessThanOrEqual(HOUR_MS);
  expect(samples.at(-1)).toEqual({
    ...{ timeMs: wall, mid: 123, percent: 15, threshold: 12, afterGap: false },
    ...{ firing: 'SELLING', alert: 'SELLING' },
  });
  expect(samples.at(-2)).toMatchObject({ timeMs: wall - 1_000, mid: 499 });
  await close();
});

test('an end is one, a repeat is no new alert, and what was missed is a gap', async () => {
  const { attacher, charts, close } = await scene(settingsOf(), 5);
  await attacher.attach([alert({ kind: 'recovered', signal: 'NEUTRAL', state: 'normal' })]);
  await attacher.attach([alert({ kind: 'repeat' })]);
  wall += 60_000;
  await attacher.attach([alert({ kind: 'no-signal', signal: null, state: 'no-signal', mid: undefined })]);
  expect(charts.map(({ samples }) => samples.at(-1))).toMatchObject([
    { firing: null, alert: 'NEUTRAL', afterGap: false },
    { firing: 'SELLING', alert: null, afterGap: false },
    { firing: null, alert: 'NEUTRAL', afterGap: true, mid: null },
  ]);
  await close();
});

test('without a history, with one that cannot be read or drawn, and too late an alert goes out without, and says why', async () => {
  const errorOf = async ({ attacher, close }: Awaited<ReturnType<typeof scene>>) => {
    const [{ picture, json }] = await attacher.attach([alert()]);
    expect(picture).toBeUndefined();
    await close();
    return (json as { chartError: string }).chartError;
  };
  expect(await errorOf(await scene(settingsOf(), 0))).toMatch(
    /no history of BTCUSDT is kept yet \[OF_CHART\]$/,
  );
  const failing = () => Promise.reject(new OrderFlowError('OF_CHART', 'too bad'));
  expect(await errorOf(await scene(settingsOf(), 3, failing))).toMatch(/too bad \[OF_CHART\]$/);
  const never = () => new Promise(() => undefined);
  expect(await errorOf(await scene(settingsOf(), 3, never))).toMatch(/not done within 0\.2 s \[OF_CHART\]$/);
  const closed = await scene(settingsOf(), 3);
  await closed.close();
  expect(await errorOf(closed)).toMatch(/\[OF_/);
});

test('of a threshold that follows the past the chart shows the one in force, and of several symbols there is none', async () => {
  const { attacher, charts, close } = await scene(settingsOf(), 3);
  const gathered = alert({ kind: 'gathered', symbol: 'AUSDT, BUSDT' });
  expect(await attacher.attach([alert({ thresholdInForce: 7.5 }), gathered])).toEqual([
    expect.objectContaining({ picture: 'picture 1' }),
    gathered,
  ]);
  expect(charts.map(({ samples }) => samples.at(-1)?.threshold)).toEqual([7.5]);
  await close();
});

test('of many alerts at once the newest have a picture', async () => {
  const { attacher, close } = await scene(settingsOf(), 3);
  const items = Array.from({ length: 12 }, (_, i) => alert({ mid: i }));
  const attached = await attacher.attach(items);
  expect(attached.map(({ picture }) => picture !== undefined)).toEqual([
    ...[false, false],
    ...Array.from({ length: 10 }, () => true),
  ]);
  expect(attached.map(({ json }) => 'chartError' in json).slice(0, 3)).toEqual([true, true, false]);
  expect(attached[0].json).toMatchObject({
    chartError: 'The chart could not be drawn: of 12 alerts at once the newest 10 have one [OF_CHART]',
  });
  await close();
});

test('it is off unless asked for, and needs alerts and a history', () => {
  expect(settingsOf({ attachChart: undefined }).attachChartMs).toBe(0);
  expect(settingsOf({ attachChart: 'day' }).attachChartMs).toBe(24 * HOUR_MS);
  expect(() => settingsOf({ historyFor: 0 })).toThrow(/^Attach Chart needs a history/);
  expect(() => settingsOf({ attachChart: 'week' })).toThrow(/^Attach Chart must be one of/);
  const values: Record<string, unknown> = { market: 'spot', symbols: 'BTCUSDT', emit: 'interval' };
  const interval = readTriggerSettings((name) =>
    name === 'options' ? { attachChart: 'hour' } : values[name],
  );
  expect(interval.attachChartMs).toBe(0);
});
