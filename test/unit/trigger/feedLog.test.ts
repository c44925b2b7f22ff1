import { FeedLog, WINDOW_MS } from '../../../src/trigger/feedLog';

let lines: string[];
let log: FeedLog;
const written = () => lines.splice(0);

beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  log = new FeedLog((level, message) => void lines.push(`${level} ${message}`));
});
afterEach(() => {
  log.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

test('a lost connection and its return are logged at once', () => {
  log.onLog('info', 'connected');
  jest.advanceTimersByTime(2 * WINDOW_MS);
  log.onLog('warn', 'broken');
  expect(written()).toEqual(['info connected', 'warn broken']);
  log.onLog('info', 'connected');
  expect(written()).toEqual(['info connected']);
  jest.advanceTimersByTime(3 * WINDOW_MS);
  expect(written()).toEqual([]);
});

test('what goes on and on: the first lines, then one a minute with a count, then calm again', () => {
  let said = 0;
  const flap = (minutes: number) => {
    const seconds = minutes * 60;
    for (let i = 0; i < seconds; i++) {
      log.onLog('warn', `broken ${++said}`);
      log.onLog('info', `connected ${said}`);
      jest.advanceTimersByTime(WINDOW_MS / 60);
    }
  };
  flap(1);
  const first = written();
  expect(first.slice(0, 2)).toEqual(['warn broken 1', 'info connected 1']);
  expect(first.slice(2)).toEqual([expect.stringMatching(/^info connected 60 \(the last of 118 such/)]);
  flap(10);
  expect(written()).toHaveLength(10);
  // Its end is logged, too, and it is calm after a minute without new lines.
  log.onLog('warn', 'broken again');
  log.onLog('info', 'connected at last');
  jest.advanceTimersByTime(WINDOW_MS);
  expect(written()).toEqual(['info connected at last (the last of 2 such messages within a minute)']);
  jest.advanceTimersByTime(WINDOW_MS);
  log.onLog('warn', 'broken tomorrow');
  expect(written()).toEqual(['warn broken tomorrow']);
});

test('the line that is written is the newest, and one alone is not counted', () => {
  log.onLog('warn', 'broken');
  log.onLog('warn', 'broken still');
  log.onLog('info', 'connected');
  expect(written()).toEqual(['warn broken', 'info connected (1 more before it)']);
  log.onLog('warn', 'broken again');
  jest.advanceTimersByTime(WINDOW_MS);
  expect(written()).toEqual(['warn broken again']);
});

test('a listener that fails at every update is one line a minute, and hides no connection', () => {
  for (let i = 0; i < 600; i++) {
    log.onLog('error', 'a listener of the feed failed: oh');
    jest.advanceTimersByTime(100);
  }
  expect(written()).toEqual([
    'error a listener of the feed failed: oh',
    'error a listener of the feed failed: oh (the last of 599 such messages within a minute)',
  ]);
  log.onLog('warn', 'broken');
  expect(written()).toEqual(['warn broken']);
});

test('on one line, without user names and passwords, not without end', () => {
  const text = `failed:\r\n\tforged line \u2028 at redis://user:s3cret@s3cret@host:1/x ${'x'.repeat(5_000)}`;
  log.onLog('error', text);
  const [line] = written();
  expect(line).not.toMatch(/[\r\n\u2028]|s3cret/);
  expect(line).toMatch(/^error failed: forged line at redis:\/\/host:1\/x x+$/);
  expect(line.length).toBeLessThan(500);
});

test('nothing is written after the end', () => {
  log.onLog('warn', 'broken');
  log.onLog('warn', 'broken still');
  log.close();
  log.onLog('info', 'connected');
  jest.advanceTimersByTime(2 * WINDOW_MS);
  expect(written()).toEqual(['warn broken']);
});
