import { fastCodec } from '../../../src/binance/wire/codec';
import { createFeedRegistry } from '../../../src/binance/feedRegistry';
import type { FeedLease } from '../../../src/feed/types';
import { checkSymbols } from '../../../src/binance/rest/marketQueries';
import { QUICK } from '../../support/feedHarness';
import { Random } from '../random';
import { must, type RunResult } from '../scenario';
import { pause, Scene, until } from '../scene';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];

/** Row 7: refusals that name a time. */
export function limits(seed: number): Promise<RunResult> {
  return seed % 3 === 2 ? escalating(seed) : refusedOnce(seed);
}

function refusedOnce(seed: number): Promise<RunResult> {
  const choices = new Random(seed ^ 0x4242);
  const kind = choices.pick(['rateLimited', 'banned'] as const);
  const code = kind === 'banned' ? 'OF_BANNED' : 'OF_RATE_LIMITED';
  const atStart = choices.chance(0.5);
  const retryAfterSeconds = choices.whole(1, 2);
  const strike = { kind, retryAfterSeconds } as const;
  const options = {
    ...{ seed, exchange: { symbols: SYMBOLS } },
    setUp: (exchange: Scene['exchange']) => void (atStart && exchange.faults.add(strike)),
  };
  return Scene.play(options, async (scene) => {
    const { exchange } = scene;
    if (!atStart) {
      await scene.live();
      // The stand-in counts a request on its way as early when the refusal begins without warning.
      await pause(500);
      exchange.faults.add(strike);
      exchange.faults.add({ kind: 'close', code: 1001 });
    }
    const begun = performance.now();
    const before = exchange.stats.requests.length;
    await until(
      () => scene.codes().includes(code),
      () => `reported ${code}: ${JSON.stringify(scene.codes())}`,
    );
    // A second lease of the same process waits as well.
    const other = scene.acquire();
    await scene.live(undefined, 10_000);
    const tookMs = performance.now() - begun;
    await other.release();
    const refused = exchange.stats.requests.slice(before).filter(({ status }) => status >= 400).length;
    // At first one request goes ahead alone; later each symbol may have one on its way.
    const onTheirWay = atStart ? 1 : SYMBOLS.length;
    must(refused <= onTheirWay, `${refused} requests refused, ${onTheirWay} of them on their way`);
    // The stand-in counts those as early that get the refusal itself.
    must(exchange.stats.earlyRequests === refused, `${exchange.stats.earlyRequests} early requests`);
    must(exchange.stats.bans <= (kind === 'banned' ? 1 : 0), 'a ban was earned');
    must(tookMs >= retryAfterSeconds * 1_000 - 300, `back after ${tookMs.toFixed(0)} ms, too early`);
    const seen = scene.books;
    await until(() => scene.books > seen, 'a book after it');
    return tookMs;
  });
}

/** What each refusal in a row says: seconds, and no longer a limit but a ban. */
const ESCALATION = [
  { status: 429, retryAfterSeconds: 1 },
  { status: 429, retryAfterSeconds: 2 },
  { status: 418, retryAfterSeconds: 3 },
] as const;
/** Two clocks are compared, both in whole milliseconds. */
const CLOCK_MS = 2;

/**
 * Refused again and again, each time for longer, and then banned. A second registry and a check of symbols, as other
 * nodes of the process would make, live through it too: of all of them one request goes out when the time has passed.
 */
function escalating(seed: number): Promise<RunResult> {
  const atStart = new Random(seed ^ 0x4343).chance(0.5);
  const refuse = (exchange: Scene['exchange']): void => {
    for (const { status, retryAfterSeconds } of ESCALATION) {
      const headers = { 'Retry-After': String(retryAfterSeconds) };
      exchange.faults.add({
        kind: 'rest',
        status,
        headers,
        body: '{"code":-1003,"msg":"Too many"}',
        times: 1,
      });
    }
  };
  const options = {
    ...{ seed, exchange: { symbols: SYMBOLS.slice(0, 1) } },
    setUp: (exchange: Scene['exchange']) => void (atStart && refuse(exchange)),
  };
  return Scene.play(options, async (scene) => {
    const { exchange } = scene;
    if (!atStart) {
      await scene.live();
      // What deepens the book is on its way by then; nothing else may be when the refusals begin.
      await pause(500);
      refuse(exchange);
      exchange.faults.add({ kind: 'close', code: 1001 });
    }
    const before = exchange.stats.requests.length;
    const asked = () => exchange.stats.requests.slice(before);
    const begun = performance.now();
    const second = createFeedRegistry({ codec: fastCodec(), timings: QUICK });
    let other: FeedLease | null = null;
    try {
      const { restBaseUrl, webSocketBaseUrl, profile } = exchange;
      const heard: string[] = [];
      for (let i = 1; i <= ESCALATION.length; i++) {
        const { status } = ESCALATION[i - 1];
        const code = status === 418 ? 'OF_BANNED' : 'OF_RATE_LIMITED';
        const refused = () => asked().filter(({ status }) => status >= 400).length;
        await until(
          () => refused() >= i && scene.codes().includes(code),
          () => `refusal ${i}: ${JSON.stringify(asked())}`,
          10_000,
        );
        other ??= second.acquire(
          {
            ...{ market: profile.id, symbols: SYMBOLS.slice(0, 1), updateSpeedMs: 100, bookDepth: 'auto' },
            ...{ levels: 20, restBaseUrl, webSocketBaseUrl },
          },
          { onStatus: ({ errorCode }) => void (errorCode !== null && heard.push(errorCode)) },
        );
        await checkHears(code, exchange.restBaseUrl);
      }
      const views = [...scene.lease.views, ...(other as FeedLease).views];
      await until(() => views.every((view) => view.status().state === 'live'), 'all live', 10_000);
      const tookMs = performance.now() - begun;
      must(heard.includes('OF_BANNED'), () => `the second registry heard ${JSON.stringify(heard)}`);
      inTime(asked());
      const { earlyRequests, bans } = exchange.stats;
      must(earlyRequests === 0 && bans === 0, `${earlyRequests} early requests, ${bans} bans`);
      await scene.run(200);
      return tookMs;
    } finally {
      await other?.release({ immediately: true });
    }
  });
}

/** A check of symbols, as a start of a trigger makes it, fails with the refusal and asks nothing. */
async function checkHears(code: string, restBaseUrl: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const asked = { restBaseUrl, timeoutMs: 100 };
    const { failure: answer } = await checkSymbols('spot', SYMBOLS.slice(0, 1), asked);
    if (answer?.code === code) return;
    // The exchange may have refused a moment before the process knows.
    must(answer?.code === 'OF_TIMEOUT' && attempt < 3, `a check got ${answer?.code} and not ${code}`);
  }
}

/** The refusals in their order, and after each of them nothing before its time. */
function inTime(requests: Scene['exchange']['stats']['requests']): void {
  const statuses = requests.map(({ status }) => status);
  const expected = ESCALATION.map(({ status }) => status);
  must(
    statuses.slice(0, expected.length).join() === expected.join() &&
      statuses.filter((one) => one >= 400).length === expected.length,
    () => `answered ${statuses.join()}`,
  );
  ESCALATION.forEach(({ retryAfterSeconds }, i) => {
    const waitedMs = requests[i + 1].atMs - requests[i].atMs;
    must(waitedMs >= retryAfterSeconds * 1_000 - CLOCK_MS, `asked ${waitedMs} ms after refusal ${i + 1}`);
  });
}
