import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { MAX_SYMBOLS } from '../../../src/feed/symbols';
import { MAX_SMALL_BYTES } from '../../../src/store/recordFormat';
import { openStore } from '../../../src/store/openStore';
import type { AlertJson } from '../../../src/trigger/alertMemory';
import { type CapPlace, DailyCap, dayOf, knownZone, loadCap } from '../../../src/trigger/dailyCap';
import type { ItemFate } from '../../../src/trigger/host';

const HOUR_MS = 3_600_000;
const NOON = Date.UTC(2026, 10, 30, 12);

const place = (): CapPlace => ({ store: openStore({ kind: 'memory' }), key: `cap-${randomUUID()}` });
const alert = (symbol: string, signal: string | null = 'SELLING', kind = 'alert'): AlertJson => ({
  ...{ symbol, signal, kind, message: `${symbol} ${String(signal)}` },
});

interface Run {
  readonly cap: DailyCap;
  readonly sent: Array<{ readonly json: AlertJson; readonly fate: ItemFate }>;
  readonly gone: string[];
  readonly logs: string[];
  push(...alerts: AlertJson[]): void;
}
const clock = { nowMs: NOON };
let open: DailyCap[] = [];
afterEach(async () => {
  for (const cap of open) await cap.close();
  open = [];
});

async function begin(at: CapPlace, most: number, timeZone = 'UTC'): Promise<Run> {
  const sent: Run['sent'] = [];
  const gone: string[] = [];
  const logs: string[] = [];
  const cap = new DailyCap(
    most,
    timeZone,
    at,
    (level, message) => void logs.push(`${level} ${message}`),
    (json, fate) => void sent.push({ json, fate }),
    await loadCap(at),
    () => clock.nowMs,
  );
  open.push(cap);
  cap.start();
  const push = (...alerts: AlertJson[]) =>
    cap.push(alerts, alerts[0], {
      onGone: () => void gone.push(...alerts.map(({ symbol }) => String(symbol))),
      onTakenBack: () => undefined,
    });
  return { cap, sent, gone, logs, push };
}

beforeEach(() => void (clock.nowMs = NOON));

test('so many messages go out; the others are counted, and one summary follows when the day is over', async () => {
  const { sent, gone, logs, push } = await begin(place(), 2);
  push(alert('AUSDT'), alert('BUSDT'));
  push(alert('AUSDT', 'BUYING'));
  push(alert('AUSDT', 'BUYING'));
  push(alert('BUSDT'), alert('BUSDT', null, 'no-signal'), alert('BUSDT', 'NEUTRAL', 'recovered'));
  expect(sent).toHaveLength(2);
  expect(gone).toEqual(['AUSDT', 'BUSDT', 'BUSDT', 'BUSDT']);
  expect(logs).toEqual([expect.stringMatching(/^info All messages of today have gone out \(2\)/)]);
  clock.nowMs = NOON + 12 * HOUR_MS;
  push(alert('CUSDT'));
  expect(sent.slice(2).map(({ json }) => json.message)).toEqual([
    '4 more alerts on 2026-11-30, beyond Most Messages a Day (2):\nBUSDT: 1 selling, 1 ended, 1 without a signal\nAUSDT: 1 buying',
    'CUSDT SELLING',
  ]);
  expect(sent[2].json).toMatchObject({ kind: 'summary', signal: null, count: 4, symbol: 'BUSDT, AUSDT' });
});

test('a day with few messages ends without a summary', async () => {
  const { sent, push } = await begin(place(), 2);
  push(alert('AUSDT'));
  clock.nowMs += 24 * HOUR_MS;
  push(alert('AUSDT'));
  push(alert('AUSDT'));
  expect(sent.map(({ json }) => json.kind)).toEqual(['alert', 'alert', 'alert']);
});

test('a restart goes on with the day; a summary that n8n was not given comes again, one that it was does not', async () => {
  const at = place();
  const first = await begin(at, 1);
  for (let i = 0; i < 3; i++) first.push(alert('AUSDT'));
  await first.cap.close();
  const second = await begin(at, 1);
  second.push(alert('AUSDT'));
  expect(second.sent).toEqual([]);
  await second.cap.close();
  clock.nowMs += 24 * HOUR_MS;
  const third = await begin(at, 1);
  expect(third.sent.map(({ json }) => json.count)).toEqual([3]);
  await third.cap.close();
  const fourth = await begin(at, 1);
  expect(fourth.sent.map(({ json }) => json.count)).toEqual([3]);
  fourth.sent[0].fate.onGone();
  await fourth.cap.close();
  expect((await begin(at, 1)).sent).toEqual([]);
});

test('what a store keeps of a thousand symbols, held back and waiting as a summary, it can read', async () => {
  const at = place();
  const { cap, push } = await begin(at, 1);
  const many = Array.from({ length: MAX_SYMBOLS }, (_, i) => alert(`SYMBOL${i}USDT`));
  for (const day of [0, 24]) {
    clock.nowMs = NOON + day * HOUR_MS;
    push(alert('AUSDT'));
    push(...many);
  }
  await cap.close();
  const [stored] = await at.store.loadStates([at.key]);
  expect(JSON.stringify(stored).length).toBeLessThan(MAX_SMALL_BYTES);
  expect(await loadCap(at)).toMatchObject({
    day: '2026-12-01',
    sent: 1,
    over: { day: '2026-11-30', cap: 1 },
  });
});

test('a time zone that this Node does not know is UTC, and the log says so', () => {
  const logs: string[] = [];
  const log = (level: string, message: string) => void logs.push(`${level} ${message}`);
  expect(knownZone('Europe/Berlin', log)).toBe('Europe/Berlin');
  expect(knownZone('Mars/Olympus', log)).toBe('UTC');
  expect(logs).toEqual([expect.stringMatching(/^warn The time zone "Mars\/Olympus" is not known/)]);
});

test('the day is the one of the time zone', async () => {
  expect(dayOf(Date.UTC(2026, 10, 30, 23, 30), 'Europe/Berlin')).toBe('2026-12-01');
  expect(dayOf(Date.UTC(2026, 11, 1, 3), 'America/New_York')).toBe('2026-11-30');
  expect(dayOf(Date.UTC(2026, 10, 30, 23, 30), 'UTC')).toBe('2026-11-30');
});

test('no message beyond the number of a day, and every alert is in a message or in a summary', async () => {
  const step = fc.record({
    hours: fc.constantFrom(0, 0, 0, 1, 9, 30),
    alerts: fc.integer({ min: 1, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 30 }),
      async (most, steps) => {
        clock.nowMs = NOON;
        const { cap, sent, gone, push } = await begin(place(), most);
        const days = new Map<string, number>();
        let alerts = 0;
        let before = 0;
        for (const { hours, alerts: many } of steps) {
          clock.nowMs += hours * HOUR_MS;
          push(...Array.from({ length: many }, () => alert('AUSDT')));
          alerts += many;
          const messages = sent.slice(before).filter(({ json }) => json.kind === 'alert').length;
          before = sent.length;
          const day = dayOf(clock.nowMs, 'UTC');
          days.set(day, (days.get(day) ?? 0) + messages);
        }
        clock.nowMs += 24 * HOUR_MS;
        push(alert('LAST'));
        for (const messages of days.values()) expect(messages).toBeLessThanOrEqual(most);
        const summed = sent.reduce(
          (sum, { json }) => sum + (json.kind === 'summary' ? Number(json.count) : 0),
          0,
        );
        expect(summed).toBe(gone.length);
        expect(gone.length).toBeLessThanOrEqual(alerts);
        await cap.close();
      },
    ),
  );
});
