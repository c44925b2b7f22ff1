import type * as net from 'node:net';
import { WebSocketServer } from 'ws';
import { type Exchange, startExchange } from '../../exchange';
import { BinanceOrderBookTrigger } from '../../nodes/BinanceOrderBookTrigger/BinanceOrderBookTrigger.node';
import { feedRegistry } from '../../src/binance/feedRegistry';
import { startTrigger, type TriggerRun } from '../support/engine';
import { until } from '../support/feedHarness';

const nodes = { trigger: new BinanceOrderBookTrigger() };
const CANARY = 'canary-s3cret';

/** What n8n's log gets from a feed, through n8n's own engine. */
let exchange: Exchange;
let running: TriggerRun | null = null;
let target = {};
let crashing: WebSocketServer | null = null;

beforeAll(async () => {
  exchange = await startExchange({ market: 'spot', symbols: ['BTCUSDT'], seed: 7 });
});
afterEach(async () => {
  await running?.close();
  running = null;
  // The feed would wait for the workflow to be published again.
  const request = {
    market: 'spot',
    symbols: ['BTCUSDT'],
    updateSpeedMs: 100,
    bookDepth: 'auto',
    levels: 20,
  } as const;
  await feedRegistry()
    .acquire({ ...request, ...target }, {})
    .release({ immediately: true });
  await new Promise<void>((done) => (crashing ? crashing.close(() => done()) : done()));
  crashing = null;
});
afterAll(() => exchange.close());

const start = async (options: object, mode: 'manual' | 'trigger' = 'trigger') => {
  target = options;
  const parameters = { symbols: 'BTCUSDT', emit: 'interval', interval: 1, options };
  running = await startTrigger({ nodes, type: 'trigger', parameters: parameters as never, mode });
  return running;
};
const urls = () => ({ restBaseUrl: exchange.restBaseUrl, webSocketBaseUrl: exchange.webSocketBaseUrl });
const about = (lines: readonly string[], words: RegExp) => lines.filter((line) => words.test(line));

test('a run by hand says as well what its connection does', async () => {
  const { logLines } = await start(urls(), 'manual');
  expect(about(logLines, /connected to/)).toHaveLength(1);
});

test('a connection, its loss and its return are a line each, under the name of the node', async () => {
  const { logLines, executionsReached, executions } = await start(urls());
  await executionsReached(1);
  expect(about(logLines, /connected to/)).toEqual([
    expect.stringMatching(/^info \[Trigger\] .*: connected to 127\.0\.0\.1:\d+, 1 streams$/),
  ]);
  const before = executions.length;
  exchange.faults.add({ kind: 'close', code: 1001 });
  await until(() => about(logLines, /closed/).length > 0, 'the loss reported');
  expect(about(logLines, /closed/)).toEqual([expect.stringMatching(/^warn \[Trigger\] /)]);
  await executionsReached(before + 2);
});

test('an exchange that closes every connection: few lines, however often it is tried', async () => {
  let connections = 0;
  crashing = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  crashing.on('connection', (socket) => {
    connections++;
    socket.close(1008, `go\r\naway http://user:${CANARY}@x`);
  });
  await new Promise((done) => crashing?.once('listening', done));
  const { port } = crashing.address() as net.AddressInfo;
  const { logLines } = await start({
    restBaseUrl: exchange.restBaseUrl,
    webSocketBaseUrl: `ws://127.0.0.1:${port}`,
  });
  await until(
    () => connections >= 4,
    () => `${connections} connections`,
    25_000,
  );
  // Each of them was connected and closed: eight and more things to tell.
  const reported = logLines.join('\n');
  expect(logLines.length).toBeGreaterThanOrEqual(2);
  expect(logLines.length).toBeLessThanOrEqual(3);
  expect(about(logLines, /^warn \[Trigger\] .*closed/).length).toBeGreaterThanOrEqual(1);
  expect(reported).not.toContain(CANARY);
  for (const line of logLines) expect(line).not.toMatch(/[\r\n]/);
});
