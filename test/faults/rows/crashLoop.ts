import { startExchange, type Exchange, type ExchangeOptions } from '../../../exchange';
import { openStore } from '../../../src/store/openStore';
import { credentialsOf } from '../../support/storeFixtures';
import { PlayedProcess, type PlayedWorld } from '../playedProcess';
import { Random } from '../random';
import { must, EVERY_RUN, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { pause, until } from '../scene';
import { killedStarts } from './killedStarts';
import { noRedisConnectionLeft, sharedRedis } from '../sharedRedis';

/** The exchange's minute, a thirtieth as long. Retry-After has whole seconds, so no shorter. */
const MINUTE_MS = 2_000;
const RESTARTS = 200;
const MANY = 300;

const symbols = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ symbol: `COIN${i}USDT`, activity: 0.05, levels: 200 }));

/**
 * Plays `act` on an exchange that enforces its weight and a Redis that all processes share.
 * @param wordsASymbol that one process may say of a symbol: its begin, its wait, its refusal, its way back; not one a retry
 */
async function play(
  seed: number,
  count: number,
  weightPerMinute: number,
  wordsASymbol: number,
  act: (world: PlayedWorld, random: Random) => Promise<number>,
  /** Bans that the run itself spoke out. */
  spoken = 0,
): Promise<RunResult> {
  const redis = await sharedRedis();
  const timing: ExchangeOptions['timing'] = {
    weightWindowMs: MINUTE_MS,
    connectWindowMs: 5 * MINUTE_MS,
    banMs: [60_000],
  };
  const exchange = await startExchange({ seed, symbols: symbols(count), weightPerMinute, timing });
  const random = new Random(seed);
  const processes: PlayedProcess[] = [];
  const world: PlayedWorld = {
    ...{ exchange, weightPerMinute, minuteMs: MINUTE_MS, keyPrefix: `faults/21-${seed}-`, processes },
    openStore: () => openStore({ kind: 'redis', credentials: credentialsOf(redis) }, { keepConnected: true }),
    random: () => random.next(),
  };
  try {
    const recoverMs = await act(world, random);
    await endAll(processes);
    const { bans, refusedUpgrades } = exchange.stats;
    must(bans === spoken, `${bans - spoken} bans earned`);
    must(refusedUpgrades === 0, `${refusedUpgrades} connections too many`);
    const wrong = processes.flatMap((process) => process.wrong);
    must(wrong.length === 0, () => wrong.slice(0, 3).join('; '));
    for (const { logs, statuses, symbols: of } of processes) {
      must(logs <= 6, `${logs} lines in the log of one process`);
      must(statuses.length <= wordsASymbol * of, `${statuses.length} words of ${of} symbols`);
    }
    await until(() => exchange.stats.openConnections === 0, 'every socket gone', 2_000);
    return { recoverMs };
  } finally {
    await endAll(processes);
    await exchange.close();
    await noRedisConnectionLeft();
  }
}

async function endAll(processes: readonly PlayedProcess[]): Promise<void> {
  await Promise.all(processes.map((process) => process.end()));
}

/** Another program behind the same address: spends in small steps, in some windows more than there is. */
function otherProgram(exchange: Exchange, random: Random, upTo: number): () => void {
  const timer = setInterval(() => {
    const weight = exchange.weight.limit * random.next() * upTo;
    exchange.faults.add({ kind: 'useWeight', weight: Math.round(weight) });
  }, 50);
  return () => clearInterval(timer);
}

/** One process after the other dies at any moment of its start; at last one may live. */
function restarts(seed: number): Promise<RunResult> {
  const narrow = seed % 8 === 0;
  return play(seed, 5, narrow ? 600 : 6_000, 8, async (world, random) => {
    const { exchange } = world;
    const stop = narrow ? () => undefined : otherProgram(exchange, random, 0.06);
    const ends: Array<Promise<void>> = [];
    for (let i = 0; i < RESTARTS; i++) {
      const process = await PlayedProcess.start(world);
      await pause(random.whole(0, 20));
      // One in ten dies with a request on its way. That costs another one; it takes several in a row to be banned,
      // and a real process lives for many round trips.
      if (!random.chance(0.1)) {
        await until(() => process.budget.onTheWay === 0, 'answered', 2_000);
        await pause(process.budget.ownBan ? 30 : 2);
      }
      ends.push(process.end());
    }
    stop();
    await Promise.all(ends);
    const begun = performance.now();
    const last = await PlayedProcess.start(world);
    await until(
      () => last.allLive,
      () => `live: ${last.waiting}`,
      60_000,
    );
    return performance.now() - begun;
  });
}

/** More symbols than a minute's weight serves, in one process. */
function manyAtOnce(seed: number): Promise<RunResult> {
  return play(seed, MANY, 2_000, 5, async (world) => {
    const begun = performance.now();
    const process = await PlayedProcess.start(world);
    await until(() => process.liveSymbols > 0, 'the first one', 10_000);
    await until(
      () => process.allLive,
      () => `live: ${process.liveSymbols} of ${MANY}; ${process.waiting}`,
      60_000,
    );
    const refused = world.exchange.stats.requests.filter(({ status }) => status >= 400);
    must(refused.length === 0, `${refused.length} requests refused`);
    return performance.now() - begun;
  });
}

/** So much of the jitter everybody gets at least: what he draws himself may be next to nothing. */
const LEAST_LUCK = 0.3;
/** Less than that part of the jitter makes of a pause, and more than figures lose on the way through the store. */
const LEAST_JITTER = 0.02;

/**
 * Each process waits longer than the exchange asked (it, or the process whose ban it shares), by its own random time.
 * How far apart two are proves nothing: their random times may be the same.
 */
function mustHaveJitter(all: readonly PlayedProcess[]): void {
  const reported = Math.max(...all.map(({ budget }) => budget.ownBan?.forMs ?? 0));
  for (const { budget } of all) {
    const named = budget.ownBan?.forMs ?? reported;
    const forMs = budget.pause?.forMs ?? 0;
    must(forMs - named > LEAST_JITTER * named, () => `waits ${forMs} ms where ${named} ms were named`);
  }
}

/** Two processes live side by side when another program takes all the weight, and both need books. */
function crowded(seed: number): Promise<RunResult> {
  return play(seed, 60, 3_000, 16, async (world, random) => {
    const { exchange } = world;
    const names = [...exchange.feeds.keys()];
    const halves = [names.slice(0, 30), names.slice(30)];
    const lucky = () => LEAST_LUCK + (1 - LEAST_LUCK) * random.next();
    const all = await Promise.all(
      // Shallow books, so that nothing is asked once all live: what is asked while the other program takes its share in
      // steps keeps everyone informed, and this is about those who know nothing yet.
      halves.map((half) =>
        PlayedProcess.start({ ...world, random: lucky }, { symbols: half, bookDepth: 100 }),
      ),
    );
    const live = () => all.every(({ allLive }) => allLive);
    await until(live, 'both live', 30_000);
    await pause(MINUTE_MS * random.next());
    // Not at the end of a minute, when all would be forgiven before anyone asks.
    const quietMs = () => Date.now() - (exchange.stats.requests.at(-1)?.atMs ?? 0);
    const minuteBegins = () => Date.now() % MINUTE_MS < MINUTE_MS / 4;
    await until(() => quietMs() > MINUTE_MS / 8 && minuteBegins(), 'a quiet moment', 30_000);
    const before = exchange.stats.requests.length;
    exchange.weight.spend(world.weightPerMinute);
    // One stream breaks or both do; the other one's breaks when the first has been refused.
    exchange.faults.add({ kind: 'close', code: 1001, only: random.chance(0.5) ? 'newest' : undefined });
    const begun = performance.now();
    await until(() => all.some(({ budget }) => budget.ownBan !== null), 'reported', 5_000);
    await until(() => all.every(({ budget }) => budget.pause !== null), 'the other one reported', 5_000);
    mustHaveJitter(all);
    exchange.faults.add({ kind: 'close', code: 1001 });
    await until(live, () => `both live again: ${all.map(({ waiting }) => waiting).join('; ')}`, 60_000);
    const refused = exchange.stats.requests.slice(before).filter(({ status }) => status >= 400).length;
    must(refused <= all.length, `${refused} requests refused: more than one a process`);
    return performance.now() - begun;
  });
}

/** One process gets a ban: the others of the store ask nothing before it is over. */
function bannedTogether(seed: number): Promise<RunResult> {
  return play(
    seed,
    6,
    6_000,
    16,
    async (world, random) => {
      const { exchange } = world;
      const names = [...exchange.feeds.keys()];
      const parts = [names.slice(0, 2), names.slice(2, 4), names.slice(4)];
      const all = await Promise.all(
        parts.map((symbols) => PlayedProcess.start(world, { symbols, bookDepth: 100 })),
      );
      const live = () => all.every(({ allLive }) => allLive);
      await until(live, 'all live', 30_000);
      await pause(random.whole(0, 300));
      const seconds = random.whole(2, 4);
      exchange.faults.add({ kind: 'banned', retryAfterSeconds: seconds });
      const until418 = performance.now() + seconds * 1_000;
      // Only one has to ask and gets the ban; the others have no reason to ask until the last of them knows.
      exchange.faults.add({ kind: 'close', code: 1001, only: 'newest' });
      await until(() => all.some(({ budget }) => budget.ownBan?.code === 'OF_BANNED'), 'reported', 5_000);
      await until(
        () => all.every(({ budget }) => budget.pause?.code === 'OF_BANNED'),
        () => `all know of it: ${JSON.stringify(all.map(({ budget }) => budget.pause))}`,
        5_000,
      );
      const asked = exchange.stats.requests.length;
      // Now all of them need books.
      exchange.faults.add({ kind: 'close', code: 1001 });
      await pause(Math.max(0, until418 - performance.now() - 50));
      must(exchange.stats.requests.length === asked, 'asked during the ban that another received');
      await until(live, () => `live after the ban: ${all.map(({ waiting }) => waiting).join('; ')}`, 30_000);
      return performance.now() - until418;
    },
    1,
  );
}

export const crashLoopRows: readonly Scenario[] = [
  {
    id: 21,
    name: 'crash loop',
    what: `${RESTARTS} restarts in a row; 15 to 25 real processes killed while they start; ${MANY} symbols at once; two processes and another program at one address; the weight enforced; a ban that one of three processes receives`,
    expected: 'no ban earned, a refusal or ban shared through the store, jitter, few lines in the log',
    maxRuns: REAL_RUNS,
    prepare: async () => void (await sharedRedis()),
    variants: 10,
    recovers: EVERY_RUN,
    run: (seed) =>
      (seed % 10 === 9 ? killedStarts : [restarts, manyAtOnce, crowded, bannedTogether][seed % 4])(seed),
  },
];
