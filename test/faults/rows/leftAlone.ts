import { once } from 'node:events';
import { connect } from 'node:net';
import type { IDataObject } from 'n8n-workflow';
import { startExchange } from '../../../exchange';
import { FEED_TIMINGS } from '../../../src/binance/timings';
import { feedRegistry } from '../../../src/binance/feedRegistry';
import { IDLE_GRACE_MS, redisInventory } from '../../../src/store/redis/sharedConnections';
import { writerInventory } from '../../../src/store/writers/snapshotWriter';
import { RELEASE_GRACE_MS } from '../../../src/trigger/symbolOutlets';
import { startTrigger } from '../../support/engine';
import { BinanceOrderBookTrigger } from '../../support/nodes';
import { type RedisServer, startRedis } from '../../support/redisServer';
import { credentialsOf } from '../../support/storeFixtures';
import { must, NOTHING_TO_RECOVER, type RunResult } from '../scenario';
import { until } from '../scene';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
/** A feed is kept for the one, a record for the other, and after that the connection to Redis. */
const GRACES_MS = Math.max(FEED_TIMINGS.graceMs, RELEASE_GRACE_MS) + IDLE_GRACE_MS;
/** For a machine that is busy. */
const SLACK_MS = 20_000;

/** Connections that a Redis has, by its own list, but for the one that asks. */
export async function clientsOf({ port }: RedisServer): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  let list = '';
  socket.on('data', (bytes: Buffer) => (list += bytes.toString('latin1')));
  socket.end('CLIENT LIST\r\nQUIT\r\n');
  await once(socket, 'close');
  return (list.match(/\baddr=/g) ?? []).length - 1;
}

/** Row 16: a trigger with Redis is closed, and nobody helps: after the stated graces nothing of it is left. */
export async function leftAlone(seed: number): Promise<RunResult> {
  const exchange = await startExchange({ seed, symbols: SYMBOLS });
  const redis = await startRedis();
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  let close: (() => Promise<void>) | null = null;
  try {
    const trigger = await startTrigger({
      nodes: { trigger: new BinanceOrderBookTrigger() },
      ...{ type: 'trigger', credentials: { orderFlowRedisApi: credentialsOf(redis) as IDataObject } },
      parameters: {
        ...{ symbols: SYMBOLS.join(), emit: 'continuous', levels: 5, store: 'redis' },
        options: { restBaseUrl, webSocketBaseUrl, publishDepth: true, feedStatus: true, saveEvery: 0.1 },
      },
    });
    close = () => trigger.close();
    await trigger.executionsReached(5);
    const open = await inventory(redis);
    must(
      Object.values(open).every((count) => count > 0),
      () => `not all of it stands: ${JSON.stringify(open)}`,
    );
    await trigger.close();
    const begun = performance.now();
    let left = await inventory(redis);
    while (Object.values(left).some((count) => count > 0)) {
      must(performance.now() - begun < GRACES_MS + SLACK_MS, () => `left: ${JSON.stringify(left)}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
      left = await inventory(redis);
    }
    await until(() => exchange.stats.openConnections === 0, 'every socket gone');
    return NOTHING_TO_RECOVER;
  } finally {
    await close?.();
    await redis.stop();
    await exchange.close();
  }
}

/** What is open, as the package counts it and as Redis does. */
async function inventory(redis: RedisServer): Promise<Record<string, number>> {
  const { connections, symbols } = feedRegistry().inventory();
  const pool = redisInventory();
  return {
    ...{ connections, symbols, writers: writerInventory() },
    ...{ redisConnections: pool.connections, redisClients: await clientsOf(redis) },
  };
}
