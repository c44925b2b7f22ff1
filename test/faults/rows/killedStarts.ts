import { startExchange } from '../../../exchange';
import { QUICK } from '../../support/feedHarness';
import { credentialsOf } from '../../support/storeFixtures';
import { ChildTrigger } from '../child/childTrigger';
import { Random } from '../random';
import { must, type RunResult } from '../scenario';
import { pause, until } from '../scene';
import { sharedRedis } from '../sharedRedis';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
/** The exchange's minute; Retry-After has whole seconds, so no shorter. */
const MINUTE_MS = 2_000;
/** So little that a few starts within a minute are refused. */
const WEIGHT_PER_MINUTE = 60;
/** How long a process may live, as parts of what a whole start takes on this machine now. */
const LIFE = { least: 0.2, most: 2 };

/** Row 21: real processes that are killed at random moments of their start, one after the other; at last one may live. */
export async function killedStarts(seed: number): Promise<RunResult> {
  const random = new Random(seed);
  const redis = await sharedRedis();
  const timing = { weightWindowMs: MINUTE_MS, connectWindowMs: 5 * MINUTE_MS, banMs: [60_000] };
  const exchange = await startExchange({
    ...{ seed, symbols: SYMBOLS, weightPerMinute: WEIGHT_PER_MINUTE, timing },
  });
  const { restBaseUrl, webSocketBaseUrl, stats } = exchange;
  const children: ChildTrigger[] = [];
  const start = (): Promise<ChildTrigger> =>
    ChildTrigger.start(
      {
        credentials: credentialsOf(redis),
        timings: QUICK,
        endsByItself: false,
        parameters: {
          ...{ market: 'spot', symbols: SYMBOLS.join(), emit: 'interval', interval: 0.1, levels: 5 },
          store: 'redis',
          options: { restBaseUrl, webSocketBaseUrl, keyPrefix: `faults-killed-${process.pid}-${seed}/` },
        },
      },
      'triggerChild',
      (child) => void children.push(child),
    );
  try {
    const deaths = random.whole(15, 25);
    const measured = performance.now();
    const first = await start();
    const startMs = performance.now() - measured;
    first.signal('SIGKILL');
    for (let i = 1; i < deaths; i++) {
      const starting = start().catch(() => undefined);
      await pause(startMs * (LIFE.least + (LIFE.most - LIFE.least) * random.next()));
      children[i].signal('SIGKILL');
      await starting;
      must((await children[i].exited) === 'SIGKILL', 'a process ended by itself');
    }
    must(
      exchange.stats.requests.some(({ status }) => status === 429),
      'the weight was enough for all',
    );
    const begun = performance.now();
    const last = await start();
    await last.itemsReached(4);
    const recoverMs = performance.now() - begun;
    must(exchange.stats.bans === 0, `${exchange.stats.bans} bans earned`);
    must(stats.refusedUpgrades === 0, `${stats.refusedUpgrades} connections too many`);
    must(last.failures.length === 0, () => `failed: ${last.failures.join()}`);
    last.signal('SIGTERM');
    await last.exited;
    await until(() => exchange.stats.openConnections === 0, 'every socket gone', 5_000);
    return { recoverMs };
  } finally {
    await Promise.all(children.map((child) => child.end()));
    await exchange.close();
  }
}
