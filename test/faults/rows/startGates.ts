import type { IDataObject, ITriggerResponse } from 'n8n-workflow';
import { startExchange, type Exchange } from '../../../exchange';
import { fastCodec } from '../../../src/binance/wire/codec';
import { createFeedRegistry } from '../../../src/binance/feedRegistry';
import type { FeedRegistry } from '../../../src/feed/types';
import { startTrigger } from '../../support/engine';
import { QUICK } from '../../support/feedHarness';
import { BinanceOrderBookTrigger } from '../../support/nodes';
import { credentialsOf } from '../../support/storeFixtures';
import { Gate, type Holds } from '../gate';
import { Random } from '../random';
import { must, type RunResult } from '../scenario';
import { pause, until } from '../scene';
import { noRedisConnectionLeft, sharedRedis } from '../sharedRedis';
import { endWriterGraces } from '../writerGrace';

const SYMBOL = 'BTCUSDT';
const REGISTRY = Symbol.for('n8n-nodes-orderflow.feeds.v3');
const holder = globalThis as unknown as Record<symbol, FeedRegistry | undefined>;

type Mode = 'trigger' | 'manual';
type Line = 'redis' | 'rest' | 'webSocket';

/** A place at which a start waits for somebody else's answer. */
interface Place {
  readonly name: string;
  readonly line: Line;
  readonly holds: () => Holds;
  /** n8n can end a start by hand at any moment, and an active one once the trigger has answered. */
  readonly modes: readonly Mode[];
}

/** @param times the how manieth such message is held */
const sent =
  (text: string, times = 1) =>
  (): Holds => {
    let left = times;
    return (direction, bytes) => direction === 'up' && bytes.includes(text) && --left === 0;
  };
const BOTH: readonly Mode[] = ['trigger', 'manual'];

const PLACES: readonly Place[] = [
  {
    name: 'the store connects',
    line: 'redis',
    holds: () => (direction) => direction === 'up',
    modes: ['manual'],
  },
  { name: 'the bans of others', line: 'redis', holds: sent('ban'), modes: ['manual'] },
  { name: 'the check of the symbols', line: 'rest', holds: sent('/depth'), modes: ['manual'] },
  { name: 'the upgrade', line: 'webSocket', holds: () => (direction) => direction === 'down', modes: BOTH },
  {
    name: 'the subscription',
    line: 'webSocket',
    holds: () => (direction, _bytes, nth) => direction === 'up' && nth === 2,
    modes: BOTH,
  },
  { name: 'the first snapshot', line: 'rest', holds: sent('/depth', 2), modes: BOTH },
  { name: 'the claim', line: 'redis', holds: sent('\r\nclaim\r\n'), modes: ['trigger'] },
  { name: 'the first save', line: 'redis', holds: sent('\r\nhold\r\n'), modes: ['trigger'] },
  { name: 'the save of a test', line: 'redis', holds: sent('\r\nstandby\r\n'), modes: ['manual'] },
];

/**
 * Row 16: the end comes while the start waits at a place that has a name, each of them once. What was waited for comes a
 * moment after it, and finds nobody.
 */
export async function endedAtEachWait(seed: number): Promise<RunResult> {
  const random = new Random(seed);
  // Of its own: when it is drawn from, the machine decides.
  const luck = new Random(-seed);
  const exchange = await startExchange({ seed, tickMs: 20, symbols: [SYMBOL] });
  const before = holder[REGISTRY];
  const registry = createFeedRegistry({ codec: fastCodec(), timings: QUICK, random: () => luck.next() });
  holder[REGISTRY] = registry;
  try {
    for (const place of PLACES)
      for (const mode of place.modes) {
        const name = `${place.name} (${mode})`;
        await endAt(place, mode, { exchange, registry, random, keyPrefix: `faults-gate-${seed}/` }).catch(
          (error: Error) => {
            throw new Error(`${name}: ${error.message}`, { cause: error });
          },
        );
      }
  } finally {
    holder[REGISTRY] = before;
    await exchange.close();
  }
  return { recoverMs: null };
}

interface World {
  readonly exchange: Exchange;
  readonly registry: FeedRegistry;
  readonly random: Random;
  readonly keyPrefix: string;
}

async function endAt({ line, holds }: Place, mode: Mode, world: World): Promise<void> {
  const { exchange, registry, random, keyPrefix } = world;
  const redis = await sharedRedis();
  const ports: Record<Line, number> = {
    redis: redis.port,
    rest: Number(new URL(exchange.restBaseUrl).port),
    webSocket: Number(new URL(exchange.webSocketBaseUrl).port),
  };
  const gate = await Gate.before(ports[line], holds());
  ports[line] = gate.port;
  const credentials = credentialsOf({ ...redis, port: ports.redis });
  let [items, closed] = [0, false];
  let response: ITriggerResponse | null = null;
  try {
    const starting = startTrigger({
      nodes: { trigger: new BinanceOrderBookTrigger() },
      ...{ type: 'trigger', mode, credentials: { orderFlowRedisApi: credentials as IDataObject } },
      parameters: {
        ...{ symbols: SYMBOL, emit: 'continuous', levels: 5, store: 'redis' },
        options: {
          restBaseUrl: `http://127.0.0.1:${ports.rest}`,
          webSocketBaseUrl: `ws://127.0.0.1:${ports.webSocket}`,
          ...{ keyPrefix, bookDepth: 100, saveEvery: 0.1 },
        },
      },
      onResponse: (given) => (response = given),
      onExecution: () => {
        must(!closed, 'an item after the end');
        items++;
        return Promise.resolve();
      },
    }).catch((error: Error) => {
      must(/OF_[A-Z_]+/.test(error.message), () => `no coded error: ${error.message}`);
    });
    await atMost(gate.reached, 5_000, 'nobody came to the gate');
    await until(() => response !== null, 'an answer to n8n');
    const close = () => (response as ITriggerResponse | null)?.closeFunction?.();
    const ending = Promise.all([close(), close()]);
    // Before closing has come to its own waits, or while it is at one of them.
    if (random.chance(0.7)) await pause(random.whole(0, 60));
    gate.open();
    await atMost(ending, 8_000, 'the end has no end');
    closed = true;
    await atMost(starting, 8_000, 'the start has no end');
    const left = () => Object.values(registry.inventory()).reduce((sum, count) => sum + count, 0);
    await until(
      () => left() === 0,
      () => `left: ${JSON.stringify(registry.inventory())} after ${items} items`,
    );
    await until(() => exchange.stats.openConnections === 0, 'every socket gone');
    await endWriterGraces(credentials, keyPrefix, [SYMBOL]);
    await noRedisConnectionLeft();
  } finally {
    gate.open();
    await gate.close();
  }
}

async function atMost<T>(act: PromiseLike<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${ms} ms`)), ms);
  });
  return Promise.race([act, limit]).finally(() => clearTimeout(timer));
}
