import { startExchange, type Exchange } from '../../../exchange';
import { ENDPOINTS } from '../../../src/binance/endpoints';
import { weightPool } from '../../../src/binance/addresses';
import { createFeedRegistry } from '../../../src/binance/feedRegistry';
import { fastCodec } from '../../../src/binance/wire/codec';
import type { FeedLease } from '../../../src/feed/types';
import { SharedBudgets } from '../../../src/limits/sharedBudgets';
import { DEFAULT_SHARE, MAX_IN_FLIGHT } from '../../../src/limits/weightBudget';
import { ConnectProxy, PROXY_VARIABLES } from '../../support/connectProxy';
import { QUICK } from '../../support/feedHarness';
import { Random } from '../random';
import { EVERY_RUN, must, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { pause, Scene, until } from '../scene';
import { wrongNow } from '../truth';

const FUTURES = ['usdm', 'coinm'] as const;
const WEIGHT = 400;
const MINUTE_MS = 2_000;
/** All of them at once cost more than the share of one minute. */
const SYMBOLS_EACH = 24;
/** Requests that reach the exchange in another minute than they were sent in. */
const EDGE_WEIGHT = 15;
const LIVE_LIMIT_MS = 20_000;

/** Runs with the hosts of the real exchange, which differ by name: through a proxy that knows them. */
async function withHosts<T>(portOf: (host: string) => number, act: () => Promise<T>): Promise<T> {
  const saved = PROXY_VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of PROXY_VARIABLES) delete process.env[name];
  const proxy = new ConnectProxy(portOf);
  process.env.HTTP_PROXY = `http://127.0.0.1:${await proxy.listen()}`;
  process.env.NO_PROXY = '127.0.0.1';
  try {
    return await act();
  } finally {
    await proxy.close();
    for (const [name, value] of saved) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** Row 25: USD-M and COIN-M at an exchange that counts them together, over two hosts, and bans both at once. */
async function sharedPool(seed: number): Promise<RunResult> {
  const symbols = Array.from({ length: SYMBOLS_EACH }, (_, i) => `S${i}USDT`);
  const timing = { weightWindowMs: MINUTE_MS };
  const common = { seed, tickMs: 20, symbols, timing, bansInTextOnly: seed % 2 === 1 };
  const usdm = await startExchange({ ...common, market: 'usdm', weightPerMinute: WEIGHT });
  const coinm = await startExchange({ ...common, market: 'coinm', sharesWeightWith: usdm });
  const exchanges: Readonly<Record<string, Exchange>> = { usdm, coinm };
  const budgets = new SharedBudgets();
  const registry = createFeedRegistry({ codec: fastCodec(), timings: QUICK, budgets });
  const leases: FeedLease[] = [];
  const wrong: string[] = [];
  let mostUsed = 0;
  const looks = setInterval(() => (mostUsed = Math.max(mostUsed, usdm.weight.used)), 5);
  const bans = () => usdm.stats.bans;
  const hostOf = (market: string) => `${market === 'usdm' ? 'fapi' : 'dapi'}.exchange-${seed}.test`;
  const allLive = () => leases.every(({ views }) => views.every((view) => view.status().state === 'live'));
  const notLive = () =>
    JSON.stringify(
      leases.flatMap(({ views }) => views.map((view) => view.status())).find(({ state }) => state !== 'live'),
    );
  try {
    return await withHosts(
      (host) => (host.startsWith('fapi') ? usdm.port : coinm.port),
      async () => {
        for (const market of FUTURES) {
          const restBaseUrl = `http://${hostOf(market)}`;
          const { host, pool } = weightPool(ENDPOINTS[market], restBaseUrl);
          budgets.budgetFor(host, { pool, weightPerMinute: WEIGHT, minuteMs: MINUTE_MS });
          const { webSocketBaseUrl } = exchanges[market];
          leases.push(
            registry.acquire(
              {
                market,
                symbols,
                updateSpeedMs: 100,
                bookDepth: 'auto',
                levels: 20,
                restBaseUrl,
                webSocketBaseUrl,
              },
              {
                onBook: (view) => {
                  const fault = wrongNow(exchanges[market], view, { levels: 20, mayShrink: false });
                  if (fault !== null) wrong.push(fault);
                },
              },
            ),
          );
        }
        await until(allLive, notLive, LIVE_LIMIT_MS);
        await pause(MINUTE_MS);
        must(bans() + usdm.weight.earlyRequests === 0, 'refused without a fault');
        const most = WEIGHT * DEFAULT_SHARE + EDGE_WEIGHT;
        must(mostUsed <= most, `${mostUsed} of ${WEIGHT} used in one minute, ${most} allowed`);
        // One of the two markets is banned; the other one asks nothing either.
        const banned = new Random(seed).pick(FUTURES);
        const retryAfterSeconds = new Random(seed ^ 0x77).whole(1, 2);
        exchanges[banned].faults.add({ kind: 'banned', retryAfterSeconds });
        const begun = performance.now();
        for (const market of FUTURES) exchanges[market].faults.add({ kind: 'close', code: 1001 });
        await until(() => !allLive(), 'the streams are lost');
        await until(allLive, notLive, LIVE_LIMIT_MS);
        const tookMs = performance.now() - begun;
        const { earlyRequests } = usdm.weight;
        must(
          earlyRequests >= 1 && earlyRequests <= MAX_IN_FLIGHT,
          `${earlyRequests} requests during the ban`,
        );
        must(bans() === 1, `${bans()} bans`);
        must(tookMs >= retryAfterSeconds * 1_000 - 300, `back after ${tookMs.toFixed(0)} ms, too early`);
        must(wrong.length === 0, () => wrong.slice(0, 3).join('; '));
        return { recoverMs: tookMs };
      },
    );
  } finally {
    clearInterval(looks);
    await Promise.all(leases.map((lease) => lease.release({ immediately: true })));
    await Promise.all([usdm.close(), coinm.close()]);
  }
}

const MARKETS = ['usdm', 'spot', 'coinm', 'us', 'spotTestnet'] as const;
const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];

/** Row 26: a ban whose end is in the text of the refusal and in no header. */
function bannedInText(seed: number): Promise<RunResult> {
  const choices = new Random(seed ^ 0x4242);
  const market = MARKETS[seed % MARKETS.length];
  const atStart = choices.chance(0.5);
  const retryAfterSeconds = choices.whole(1, 3);
  const strike = { kind: 'banned', retryAfterSeconds } as const;
  const options = {
    ...{ seed, exchange: { market, symbols: SYMBOLS, bansInTextOnly: true } },
    setUp: (exchange: Exchange) => void (atStart && exchange.faults.add(strike)),
  };
  return Scene.play(options, async (scene) => {
    const { exchange } = scene;
    if (!atStart) {
      await scene.live();
      // What deepens the books is on its way by then.
      await pause(500);
      exchange.faults.add(strike);
      exchange.faults.add({ kind: 'close', code: 1001 });
    }
    const begun = performance.now();
    await until(
      () => scene.codes().includes('OF_BANNED'),
      () => `reported the ban: ${JSON.stringify(scene.codes())}`,
    );
    // A minute is waited where no time is named: the text was read if it is over before.
    await scene.live(undefined, 15_000);
    const tookMs = performance.now() - begun;
    const onTheirWay = atStart ? 1 : SYMBOLS.length;
    const { earlyRequests } = exchange.stats;
    must(earlyRequests >= 1 && earlyRequests <= onTheirWay, `${earlyRequests} requests during the ban`);
    must(tookMs >= retryAfterSeconds * 1_000 - 300, `back after ${tookMs.toFixed(0)} ms, too early`);
    return tookMs;
  });
}

export const poolRows: readonly Scenario[] = [
  {
    id: 25,
    name: 'one pool of weight',
    what: 'USD-M and COIN-M at an exchange that counts their requests together over two hosts, 24 symbols each; a ban of one, in half of the runs in text only',
    expected: 'both together keep to one share; what one hears the other obeys',
    maxRuns: 20,
    variants: 2,
    recovers: EVERY_RUN,
    run: sharedPool,
  },
  {
    id: 26,
    name: 'ban in text only',
    what: '418 with "banned until" in its body and no Retry-After, on every market, at the start or later',
    expected: 'no request before that time, and back soon after it',
    maxRuns: REAL_RUNS,
    variants: MARKETS.length,
    recovers: EVERY_RUN,
    run: bannedInText,
  },
];
