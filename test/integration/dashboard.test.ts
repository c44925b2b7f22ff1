import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { IDataObject } from 'n8n-workflow';
import { type Exchange, startExchange } from '../../exchange';
import { BinanceOrderBookTrigger } from '../../nodes/BinanceOrderBookTrigger/BinanceOrderBookTrigger.node';
import { OrderFlowImbalance } from '../../nodes/OrderFlowImbalance/OrderFlowImbalance.node';
import { killGroup, run } from '../../scripts/processes';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import { runNode, startTrigger, type TriggerRun } from '../support/engine';
import { type RedisServer, startRedis } from '../support/redisServer';
import { ADMIN, credentialsOf, documentedRights, LIMITED_USER } from '../support/storeFixtures';

const EXAMPLES = join(__dirname, '../../docs/examples');
const nodes = { trigger: new BinanceOrderBookTrigger(), imbalance: new OrderFlowImbalance() };
/** What docs/dashboard.md says that a reader needs. */
const READER =
  'user reader on >look resetchannels &*-imbalance resetkeys ~examples/* -@all +getrange +time +get +subscribe';

let exchange: Exchange;
let server: RedisServer;
let feed: TriggerRun;
let credentials: { orderFlowRedisApi: IDataObject };

beforeAll(async () => {
  exchange = await startExchange({ market: 'spot', symbols: ['BTCUSDT'], seed: 4 });
  server = await startRedis({ acl: [ADMIN, documentedRights(LIMITED_USER.password), READER] });
  credentials = { orderFlowRedisApi: credentialsOf(server, LIMITED_USER) as IDataObject };
  feed = await startTrigger({
    ...{ nodes, type: 'trigger', credentials },
    parameters: {
      ...{ symbols: 'BTCUSDT', emit: 'interval', interval: 0.2, store: 'redis' },
      options: {
        ...{ restBaseUrl: exchange.restBaseUrl, webSocketBaseUrl: exchange.webSocketBaseUrl },
        saveEvery: 0.1,
      },
    },
  });
  await feed.executionsReached(2);
});
afterAll(async () => {
  await feed.close();
  await closeIdleRedisConnections();
  await server.stop();
  await exchange.close();
});

/** Judges the stored book and publishes the result. */
async function check(): Promise<{ imbalancePercent: number; message: string }> {
  const parameters = { store: 'redis', symbols: 'BTCUSDT', emit: 'every', options: {} };
  const { outputs } = await runNode({ nodes, type: 'imbalance', credentials, parameters });
  return outputs.flat()[0].json as { imbalancePercent: number; message: string };
}

const redisUrl = () => `redis://reader:look@${server.host}:${server.port}`;

describe('the dashboards of docs/dashboard.md', () => {
  test('both show the book as the node judges it, and what is missing', async () => {
    // The book stands still, so that all three see the same.
    exchange.pause();
    const at = exchange.lastUpdateId('BTCUSDT');
    const isSaved = async () => ((await check()) as unknown as { lastUpdateId: number }).lastUpdateId === at;
    while (!(await isSaved())) await delay(50);
    const asked = ['--once', 'BTCUSDT', 'NOBOOKUSDT'];
    const env = { ...process.env, REDIS_USER: 'reader', REDIS_PASSWORD: 'look' };
    const python = await run(
      'python3',
      [join(EXAMPLES, 'dashboard.py'), '--redis', `${server.host}:${server.port}`, ...asked],
      { env },
    );
    const node = await run(process.execPath, [
      join(EXAMPLES, 'dashboard.mjs'),
      '--redis',
      redisUrl(),
      ...asked,
    ]);
    const { imbalancePercent } = await check();
    exchange.resume();
    const facts =
      /^BTCUSDT +bid +[\d.]+ ask +[\d.]+ asks over bids +\+?(-?[\d.]+) % {2}\d+ ms old\nNOBOOKUSDT +missing$/;
    for (const { code, tail } of [python, node]) {
      expect(tail).toMatch(facts);
      expect(Math.abs(Number(facts.exec(tail)?.[1]) - imbalancePercent)).toBeLessThan(0.06);
      expect(code).toBe(0);
    }
  });

  test('Node shows each result as it comes', async () => {
    const child = spawn(
      process.execPath,
      [join(EXAMPLES, 'dashboard.mjs'), '--redis', redisUrl(), 'BTCUSDT'],
      {
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    try {
      const messages: string[] = [];
      // It may subscribe after the first result.
      while (!messages.some((message) => lines.includes(message))) {
        messages.push((await check()).message);
        await delay(50);
      }
    } finally {
      killGroup(child, 'SIGKILL');
    }
  });
});
