import { randomUUID } from 'node:crypto';
import { closedAfterEach } from '../support/cleanUps';
import { RedisBehindProxy } from '../support/redisBehindProxy';
import { settingsOf, Worker } from '../support/twoClocks';

const PENDING_MS = 1_500;
const stores = new RedisBehindProxy();
const cleanUps = closedAfterEach(() => undefined);

describe.each(['memory', 'redis'] as const)('checks of two machines with the store %s', (kind) => {
  test.each([
    ['30 s ahead', 30_000],
    ['2 h ahead', 7_200_000],
    ['2 h behind', -7_200_000],
  ])(
    'one %s: a pending period lasts, and what was reported is not reported again',
    async (_name, aheadMs) => {
      const workflow = randomUUID();
      const store = stores.open(kind);
      cleanUps.push(() => store.close());
      const right = new Worker(store, workflow, Date.now);
      const wrong = new Worker(store, workflow, () => Date.now() + aheadMs);
      const settings = settingsOf({ pendingSeconds: PENDING_MS / 1_000, cooldownSeconds: 60 });
      const begunAtMs = performance.now();
      expect(await right.check(50, settings)).toBeNull();
      const soon = await wrong.check(50, settings);
      // A machine that stood still says nothing of clocks.
      if (performance.now() - begunAtMs < PENDING_MS) expect(soon).toBeNull();
      await new Promise((resolve) => setTimeout(resolve, PENDING_MS + 500));
      const alert = soon ?? (await wrong.check(50, settings));
      expect(alert).toMatchObject({ kind: 'alert', restarted: null });
      expect(Math.abs(Date.parse(String(alert?.since)) - wrong.wallMs())).toBeLessThan(10_000);
      const atOnce = settingsOf({ pendingSeconds: 0, cooldownSeconds: 60 });
      expect(await right.check(50, atOnce)).toBeNull();
      expect(await wrong.check(50, atOnce)).toBeNull();
    },
  );
});
