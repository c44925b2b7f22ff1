import type { Fault } from '../../../exchange/server/faults';
import { ClientSockets } from '../clientSockets';
import { FIRST_BACKOFF_MS, pause, Scene, until } from '../scene';
import { must, EVERY_RUN, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { limits } from './limits';
import { isOverWires, troubleOverWires } from './proxied';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];

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
    await until(() => scene.codes().includes('OF_FIREWALL'), 'reported');
    await scene.live();
    const tookMs = performance.now() - begun;
    const reported = scene.statuses.filter(({ errorCode }) => errorCode === 'OF_FIREWALL');
    must(
      reported.every(
        ({ terminal, reason }) => !terminal && /HTTP 403/.test(reason ?? '') && !/[<>]/.test(reason ?? ''),
      ),
      () => `reported ${JSON.stringify(reported)}`,
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
    await until(() => scene.codes('BTCUSDT').includes('OF_STREAM_SILENT'), 'reported');
    must(scene.view('BTCUSDT').read(1) === null, 'a book of a silent stream can be read');
    must(scene.view('ETHUSDT').status().resyncs === 0, 'another symbol was fetched again');
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
    await until(() => scene.codes(symbol).includes('OF_STREAM_SILENT'), 'reported');
    await scene.live('ETHUSDT');
    // A stream known to be silent does not count as a quiet one when it is subscribed again.
    const since = scene.statuses.length;
    const reported = (): number => scene.codes(symbol).filter((code) => code === 'OF_STREAM_SILENT').length;
    await until(() => reported() >= 3, 'found out again, and again');
    must(scene.view(symbol).read(1) === null, 'a book of a silent stream can be read');
    const states = scene.statuses.slice(since).filter((one) => one.symbol === symbol);
    must(!states.some(({ state }) => state === 'live'), 'taken for a quiet one');
    must(scene.view('ETHUSDT').status().resyncs === 0, 'another symbol was fetched again');
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
/** The package's own bound of a depth reply, and what may come with the last piece that it reads. */
const MOST_READ_BYTES = 4 * 1024 * 1024 + 256 * 1024;

/** Row 9: REST that does not work, at the start and after a break. */
function trouble(seed: number): Promise<RunResult> {
  if (isOverWires(seed)) return troubleOverWires(seed);
  const [fault, code] = TROUBLES[seed % TROUBLES.length];
  const atStart = Math.floor(seed / TROUBLES.length) % 2 === 0;
  const setUp = (exchange: Scene['exchange']) => void (atStart && exchange.faults.add({ ...fault }));
  const sockets = new ClientSockets();
  const after = async (): Promise<void> => sockets.end();
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
    // A few attempts more; counted from the start they could all be spent on requests without a visible effect.
    await pause(random.whole(0, 300));
    exchange.faults.clear();
    await scene.live(undefined, 15_000);
    const read = sockets.bytesRead();
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
    variants: 3,
    recovers: EVERY_RUN,
    run: limits,
  },
  {
    id: 8,
    name: 'refusals',
    what: '451 on REST and upgrade, 403 with HTML on both; unknown, lower-case, delisted and silent symbols, silent from the start too',
    expected: 'terminal or slow retry with words that help; other symbols live on',
    maxRuns: REAL_RUNS,
    variants: REFUSALS.length,
    recovers: (seed) => REFUSALS[seed % REFUSALS.length] !== unknownSymbol,
    run: (seed) => REFUSALS[seed % REFUSALS.length](seed),
  },
  {
    id: 9,
    name: 'REST trouble',
    what: '5xx, time-outs, cut, wrong, empty and huge replies; replies that trickle, stop, break off, never come or are none',
    expected: 'bounded retries with a code, no more read than the bound of a reply, then live',
    maxRuns: REAL_RUNS,
    variants: 80,
    recovers: EVERY_RUN,
    run: trouble,
  },
];
