import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Fault } from '../../../exchange/server/faults';
import { fastCodec } from '../../../src/binance/fastCodec';
import { createFeedRegistry } from '../../../src/binance/feedRegistry';
import type { FeedLease } from '../../../src/binance/feedTypes';
import { checkSymbols } from '../../../src/binance/marketQueries';
import { QUICK } from '../../support/feedHarness';
import { Random } from '../random';
import { FIRST_BACKOFF_MS, pause, Scene, until } from '../scene';
import { must, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { isOverWires, troubleOverWires } from './proxied';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];

/** Row 7: refusals that name a time. */
function limits(seed: number): Promise<RunResult> {
  return seed % 3 === 2 ? escalating(seed) : refusedOnce(seed);
}

function refusedOnce(seed: number): Promise<RunResult> {
  const choices = new Random(seed ^ 0x4242);
  const kind = choices.pick(['rateLimited', 'banned'] as const);
  const code = kind === 'banned' ? 'OF_BANNED' : 'OF_RATE_LIMITED';
  const atStart = choices.chance(0.5);
  const retryAfterSeconds = choices.whole(1, 2);
  const strike = { kind, retryAfterSeconds } as const;
  const symbols = SYMBOLS.slice(0, 2);
  const options = {
    ...{ seed, exchange: { symbols } },
    setUp: (exchange: Scene['exchange']) => void (atStart && exchange.faults.add(strike)),
  };
  return Scene.play(options, async (scene) => {
    const { exchange } = scene;
    if (!atStart) {
      await scene.live();
      // A request on its way counts as early in the stand-in when the refusal begins out of the blue.
      await pause(500);
      exchange.faults.add(strike);
      exchange.faults.add({ kind: 'close', code: 1001 });
    }
    const begun = performance.now();
    const before = exchange.stats.requests.length;
    await until(
      () => scene.codes().includes(code),
      () => `told ${code}: ${JSON.stringify(scene.codes())}`,
    );
    // A second lease of the same process waits as well.
    const other = scene.acquire();
    await scene.live(undefined, 10_000);
    const tookMs = performance.now() - begun;
    await other.release();
    const refused = exchange.stats.requests.slice(before).filter(({ status }) => status >= 400).length;
    // At first one request goes ahead alone; later each symbol may have one on its way.
    const onTheirWay = atStart ? 1 : symbols.length;
    must(refused <= onTheirWay, `${refused} requests refused, ${onTheirWay} of them on their way`);
    // The stand-in takes those for early that meet the refusal itself.
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

/** A check of symbols, as a start of a trigger makes it, is told of the refusal and asks nothing. */
async function checkHears(code: string, restBaseUrl: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const answer = await checkSymbols('spot', SYMBOLS.slice(0, 1), { restBaseUrl, timeoutMs: 100 });
    if (answer?.code === code) return;
    // The exchange may have refused a moment before the process has heard of it.
    must(answer?.code === 'OF_TIMEOUT' && attempt < 3, `a check was told ${answer?.code} and not ${code}`);
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

type Variant = (seed: number) => Promise<RunResult>;

/** Row 8: what no retry, or only a slow one, mends. */
const REFUSALS: readonly Variant[] = [
  (seed) =>
    ended(
      seed,
      'OF_RESTRICTED_LOCATION',
      (scene) => scene.exchange.faults.clear(),
      (exchange) => void exchange.faults.add({ kind: 'restricted', path: 'depth' }),
    ),
  (seed) =>
    ended(
      seed,
      'OF_RESTRICTED_LOCATION',
      (scene) => scene.exchange.faults.clear(),
      (exchange) => void exchange.faults.add({ kind: 'refuseUpgrade', status: 451 }),
    ),
  (seed) => firewall(seed, { kind: 'forbidden', times: 2 }),
  (seed) => firewall(seed, { kind: 'refuseUpgrade', status: 403, body: FORBIDDEN_HTML, times: 2 }),
  unknownSymbol,
  silentStream,
  silentFromTheStart,
];

const FORBIDDEN_HTML = '<html><body><h1>403 Forbidden</h1></body></html>';

/** Terminal with words that help; a new lease tries again. */
function ended(
  seed: number,
  code: string,
  mend: (scene: Scene) => void,
  setUp: (exchange: Scene['exchange']) => void,
): Promise<RunResult> {
  return Scene.play({ seed, setUp }, async (scene) => {
    await until(() => scene.view().status().terminal, 'stopped');
    const { errorCode, reason } = scene.view().status();
    must(errorCode === code, `ended with ${errorCode}`);
    must(/base URL/.test(reason ?? '') && /HTTPS_PROXY/.test(reason ?? ''), `no remedy in: ${reason}`);
    const { requests, refusedUpgrades } = scene.exchange.stats;
    const asked = requests.length + refusedUpgrades;
    await pause(300);
    must(
      scene.exchange.stats.requests.length + scene.exchange.stats.refusedUpgrades === asked,
      'asked again',
    );
    mend(scene);
    const begun = performance.now();
    const again = scene.acquire();
    await until(() => again.views[0].status().state === 'live', 'live with a new lease');
    const recoverMs = performance.now() - begun;
    await again.release({ immediately: true });
    return recoverMs;
  });
}

/** A firewall refuses the requests, or the stream: not for good, so the feed goes on asking, calmly. */
function firewall(seed: number, fault: Fault): Promise<RunResult> {
  const setUp = (exchange: Scene['exchange']) => void exchange.faults.add(fault);
  return Scene.play({ seed, setUp }, async (scene) => {
    const { stats } = scene.exchange;
    const begun = performance.now();
    await until(() => scene.codes().includes('OF_FIREWALL'), 'told');
    await scene.live();
    const tookMs = performance.now() - begun;
    const told = scene.statuses.filter(({ errorCode }) => errorCode === 'OF_FIREWALL');
    must(
      told.every(
        ({ terminal, reason }) => !terminal && /HTTP 403/.test(reason ?? '') && !/[<>]/.test(reason ?? ''),
      ),
      () => `told ${JSON.stringify(told)}`,
    );
    must(!scene.logs.some((line) => /[<>]/.test(line)), 'HTML in the log');
    const { refusedUpgrades, requests } = scene.exchange.stats;
    const refused = refusedUpgrades + requests.filter(({ status }) => status === 403).length;
    must(refused === 2 && stats.bans === 0, `${refused} refusals in place of 2`);
    return tookMs;
  });
}

function unknownSymbol(seed: number): Promise<RunResult> {
  const options = {
    seed,
    exchange: { symbols: SYMBOLS },
    request: { symbols: ['btcusdt', 'NOSUCH', 'ethusdt'] },
  };
  return Scene.play(options, async (scene) => {
    await scene.live('BTCUSDT');
    await scene.live('ETHUSDT');
    await until(() => scene.view('NOSUCH').status().terminal, 'terminal');
    const { errorCode, reason } = scene.view('NOSUCH').status();
    must(errorCode === 'OF_UNKNOWN_SYMBOL' && (reason ?? '').includes('NOSUCH'), `${errorCode}: ${reason}`);
    scene.exchange.setStatus('BTCUSDT', 'DELISTED');
    await until(() => scene.view('BTCUSDT').status().terminal, 'the delisted one terminal');
    must(scene.view('ETHUSDT').status().state === 'live', 'another symbol fell too');
    await scene.run(200);
    return null;
  });
}

function silentStream(seed: number): Promise<RunResult> {
  return Scene.play({ seed, exchange: { symbols: SYMBOLS } }, async (scene) => {
    await scene.live();
    const freeze = scene.exchange.faults.add({ kind: 'freeze', symbol: 'BTCUSDT' });
    await until(() => scene.codes('BTCUSDT').includes('OF_STREAM_SILENT'), 'told');
    must(scene.view('BTCUSDT').read(1) === null, 'a book of a silent stream can be read');
    must(scene.view('ETHUSDT').status().resyncs === 0, 'another symbol was fetched anew');
    must(scene.exchange.stats.totalConnections === 1, 'the connection was given up for one stream');
    const begun = performance.now();
    scene.exchange.faults.clear(freeze);
    await scene.live();
    return performance.now() - begun;
  });
}

/** The subscription is acknowledged and nothing ever comes, while the symbol's book moves on. */
function silentFromTheStart(seed: number): Promise<RunResult> {
  const symbol = 'BTCUSDT';
  const options = {
    seed,
    exchange: { symbols: SYMBOLS },
    setUp: (exchange: Scene['exchange']) => void exchange.faults.add({ kind: 'freeze', symbol }),
  };
  return Scene.play(options, async (scene) => {
    const { exchange } = scene;
    await until(() => scene.codes(symbol).includes('OF_STREAM_SILENT'), 'told');
    await scene.live('ETHUSDT');
    // A stream that was found out is not believed to be a quiet one again.
    const { length } = exchange.stats.controlMessages;
    await until(() => exchange.stats.controlMessages.length > length + 1, 'subscribed anew, again');
    const since = scene.statuses.length;
    await pause(scene.random.whole(0, 300));
    must(scene.view(symbol).read(1) === null, 'a book of a silent stream can be read');
    const known = scene.statuses.slice(since);
    must(!known.some((one) => one.symbol === symbol && one.state === 'live'), 'taken for a quiet one');
    must(scene.view('ETHUSDT').status().resyncs === 0, 'another symbol was fetched anew');
    must(exchange.stats.totalConnections === 1, 'the connection was given up for one stream');
    const begun = performance.now();
    exchange.faults.clear();
    await scene.live();
    const tookMs = performance.now() - begun;
    const before = scene.books;
    await until(() => scene.books > before, 'a book after it');
    return tookMs;
  });
}

const TROUBLES = [
  [{ kind: 'serverError' }, 'OF_HTTP_STATUS'],
  [{ kind: 'backendTimeout' }, 'OF_TIMEOUT'],
  [{ kind: 'rest', path: 'depth', mode: 'truncated' }, 'OF_BAD_RESPONSE'],
  [{ kind: 'wrongSchema' }, 'OF_BAD_RESPONSE'],
  [{ kind: 'rest', path: 'depth', mode: 'empty' }, 'OF_BAD_RESPONSE'],
  [{ kind: 'rest', path: 'depth', mode: 'huge' }, 'OF_RESPONSE_TOO_LARGE'],
  [{ kind: 'rest', path: 'depth', mode: 'hang' }, 'OF_TIMEOUT'],
  [{ kind: 'rest', path: 'depth', mode: 'reset' }, 'OF_CONNECT'],
] as const;
/** Where Node tells of every socket that this process opens. */
const SOCKETS = 'net.client.socket';
/** The package's own bound of a depth reply, and what may come with the last piece that it reads. */
const MOST_READ_BYTES = 4 * 1024 * 1024 + 256 * 1024;

/** Row 9: REST that does not work, at the start and after a break. */
function trouble(seed: number): Promise<RunResult> {
  if (isOverWires(seed)) return troubleOverWires(seed);
  const [fault, code] = TROUBLES[seed % TROUBLES.length];
  const atStart = Math.floor(seed / TROUBLES.length) % 2 === 0;
  const setUp = (exchange: Scene['exchange']) => void (atStart && exchange.faults.add({ ...fault }));
  // What each of the feed's sockets has read is counted where it is read: what is let go again counts too.
  const sockets: Socket[] = [];
  const onSocket = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
  subscribe(SOCKETS, onSocket);
  const after = async (): Promise<void> => void unsubscribe(SOCKETS, onSocket);
  return Scene.play({ seed, setUp, after }, async (scene) => {
    const { exchange, random } = scene;
    if (!atStart) {
      await scene.live();
      exchange.faults.add({ ...fault });
      exchange.faults.add({ kind: 'drop', times: 1 });
    }
    const begun = performance.now();
    await until(
      () => scene.codes().includes(code),
      () => `${code}: ${JSON.stringify(scene.codes())}`,
      15_000,
    );
    // A few attempts more; counted from the start they could all be spent on requests that nobody hears of.
    await pause(random.whole(0, 300));
    exchange.faults.clear();
    await scene.live(undefined, 15_000);
    const read = sockets.map(({ bytesRead }) => bytesRead);
    must(
      read.every((bytes) => bytes <= MOST_READ_BYTES),
      () => `read ${Math.max(...read)} bytes of one reply`,
    );
    must(code !== 'OF_RESPONSE_TOO_LARGE' || Math.max(...read) > 1024 * 1024, 'no huge reply was met');
    // Bounded: no more requests than a growing pause allows in this time.
    const tookMs = performance.now() - begun;
    must(exchange.stats.requests.length < 8 + tookMs / (FIRST_BACKOFF_MS / 2), 'asked without a pause');
    await scene.run(200);
    return tookMs;
  });
}

export const restRows: readonly Scenario[] = [
  {
    id: 7,
    name: 'request limits',
    what: '429 and 418 with Retry-After, at the start and while live, once and escalating; two registries and a check in one process',
    expected: 'obeyed by the whole process, never asked earlier, no ban earned',
    maxRuns: REAL_RUNS,
    run: limits,
  },
  {
    id: 8,
    name: 'refusals',
    what: '451 on REST and upgrade, 403 with HTML on both; unknown, lower-case, delisted and silent symbols, silent from the start too',
    expected: 'terminal or slow retry with words that help; other symbols live on',
    maxRuns: REAL_RUNS,
    run: (seed) => REFUSALS[seed % REFUSALS.length](seed),
  },
  {
    id: 9,
    name: 'REST trouble',
    what: '5xx, time-outs, cut, wrong, empty and huge replies; replies that trickle, stop, break off, never come or are none',
    expected: 'bounded retries with a code, no more read than the bound of a reply, then live',
    maxRuns: REAL_RUNS,
    run: trouble,
  },
];
