import { openStore } from '../../src/store/openStore';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import { DailyCap, loadCap } from '../../src/trigger/dailyCap';
import { eventually } from '../e2e/support';
import { type RedisServer, startRedis } from '../support/redisServer';
import { credentialsOf } from '../support/storeFixtures';

const NOON = Date.UTC(2026, 10, 30, 12);
const DAY_MS = 24 * 3_600_000;
const WITHIN_MS = 20_000;

let server: RedisServer;
beforeEach(async () => void (server = await startRedis()));
afterEach(async () => {
  await closeIdleRedisConnections();
  await server.stop();
});

async function begin(clock: { nowMs: number }) {
  const store = openStore({ kind: 'redis', credentials: credentialsOf(server) }, { keepConnected: true });
  await store.ready().catch(() => undefined);
  const logs: string[] = [];
  const sent: string[] = [];
  const place = { store, key: 'cap-of-a-day' };
  const cap = new DailyCap(
    1,
    'UTC',
    place,
    (_level, message) => void logs.push(message),
    (json, { onGone }) => {
      sent.push(String(json.message));
      onGone();
    },
    await loadCap(place),
    () => clock.nowMs,
  );
  cap.start();
  const push = (symbol: string) => {
    const alert = { symbol, signal: 'SELLING', kind: 'alert', message: symbol };
    cap.push([alert], alert, { onGone: () => undefined, onTakenBack: () => undefined });
  };
  const close = async () => {
    await cap.close();
    await store.close();
  };
  return { push, close, logs, sent, place };
}

test('what is held back while Redis is away is kept as soon as it is there, and comes in the summary after a restart', async () => {
  const clock = { nowMs: NOON };
  const first = await begin(clock);
  first.push('AUSDT');
  await eventually('the first is noted', WITHIN_MS, async () => (await loadCap(first.place)) !== null);
  await server.kill();
  first.push('BUSDT');
  await eventually('the log says so', WITHIN_MS, () => first.logs.some((line) => /cannot keep/.test(line)));
  await server.stop();
  server = await startRedis({ port: server.port });
  const held = async () => {
    const stored = await loadCap(first.place);
    return stored !== null && 'held' in stored && stored.held.has('BUSDT');
  };
  await eventually('what was held back is noted, without another alert', WITHIN_MS, held);
  await first.close();
  clock.nowMs += DAY_MS;
  const second = await begin(clock);
  expect(second.sent).toEqual([expect.stringMatching(/^1 more alerts on 2026-11-30[^]*BUSDT: 1 selling/)]);
  await second.close();
}, 60_000);

test('a count that could not be read at the start is added when it can, and not overwritten', async () => {
  const clock = { nowMs: NOON };
  const first = await begin(clock);
  for (const symbol of ['AUSDT', 'BUSDT', 'BUSDT']) first.push(symbol);
  await first.close();
  server.pause();
  const second = await begin(clock);
  expect(second.logs).toEqual([expect.stringMatching(/cannot keep how many messages went out today/)]);
  second.push('CUSDT');
  second.push('CUSDT');
  server.resume();
  await second.close();
  const third = await begin({ nowMs: NOON + DAY_MS });
  expect(third.sent).toEqual([expect.stringMatching(/^3 more alerts[^]*BUSDT: 2 selling\nCUSDT: 1 selling/)]);
  await third.close();
}, 60_000);
