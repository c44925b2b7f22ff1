import { FIRST_BACKOFF_MS, pause, Scene, until } from '../scene';
import { must, EVERY_RUN, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { isOverWires, troubleOverWires } from './proxied';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];

/** Row 7: refusals that name a time. */
function limits(seed: number): Promise<RunResult> {
  const kind = seed % 2 === 0 ? 'rateLimited' : 'banned';
  const code = kind === 'banned' ? 'OF_BANNED' : 'OF_RATE_LIMITED';
  const atStart = seed % 4 < 2;
  const retryAfterSeconds = 1 + (seed % 2);
  const strike = { kind, retryAfterSeconds } as const;
  const options = {
    // Two at once: the stand-in takes even the first request after an announced refusal for an early one.
    ...{ seed, exchange: { symbols: SYMBOLS.slice(0, 2) } },
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
    must(refused <= 3, `${refused} requests refused: more than were on their way`);
    must(exchange.stats.bans <= (kind === 'banned' ? 1 : 0), 'a ban was earned');
    must(tookMs >= retryAfterSeconds * 1_000 - 300, `back after ${tookMs.toFixed(0)} ms, too early`);
    const seen = scene.books;
    await until(() => scene.books > seen, 'a book after it');
    return tookMs;
  });
}

/** Row 8: what no retry, or only a slow one, mends. */
function refusals(seed: number): Promise<RunResult> {
  switch (seed % 5) {
    case 0:
      return ended(
        seed,
        'OF_RESTRICTED_LOCATION',
        (scene) => scene.exchange.faults.clear(),
        (exchange) => void exchange.faults.add({ kind: 'restricted', path: 'depth' }),
      );
    case 1:
      return ended(
        seed,
        'OF_RESTRICTED_LOCATION',
        (scene) => scene.exchange.faults.clear(),
        (exchange) => void exchange.faults.add({ kind: 'refuseUpgrade', status: 451 }),
      );
    case 2:
      return firewall(seed);
    case 3:
      return unknownSymbol(seed);
    default:
      return silentStream(seed);
  }
}

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

function firewall(seed: number): Promise<RunResult> {
  const setUp = (exchange: Scene['exchange']) => void exchange.faults.add({ kind: 'forbidden', times: 2 });
  return Scene.play({ seed, setUp }, async (scene) => {
    const begun = performance.now();
    await until(() => scene.codes().includes('OF_FIREWALL'), 'told');
    must(!/[<>]/.test(scene.view().status().reason ?? ''), 'HTML in the words');
    await scene.live();
    return performance.now() - begun;
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
const MEMORY_BOUND_BYTES = 150e6;

/** Row 9: REST that does not work, at the start and after a break. */
function trouble(seed: number): Promise<RunResult> {
  if (isOverWires(seed)) return troubleOverWires(seed);
  const [fault, code] = TROUBLES[seed % TROUBLES.length];
  const atStart = Math.floor(seed / TROUBLES.length) % 2 === 0;
  const setUp = (exchange: Scene['exchange']) => void (atStart && exchange.faults.add({ ...fault }));
  return Scene.play({ seed, setUp }, async (scene) => {
    const { exchange, random } = scene;
    if (!atStart) {
      await scene.live();
      exchange.faults.add({ ...fault });
      exchange.faults.add({ kind: 'drop', times: 1 });
    }
    const begun = performance.now();
    const memory = process.memoryUsage().rss;
    await until(
      () => scene.codes().includes(code),
      () => `${code}: ${JSON.stringify(scene.codes())}`,
      15_000,
    );
    // A few attempts more; counted from the start they could all be spent on requests that nobody hears of.
    await pause(random.whole(0, 300));
    exchange.faults.clear();
    await scene.live(undefined, 15_000);
    must(process.memoryUsage().rss - memory < MEMORY_BOUND_BYTES, 'memory is not bounded');
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
    what: '429 and 418 with Retry-After, at the start and while live; two leases in one process',
    expected: 'obeyed by the whole process, never asked earlier, no ban earned',
    maxRuns: REAL_RUNS,
    variants: 4,
    recovers: EVERY_RUN,
    run: limits,
  },
  {
    id: 8,
    name: 'refusals',
    what: '451 on REST and upgrade, 403 with HTML, unknown, lower-case, delisted and silent symbols',
    expected: 'terminal or slow retry with words that help; other symbols live on',
    maxRuns: REAL_RUNS,
    variants: 10,
    recovers: (seed) => seed % 5 !== 3,
    run: refusals,
  },
  {
    id: 9,
    name: 'REST trouble',
    what: '5xx, time-outs, cut, wrong, empty and huge replies; replies that trickle, stop, break off, never come or are none',
    expected: 'bounded retries with a code, bounded memory, then live',
    maxRuns: REAL_RUNS,
    variants: 80,
    recovers: EVERY_RUN,
    run: trouble,
  },
];
