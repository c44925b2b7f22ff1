import { pause, Scene } from '../scene';
import { must, REAL_RUNS, type RunResult, type Scenario } from '../scenario';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];

/** Row 16: leases given back at any moment, twice, while others come. */
function closing(seed: number): Promise<RunResult> {
  return Scene.play({ seed, exchange: { symbols: SYMBOLS } }, async (scene) => {
    const { random, registry, exchange } = scene;
    for (let round = 0; round < 12; round++) {
      const lease = scene.acquire({ symbols: [random.pick(SYMBOLS)] });
      // From before the socket stands until long after the book is live.
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

export const lifecycleRows: readonly Scenario[] = [
  {
    id: 16,
    name: 'closing',
    what: 'leases given back at any moment of the start, twice, while others come and sockets close',
    expected: 'every socket, timer and lease gone; whoever stays is served',
    maxRuns: REAL_RUNS,
    run: closing,
  },
];
