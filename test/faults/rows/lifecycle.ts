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

/** Row 21: many symbols at once, then restarts in a row. */
function crashLoop(seed: number): Promise<RunResult> {
  const symbols = Array.from({ length: 40 }, (_, i) => ({
    symbol: `COIN${i}USDT`,
    activity: 0.2,
    levels: 200,
  }));
  return Scene.play({ seed, exchange: { symbols } }, async (scene) => {
    const { random, exchange } = scene;
    for (let round = 0; round < 20; round++) {
      await pause(random.whole(0, 60));
      await scene.lease.release({ immediately: true });
      scene.lease = scene.acquire({ bookDepth: 100 });
    }
    const begun = performance.now();
    await scene.live(undefined, 20_000);
    const { bans, earlyRequests } = exchange.stats;
    must(bans === 0 && earlyRequests === 0, `${bans} bans, ${earlyRequests} early requests`);
    must(scene.logs.length < 200, `${scene.logs.length} lines in the log`);
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
  {
    id: 21,
    name: 'crash loop',
    what: '40 symbols at once, started and stopped 20 times in a row',
    expected: 'no ban earned, nobody asked early, few lines in the log',
    maxRuns: REAL_RUNS,
    run: crashLoop,
  },
];
