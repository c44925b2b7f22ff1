import { randomUUID } from 'node:crypto';
import type { INodeExecutionData } from 'n8n-workflow';
import { startExchange, type Exchange } from '../../exchange';
import { chartRenderer } from '../../src/charts/chartRenderer';
import { startTrigger, type TriggerRun } from '../support/engine';
import { BinanceOrderBookTrigger } from '../support/nodes';
import { readPng } from '../support/png';

const nodes = { trigger: new BinanceOrderBookTrigger() };
/** Reported at once, and over at once. */
const AT_ONCE = { pendingPeriod: 0, smoothingHalfLife: 0, cooldown: 0, keepFiringFor: 0 };

let exchange: Exchange;
const running: TriggerRun[] = [];
beforeAll(async () => {
  exchange = await startExchange({ market: 'spot', symbols: ['BTCUSDT'], seed: 11 });
});
afterEach(async () => {
  for (const run of running.splice(0)) await run.close();
});
afterAll(async () => {
  await exchange.close();
  await chartRenderer().closeIdle();
});

async function start(options: object, mode: 'manual' | 'trigger'): Promise<TriggerRun> {
  const urls = { restBaseUrl: exchange.restBaseUrl, webSocketBaseUrl: exchange.webSocketBaseUrl };
  const parameters = {
    ...{ symbols: 'BTCUSDT', emit: 'signalChange', alerts: AT_ONCE },
    options: { ...urls, historyEvery: 1, keyPrefix: 'examples/charts/', ...options },
  };
  const run = await startTrigger({ nodes, type: 'trigger', mode, workflowId: randomUUID(), parameters });
  running.push(run);
  return run;
}

/** The first item with a picture; alerts without one say why. */
async function withPicture(run: TriggerRun): Promise<INodeExecutionData> {
  for (let count = 1; ; count++) {
    exchange.pressure('BTCUSDT', count % 2 === 0 ? 'bid' : 'ask', 4, 2_000);
    await run.executionsReached(count, 60_000);
    const [items] = run.executions[count - 1];
    const drawn = items.find(({ binary }) => binary !== undefined);
    if (drawn !== undefined) return drawn;
    for (const { json } of items) expect(json.chartError).toMatch(/\[OF_CHART\]$/);
  }
}

test('an alert carries a chart of its symbol’s history, and so does a test run behind it', async () => {
  const run = await start({ attachChart: 'hour' }, 'trigger');
  const { json, binary } = await withPicture(run);
  expect(json).toMatchObject({ symbol: 'BTCUSDT', kind: expect.any(String) as unknown });
  expect(json).not.toHaveProperty('chartError');
  const { data, ...file } = binary?.data ?? { data: '' };
  expect(file).toMatchObject({
    mimeType: 'image/png',
    fileName: 'btcusdt-history.png',
    fileExtension: 'png',
  });
  // Not in n8n's store of files, where it would outlive its execution.
  expect(file).not.toHaveProperty('id');
  expect(readPng(Buffer.from(data, 'base64')).width).toBe(960);
  await run.close();

  const byHand = await start({ attachChart: 'hour' }, 'manual');
  const [[[test]]] = byHand.executions;
  expect(test.json.kind).toBe('test');
  expect([test.binary !== undefined, test.json.chartError !== undefined]).toContain(true);
});

test('without the option an alert carries none', async () => {
  const run = await start({}, 'trigger');
  exchange.pressure('BTCUSDT', 'ask', 4, 2_000);
  await run.executionsReached(1, 60_000);
  const [[item]] = run.executions[0];
  expect([item.binary, item.json.chartError]).toEqual([undefined, undefined]);
});
