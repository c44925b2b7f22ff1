import type { IDataObject } from 'n8n-workflow';
import { startExchange, type Exchange } from '../../../exchange';
import { feedRegistry } from '../../../src/binance/feedRegistry';
import type { OutageTimes } from '../../../src/trigger/outages';
import { startTrigger, type TriggerRun } from '../../support/engine';
import { limitedTrigger } from '../../support/limitedTrigger';
import { type RedisServer, startRedis } from '../../support/redisServer';
import { credentialsOf } from '../../support/storeFixtures';
import { Random } from '../random';
import { EVERY_RUN, must, type RunResult, type Scenario } from '../scenario';
import { pause, until } from '../scene';
import { noRedisConnectionLeft } from '../sharedRedis';
import { askRedis } from '../storeScene';
import { endWriterGraces } from '../writerGrace';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
const KEY_PREFIX = 'faults/for-good-';
/** The minute after publishing, shortened. */
const TIMES: OutageTimes = { neverUpMs: 600, reportEveryMs: 600_000, checkEveryMs: 20 };
/** The minutes of the field. */
const PATIENCE_MS = 1_200;
/** How long the test looks for a repeated report. */
const WATCH_MS = 1_500;

interface Run {
  readonly trigger: TriggerRun;
  readonly exchange: Exchange;
}

/** The trigger in n8n's engine on three symbols, its times for reports shortened. */
async function play(
  seed: number,
  redis: RedisServer | null,
  options: (exchange: Exchange) => IDataObject,
  act: (run: Run) => Promise<number | null>,
): Promise<RunResult> {
  const exchange = await startExchange({ seed, tickMs: 20, symbols: SYMBOLS });
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  const credentials = redis === null ? null : credentialsOf(redis);
  let trigger: TriggerRun | null = null;
  try {
    trigger = await startTrigger({
      ...{ nodes: { trigger: limitedTrigger({ outages: TIMES }) }, type: 'trigger' },
      credentials: credentials === null ? {} : { orderFlowRedisApi: credentials as IDataObject },
      parameters: {
        ...{ symbols: SYMBOLS.join(), emit: 'interval', interval: 0.1 },
        store: credentials === null ? 'memory' : 'redis',
        options: {
          restBaseUrl,
          webSocketBaseUrl,
          keyPrefix: KEY_PREFIX,
          saveEvery: 0.1,
          ...options(exchange),
        },
      },
    });
    const recoverMs = await act({ trigger, exchange });
    must(trigger.emittedErrors.length === 0, 'the trigger gave itself up');
    return { recoverMs };
  } finally {
    await trigger?.close();
    const lease = feedRegistry().acquire(
      {
        ...{ market: 'spot', symbols: SYMBOLS, updateSpeedMs: 100, bookDepth: 'auto', levels: 20 },
        ...{ restBaseUrl, webSocketBaseUrl, ...options(exchange) },
      },
      {},
    );
    await lease.release({ immediately: true });
    await endWriterGraces(credentials, KEY_PREFIX, SYMBOLS);
    await noRedisConnectionLeft();
    await exchange.close();
  }
}

/** One failed execution for all symbols, with the code and what it is about; and no second one. */
async function reportedOnce({ trigger }: Run, code: string, names: RegExp): Promise<void> {
  const { failures } = trigger;
  await until(() => failures.length > 0, `no failed execution with ${code}`);
  const [{ message }] = failures;
  must(message.includes(code) && names.test(message), () => `reported: ${message}`);
  await pause(WATCH_MS);
  must(failures.length === 1, () => failures.map((failure) => failure.message).join(' | '));
}

const lineSays = (trigger: TriggerRun, text: RegExp) => trigger.logLines.some((line) => text.test(line));

/** Row 27: a path that the server does not know, or a refusal that does not end by itself. */
async function wrongPath(seed: number): Promise<RunResult> {
  switch (seed % 3) {
    case 0:
      return play(
        seed,
        null,
        ({ webSocketBaseUrl }) => ({ webSocketBaseUrl: `${webSocketBaseUrl}/elsewhere` }),
        async (run) => {
          await reportedOnce(run, 'OF_WRONG_ADDRESS', /elsewhere\/stream.*BTCUSDT, ETHUSDT, SOLUSDT/);
          const { refusedUpgrades } = run.exchange.stats;
          must(refusedUpgrades === 1, `asked ${refusedUpgrades} times`);
          return null;
        },
      );
    case 1: {
      const started = play(
        seed,
        null,
        ({ restBaseUrl }) => ({ restBaseUrl: `${restBaseUrl}/elsewhere` }),
        () => Promise.resolve(null),
      );
      const error = await started.then(
        () => null,
        (failure: Error) => failure,
      );
      must(error !== null, 'a start with a wrong REST path was not refused');
      must(/elsewhere\/api\/v3\/.*OF_WRONG_ADDRESS/.test(error.message), error.message);
      return { recoverMs: null };
    }
    default:
      return play(
        seed,
        null,
        () => ({ deadFeedAfter: PATIENCE_MS / 60_000 }),
        async (run) => {
          const { trigger, exchange } = run;
          const all = () => trigger.executions.some(([items]) => items.length === SYMBOLS.length);
          await until(all, 'an execution with every symbol');
          exchange.faults.add({ kind: 'refuseUpgrade', status: 404 });
          exchange.faults.add({ kind: 'close', code: 1001 });
          // What has worked is given the time of the field.
          await pause(PATIENCE_MS - 200);
          must(trigger.failures.length === 0, 'reported before its time');
          await reportedOnce(run, 'OF_WRONG_ADDRESS', /\/stream.*BTCUSDT, ETHUSDT, SOLUSDT.*down for/);
          return null;
        },
      );
  }
}

interface Refusal {
  readonly code: string;
  readonly begin: string;
  readonly end: string;
}
const REFUSALS: readonly Refusal[] = [
  {
    code: 'OF_REDIS_NO_REPLICAS',
    begin: 'CONFIG SET min-replicas-to-write 1',
    end: 'CONFIG SET min-replicas-to-write 0',
  },
  { code: 'OF_REDIS_READ_ONLY', begin: 'REPLICAOF 127.0.0.1 1', end: 'REPLICAOF NO ONE' },
  { code: 'OF_REDIS_MEMORY', begin: 'CONFIG SET maxmemory 1', end: 'CONFIG SET maxmemory 0' },
];

/** Row 28: a Redis that takes no more writes until somebody mends it. */
async function writesRefused(seed: number): Promise<RunResult> {
  const { code, begin, end } = REFUSALS[seed % REFUSALS.length];
  const redis = await startRedis({ maxmemoryPolicy: 'noeviction' });
  try {
    return await play(
      seed,
      redis,
      () => ({}),
      async (run) => {
        const { trigger } = run;
        await until(() => trigger.executions.length > 0, 'a first execution');
        await pause(new Random(seed).whole(0, 300));
        await askRedis(redis, begin);
        await reportedOnce(run, code, /record of BTCUSDT.*record of|record of.*record of BTCUSDT/);
        // The feed lives on.
        const before = trigger.executions.length;
        await until(() => trigger.executions.length > before, 'executions go on');
        const mended = performance.now();
        await askRedis(redis, end);
        await until(
          () => lineSays(trigger, /The snapshot store works again/),
          'a line when it works again',
          15_000,
        );
        await until(
          () => lineSays(trigger, new RegExp(`Works again: .*${code}`)),
          'the report is closed',
          15_000,
        );
        const recoverMs = performance.now() - mended;
        must(trigger.failures.length === 1, 'reported again');
        return recoverMs;
      },
    );
  } finally {
    await redis.stop();
  }
}

export const downForGoodRows: readonly Scenario[] = [
  {
    id: 27,
    name: 'wrong path for ever',
    what: 'a WebSocket path or a REST path that the server does not know (404), from the start; a 404 on the upgrade of a feed that was live',
    expected:
      'one failed execution for all symbols, or a refused start, with the path and the remedy; nothing is asked again and again; no report before its time',
    maxRuns: 30,
    variants: 3,
    run: wrongPath,
  },
  {
    id: 28,
    name: 'writes refused for good',
    what: 'a Redis that refuses every write: no replicas, read-only, out of memory; then mended',
    expected: 'executions go on; one failed execution for all symbols, and a line when it works again',
    maxRuns: 30,
    variants: REFUSALS.length,
    recovers: EVERY_RUN,
    run: writesRefused,
  },
];
