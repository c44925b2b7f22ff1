import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Exchange, startExchange } from '../../../exchange';
import { BinanceOrderBookTrigger } from '../../../nodes/BinanceOrderBookTrigger/BinanceOrderBookTrigger.node';
import { OrderFlowImbalance } from '../../../nodes/OrderFlowImbalance/OrderFlowImbalance.node';
import { assertStoreFits } from '../../../src/n8n/nodeStore';
import { runNode, startTrigger } from '../../support/engine';

const folder = mkdtempSync(join(tmpdir(), 'orderflow-settings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(content: string): string {
  const path = join(folder, 'mode');
  writeFileSync(path, content);
  return path;
}

const NODE = ['node', 'n8n'];
const refusal = (environment: NodeJS.ProcessEnv, argv: readonly string[] = NODE) => {
  try {
    assertStoreFits('memory', { environment, argv });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the embedded store is refused by what the process is', () => {
  test.each([
    ['a queue by its variable', { EXECUTIONS_MODE: 'queue' }, NODE, /EXECUTIONS_MODE is queue$/],
    ['quotes around it', { EXECUTIONS_MODE: ' "queue" ' }, NODE, /EXECUTIONS_MODE is queue$/],
    ['the main process by its name', { EXECUTIONS_MODE: 'queue' }, [...NODE, 'start'], /EXECUTIONS_MODE/],
    ['a worker without the variable', {}, [...NODE, 'worker', '--concurrency=5'], /"n8n worker"$/],
    ['a webhook process', { EXECUTIONS_MODE: 'regular' }, [...NODE, 'webhook'], /"n8n webhook"$/],
  ])('%s', (_name, environment, argv, message) => {
    expect(refusal(environment, argv)).toMatch(message);
  });

  test('a queue by the file that EXECUTIONS_MODE_FILE names', () => {
    expect(refusal({ EXECUTIONS_MODE_FILE: file('queue\n') })).toMatch(/EXECUTIONS_MODE is queue$/);
    expect(refusal({ EXECUTIONS_MODE_FILE: file('regular') })).toBeNull();
    // The variable itself comes first, as in n8n.
    expect(refusal({ EXECUTIONS_MODE_FILE: file('queue'), EXECUTIONS_MODE: 'regular' })).toBeNull();
  });
});

describe('a run of the trigger by hand', () => {
  const run = (exchange?: Exchange) =>
    startTrigger({
      ...{ nodes: { trigger: new BinanceOrderBookTrigger() }, type: 'trigger', mode: 'manual' },
      parameters: {
        symbols: 'BTCUSDT',
        options: { restBaseUrl: exchange?.restBaseUrl, webSocketBaseUrl: exchange?.webSocketBaseUrl },
      },
    });
  const argv = process.argv;
  afterEach(() => {
    process.argv = argv;
    delete process.env.EXECUTIONS_MODE;
  });

  test('is refused the embedded store on a worker', async () => {
    process.argv = [...NODE, 'worker'];
    await expect(run()).rejects.toThrow(/"n8n worker" \[OF_QUEUE_MODE_NEEDS_REDIS\]/);
  });

  test('may use it on the main process, where the nodes that follow run too', async () => {
    process.env.EXECUTIONS_MODE = 'queue';
    const exchange = await startExchange({ symbols: ['BTCUSDT'] });
    try {
      const { executions, close } = await run(exchange);
      await close();
      expect(executions).toHaveLength(1);
    } finally {
      await exchange.close();
    }
  });
});

test('a check that shares nothing works on a worker with the default store', async () => {
  const argv = process.argv;
  process.argv = [...NODE, 'worker'];
  try {
    const { outputs } = await runNode({
      ...{ nodes: { imbalance: new OrderFlowImbalance() }, type: 'imbalance' },
      ...{ parameters: { source: 'item', levels: 1 }, items: [{ bids: [['1', '1']], asks: [['2', '1']] }] },
    });
    expect(outputs.flat()).toHaveLength(1);
  } finally {
    process.argv = argv;
  }
});

test('one process of its own takes it, and Redis fits everywhere', () => {
  expect(refusal({})).toBeNull();
  expect(refusal({}, [...NODE, 'start'])).toBeNull();
  for (const argv of [NODE, [...NODE, 'worker']])
    expect(() => assertStoreFits('redis', { environment: { EXECUTIONS_MODE: 'queue' }, argv })).not.toThrow();
});
