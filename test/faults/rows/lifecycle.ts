import { pause, Scene } from '../scene';
import { must, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { sharedRedis } from '../sharedRedis';
import { activations } from './activation';
import { endedProcess, updatedInPlace } from './endings';
import { leftAlone } from './leftAlone';
import { endedAtEachWait } from './startGates';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];

/** Leases given back at any moment, twice, while others come. */
function closing(seed: number): Promise<RunResult> {
  return Scene.play({ seed, exchange: { symbols: SYMBOLS } }, async (scene) => {
    const { random, registry, exchange } = scene;
    for (let round = 0; round < 12; round++) {
      const lease = scene.acquire({ symbols: [random.pick(SYMBOLS)] });
      // From before the socket is open until long after the book is live.
      await pause(random.pick([0, 1, 3, 8, 20, 60, 150]));
      if (random.chance(0.3)) exchange.faults.add({ kind: 'close', code: 1001 });
      const immediately = random.chance(0.5);
      const first = lease.release({ immediately });
      const second = lease.release({ immediately });
      await Promise.all([first, second]);
      if (random.chance(0.4)) await scene.lease.release({ immediately: true });
      if (registry.inventory().leases === 0) scene.lease = scene.acquire();
    }
    const begun = performance.now();
    await scene.live();
    await scene.run(200);
    must(exchange.stats.mostSubscribersOfADiff <= 2, 'subscribed more than twice');
    return performance.now() - begun;
  });
}

/** Row 16. */
function endings(seed: number): Promise<RunResult> {
  return CASES[caseOf(seed)](seed);
}

const CASES = [closing, activations, endedProcess, updatedInPlace, endedAtEachWait, leftAlone] as const;
/** The last case takes the whole of the graces, and is played once in this many seeds; the others take turns. */
const LEFT_ALONE_ONE_IN = 25;
const NEVER_RECOVERS: ReadonlySet<number> = new Set([2, 4, 5]);

function caseOf(seed: number): number {
  return seed % LEFT_ALONE_ONE_IN === 0 ? CASES.length - 1 : seed % (CASES.length - 1);
}

export const lifecycleRows: readonly Scenario[] = [
  {
    id: 16,
    name: 'closing',
    what: 'leases given back at any moment; in n8n: activated, deactivated, edited, tested, cancelled at any moment, closed twice, ended at each place where a start waits; a process ended by SIGTERM and SIGKILL, or left to end by itself; the package updated in place; with Redis, left alone for the whole of the graces',
    expected:
      'every socket, timer and lease gone, no item after the end; records whole; old and new code on one feed',
    maxRuns: REAL_RUNS,
    prepare: async () => void (await sharedRedis()),
    variants: LEFT_ALONE_ONE_IN,
    recovers: (seed) => !NEVER_RECOVERS.has(caseOf(seed)),
    run: endings,
  },
];
