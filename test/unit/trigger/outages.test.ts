import { OrderFlowError } from '../../../src/runtime/errors';
import { type OutageEnd, Outages } from '../../../src/trigger/outages';
import type { ErrorCode } from '../../../src/runtime/errorCatalogue';

const TIMES = { neverUpMs: 60, reportEveryMs: 300, checkEveryMs: 10 };
const PATIENCE_MS = 150;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function watch(patienceMs = PATIENCE_MS) {
  const failures: OrderFlowError[] = [];
  const logs: string[] = [];
  const host = {
    recordFailure: (error: OrderFlowError) => void failures.push(error),
    log: (level: string, message: string) => void logs.push(`${level} ${message}`),
  };
  const outages = new Outages(host, 'Binance Spot', patienceMs, TIMES);
  const down = (name: string, code: ErrorCode = 'OF_CONNECT', ends: OutageEnd = 'by-itself', detail = '') =>
    outages.down(name, () => ({ error: new OrderFlowError(code, detail, { subject: name }), ends }));
  return { outages, down, failures, logs, codes: () => failures.map(({ code }) => code) };
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `S${i}USDT`);

test('what was never up is reported after its shorter time, what worked before after the patience', () => {
  const { outages, down, failures } = watch();
  outages.up('ETHUSDT');
  down('BTCUSDT');
  down('ETHUSDT', 'OF_TIMEOUT');
  jest.advanceTimersByTime(40);
  expect(failures).toHaveLength(0);
  jest.advanceTimersByTime(60);
  expect(failures.map(({ subject }) => subject)).toEqual(['BTCUSDT']);
  jest.advanceTimersByTime(120);
  expect(failures.map(({ subject }) => subject)).toEqual(['BTCUSDT', 'ETHUSDT']);
});

test('a thousand symbols of one cause give one failure that counts them, and one line when all are back', () => {
  const { outages, down, failures, logs } = watch();
  const symbols = names(1_000);
  for (const symbol of symbols) down(symbol, 'OF_CONNECT', 'by-itself', 'stream.example:9443');
  jest.advanceTimersByTime(150);
  expect(failures).toHaveLength(1);
  expect(failures[0].message).toMatch(
    /stream\.example:9443, S0USDT, S1USDT, S2USDT, S3USDT, S4USDT and 995 more \(Binance Spot\), down for /,
  );
  for (const symbol of symbols.slice(1)) outages.up(symbol);
  jest.advanceTimersByTime(30);
  expect(logs).toEqual([]);
  outages.up(symbols[0]);
  jest.advanceTimersByTime(30);
  expect(logs).toHaveLength(1);
  expect(logs[0]).toContain('OF_CONNECT');
  expect(logs[0]).toContain('and 995 more');
});

test('symbols that follow with the same cause join the report; another cause is another report', () => {
  const { down, codes } = watch();
  down('A');
  jest.advanceTimersByTime(100);
  down('B');
  down('C', 'OF_TLS');
  jest.advanceTimersByTime(150);
  expect(codes()).toEqual(['OF_CONNECT', 'OF_TLS']);
});

test('what the user has to mend is reported at once, once, and for each symbol that follows', () => {
  const { down, failures } = watch();
  for (const symbol of names(3)) down(symbol, 'OF_UNKNOWN_SYMBOL', 'by-the-user');
  jest.advanceTimersByTime(30);
  expect(failures).toHaveLength(1);
  for (const symbol of names(3)) down(symbol, 'OF_UNKNOWN_SYMBOL', 'by-the-user');
  jest.advanceTimersByTime(200);
  expect(failures).toHaveLength(1);
  down('S4USDT', 'OF_UNKNOWN_SYMBOL', 'by-the-user');
  jest.advanceTimersByTime(30);
  expect(failures.map(({ subject }) => subject)).toEqual(['S0USDT', 'S4USDT']);
});

test('an outage that turns into one that no retry mends is reported again', () => {
  const { down, codes } = watch();
  down('A');
  jest.advanceTimersByTime(100);
  down('A', 'OF_UNKNOWN_SYMBOL', 'by-the-user');
  jest.advanceTimersByTime(30);
  expect(codes()).toEqual(['OF_CONNECT', 'OF_UNKNOWN_SYMBOL']);
});

test('the time of an outage goes on when its reason changes', () => {
  const { down, codes } = watch();
  down('A', 'OF_DNS');
  jest.advanceTimersByTime(40);
  down('A', 'OF_CONNECT');
  jest.advanceTimersByTime(45);
  expect(codes()).toEqual(['OF_CONNECT']);
});

test('a short outage is not reported', () => {
  const { outages, down, failures, logs } = watch();
  for (let i = 0; i < 8; i++) {
    down('A');
    jest.advanceTimersByTime(30);
    outages.up('A');
  }
  jest.advanceTimersByTime(200);
  expect([failures, logs]).toEqual([[], []]);
});

test('a feed that comes and goes is reported no more often than the limit', () => {
  const { outages, down, failures } = watch(30);
  const begun = performance.now();
  for (let i = 0; i < 12; i++) {
    down('A');
    jest.advanceTimersByTime(60);
    outages.up('A');
    jest.advanceTimersByTime(15);
  }
  const windows = Math.ceil((performance.now() - begun) / TIMES.reportEveryMs);
  expect(failures.length).toBeGreaterThanOrEqual(2);
  expect(failures.length).toBeLessThanOrEqual(windows);
});

test('who waits for a turn among many is reported after the patience, not after the shorter time', () => {
  const { down, failures } = watch();
  down('A', 'OF_WEIGHT_EXHAUSTED', 'queued');
  jest.advanceTimersByTime(100);
  expect(failures).toHaveLength(0);
  jest.advanceTimersByTime(120);
  expect(failures).toHaveLength(1);
});

test('with a patience of 0 only what no retry mends is reported', () => {
  const { down, codes } = watch(0);
  down('A');
  down('B', 'OF_TLS', 'by-the-user');
  jest.advanceTimersByTime(250);
  expect(codes()).toEqual(['OF_TLS']);
});

test('after the end nothing is reported', () => {
  const { outages, down, failures } = watch();
  down('A');
  outages.close();
  jest.advanceTimersByTime(120);
  expect(failures).toHaveLength(0);
});

test('what the user has to mend is reported after the shorter time, though it worked before', () => {
  const { outages, down, codes } = watch();
  outages.up('A');
  down('A', 'OF_REDIS_READ_ONLY', 'after-action');
  jest.advanceTimersByTime(40);
  expect(codes()).toEqual([]);
  jest.advanceTimersByTime(40);
  expect(codes()).toEqual(['OF_REDIS_READ_ONLY']);
});
