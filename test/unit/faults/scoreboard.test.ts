import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { isGreen, quantile, type Row, type RunOptions, runRow } from '../../faults/runner';
import { EVERY_RUN, NOTHING_TO_RECOVER, type Scenario } from '../../faults/scenario';
import { isAllGreen, scoreboardJson, scoreboardText } from '../../faults/scoreboard';

/** A row that is as it should be, but for what a test says. */
const fake = (over: Partial<Scenario> = {}): Scenario => ({
  ...{ id: 99, name: 'fake', what: 'nothing', expected: 'nothing either', maxRuns: 100 },
  run: async () => NOTHING_TO_RECOVER,
  ...over,
});
const play = (over: Partial<Scenario>, options: Partial<RunOptions> = {}): Promise<Row> =>
  runRow(fake(over), { firstSeed: 1, seeds: 3, ...options });
const messages = ({ failures }: Row): string =>
  failures.map(({ seed, message }) => `${seed}: ${message.split('\n')[0]}`).join('; ');
const textOf = (...rows: Row[]): string => scoreboardText({ rows, mutants: null, ended: null });

describe('a row', () => {
  test('runs as often as asked, from the first seed on, and no more often than it may', async () => {
    const seeds: number[] = [];
    const run: Scenario['run'] = async (seed) => {
      seeds.push(seed);
      return NOTHING_TO_RECOVER;
    };
    const row = await play({ run, maxRuns: 4 }, { firstSeed: 7, seeds: 9 });
    expect(seeds).toEqual([7, 8, 9, 10]);
    expect(row).toMatchObject({ id: 99, name: 'fake', runs: 4, passed: 4, leaks: 0, failures: [] });
    expect(row).toMatchObject({ recoverMsMedian: null, recoverMsP99: null });
    expect(isGreen([row])).toBe(true);
  });

  test('tells every run that fails, with its seed, and goes on', async () => {
    const row = await play({
      run: async (seed) => {
        if (seed === 2) throw new Error('a wrong book');
        return NOTHING_TO_RECOVER;
      },
    });
    expect(row).toMatchObject({ runs: 3, passed: 2 });
    expect(messages(row)).toBe('2: Error: a wrong book');
    expect(isGreen([row])).toBe(false);
  });

  test('ends where all fails', async () => {
    const row = await play({ run: () => Promise.reject(new Error('always')) }, { seeds: 100 });
    expect(row).toMatchObject({ runs: 5, passed: 0 });
  });

  test('does not wait for a run that hangs', async () => {
    const run: Scenario['run'] = (seed) =>
      seed === 1 ? new Promise(() => undefined) : Promise.resolve(NOTHING_TO_RECOVER);
    const row = await play({ run, limitMs: 30 });
    expect(row).toMatchObject({ runs: 3, passed: 2, leaks: 0 });
    expect(messages(row)).toBe('1: Error: not done within 30 ms');
    expect(isGreen([row])).toBe(false);
  });

  test('counts each thing that a run leaves open, and fails for it', async () => {
    const left: Server[] = [];
    const run: Scenario['run'] = async (seed) => {
      for (let i = 0; seed === 1 && i < 2; i++) {
        const server = createServer();
        left.push(server);
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      }
      return NOTHING_TO_RECOVER;
    };
    try {
      const row = await play({ run }, { seeds: 2 });
      // The second run finds them there: they are not its own.
      expect(row).toMatchObject({ runs: 2, passed: 1, leaks: 2 });
      expect(messages(row)).toMatch(/^1: left open: .+$/);
      expect(isGreen([row])).toBe(false);
      expect(isGreen([{ ...row, passed: 2, failures: [] }])).toBe(false);
    } finally {
      for (const server of left) server.close();
    }
  });

  test('grants a moment to what ends by itself', async () => {
    const run: Scenario['run'] = async () => {
      setTimeout(() => undefined, 100);
      return NOTHING_TO_RECOVER;
    };
    expect(await play({ run }, { seeds: 1 })).toMatchObject({ passed: 1, leaks: 0 });
  });

  test.each([
    ['an interval', () => setInterval(() => undefined, 10).unref(), clearInterval],
    ['a timeout', () => setTimeout(() => undefined, 60_000).unref(), clearTimeout],
  ] as const)('counts %s that is unreferenced', async (_name, begin, clear) => {
    let timer: NodeJS.Timeout | undefined;
    try {
      const run: Scenario['run'] = async (seed) => {
        if (seed === 2) timer = begin();
        // One that is cleared, and one that has fired, are none.
        clearInterval(setInterval(() => undefined, 10).unref());
        setTimeout(() => undefined, 1).unref();
        return NOTHING_TO_RECOVER;
      };
      const row = await play({ run });
      expect(row).toMatchObject({ runs: 3, passed: 2, leaks: 1 });
      expect(messages(row)).toMatch(/^2: left open: unreferenced (interval|timeout) of \d+ ms: /);
    } finally {
      clear(timer);
    }
  });

  test('counts a socket that is unreferenced', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const sockets: Socket[] = [];
    server.on('connection', (socket) => void sockets.push(socket.unref()));
    try {
      const run: Scenario['run'] = async (seed) => {
        const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
        sockets.push(socket);
        await once(socket, 'connect');
        if (seed === 2) socket.unref();
        else socket.destroy();
        return NOTHING_TO_RECOVER;
      };
      const row = await play({ run });
      expect(row).toMatchObject({ runs: 3, passed: 2, leaks: 1 });
      expect(messages(row)).toMatch(/^2: left open: unreferenced socket to 127\.0\.0\.1:\d+$/);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });

  test.each(['uncaughtException', 'unhandledRejection'] as const)('fails for an %s', async (event) => {
    const listeners = process.rawListeners(event);
    const row = await play({
      run: async (seed) => {
        const [stray] = process.rawListeners(event).filter((one) => !listeners.includes(one));
        if (seed === 2) stray(new Error('nobody awaits it'), 'unhandledRejection');
        return NOTHING_TO_RECOVER;
      },
    });
    expect(row).toMatchObject({ runs: 3, passed: 2 });
    expect(messages(row)).toBe('2: thrown astray: Error: nobody awaits it');
    expect(process.rawListeners(event)).toEqual(listeners);
  });

  test.each(['prepare', 'finish'] as const)('fails where %s does, and the suite goes on', async (part) => {
    const row = await play({ [part]: () => Promise.reject(new Error('no server')) });
    expect(row).toMatchObject(part === 'prepare' ? { runs: 0, passed: 0 } : { runs: 3, passed: 3 });
    expect(messages(row)).toBe('null: Error: no server');
    expect(isGreen([row])).toBe(false);
    expect(textOf(row)).toContain('row 99 failed beside its runs: Error: no server');
  });
});

describe('recovery', () => {
  const recovering = (recoverMs: number | readonly number[] | null, over: Partial<Scenario> = {}) =>
    play({ run: async () => ({ recoverMs }), recovers: EVERY_RUN, ...over });

  test('is reported as median and p99 of all times of all runs', async () => {
    expect(await recovering(30)).toMatchObject({ passed: 3, recoverMsMedian: 30, recoverMsP99: 30 });
    expect(await recovering([1, 500, 20])).toMatchObject({ recoverMsMedian: 20, recoverMsP99: 500 });
  });

  test.each([
    ['none', null, 'no time to recover is given'],
    ['an empty list', [], 'no time to recover is given'],
    ['no end', Infinity, 'Infinity ms to recover'],
    ['no number', NaN, 'NaN ms to recover'],
    ['one of several without an end', [1, Infinity], 'Infinity ms to recover'],
    ['less than none', -1, '-1 ms to recover'],
  ])('fails the run of a row that has to recover with %s', async (_name, recoverMs, message) => {
    const row = await recovering(recoverMs);
    expect(row).toMatchObject({ runs: 3, passed: 0 });
    expect(row.failures[0].message).toContain(message);
    expect(isGreen([row])).toBe(false);
  });

  test('is asked of those seeds alone that have to recover', async () => {
    const row = await recovering(null, { recovers: (seed) => seed % 2 === 0 });
    expect(row).toMatchObject({ runs: 3, passed: 2 });
    expect(row.failures.map(({ seed }) => seed)).toEqual([2]);
    expect(await recovering(null, { recovers: undefined })).toMatchObject({ passed: 3 });
  });

  test('without an end fails also where nothing had to recover', async () => {
    expect(await recovering(Infinity, { recovers: undefined })).toMatchObject({ passed: 0 });
  });
});

test('a quantile is the least value that so great a part does not exceed', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  expect([0.5, 0.99, 1, 0].map((part) => quantile(hundred, part))).toEqual([50, 99, 100, 1]);
  expect([0.5, 0.99].map((part) => quantile([1, 2, 3], part))).toEqual([2, 3]);
  expect(quantile([4.6], 0.5)).toBe(5);
  expect(quantile([], 0.5)).toBeNull();
});

test('no row at all is not green', () => {
  expect(isGreen([])).toBe(false);
});

describe('the scoreboard', () => {
  const good = (over: Partial<Scenario> = {}) => play({ ...over, run: async () => ({ recoverMs: 12 }) });
  const bad = () => play({ id: 98, name: 'bad', run: () => Promise.reject(new Error('broken')) });

  test('has for each row what was done, expected and measured, the figures and a verdict', async () => {
    const text = textOf(await good({ figures: () => ['a figure'] }));
    expect(text).toMatch(/^99 {2}fake +3 +3 +12 +12 +0 {2}as expected$/m);
    expect(text).toMatch(/^ +done: nothing$/m);
    expect(text).toMatch(/^ +expected: nothing either$/m);
    expect(text).toMatch(/^ +measured: a figure$/m);
    expect(text).toMatch(/\ngreen$/);
  });

  test('says how to do a failure again', async () => {
    const text = textOf(await good(), await bad());
    expect(text).toMatch(/^98 {2}bad +3 +0 +- +- +0 {2}FAILED$/m);
    expect(text).toContain('row 98 failed with seed 2: Error: broken');
    expect(text).toContain('again: npm run faults -- --only 98 --seed 2 --seeds 1');
    expect(text).toMatch(/\nNOT GREEN$/);
  });

  test('calls no row covered of whose variants some were not run', async () => {
    const some = await good({ variants: 12 });
    expect(textOf(some)).toMatch(/0 {2}as expected \(3 of 12 variants\)$/m);
    expect(textOf(some)).toMatch(/^ +variants run: 3 of 12$/m);
    expect(isGreen([some])).toBe(true);
    const all = await runRow(fake({ variants: 12 }), { firstSeed: 5, seeds: 12 });
    expect(textOf(all)).toMatch(/0 {2}as expected$/m);
    expect(textOf(all)).not.toContain('variants');
    const failed = await play({ variants: 12, run: () => Promise.reject(new Error('broken')) });
    expect(textOf(failed)).toMatch(/0 {2}FAILED$/m);
  });

  test('names each hand-made bug, and is green only where all were caught', async () => {
    const rows = [await good()];
    const caught = { rows, mutants: [{ name: 'skip the fence', caught: true }], ended: null };
    expect(scoreboardText(caught)).toMatch(/bug skip the fence +caught\n/);
    expect(isAllGreen(caught)).toBe(true);
    const missed = { ...caught, mutants: [{ name: 'skip the fence', caught: false, message: 'no Redis' }] };
    expect(scoreboardText(missed)).toMatch(/bug skip the fence +NOT CAUGHT\n[^]*no Redis/);
    expect(isAllGreen(missed)).toBe(false);
  });

  test('is one line of JSON of the promised form', async () => {
    const rows = [await good({ variants: 12, figures: () => ['a figure'] }), await bad()];
    const row = { id: 99, name: 'fake', runs: 3, passed: 3, recoverMsMedian: 12, recoverMsP99: 12, leaks: 0 };
    const failed = { ...row, id: 98, name: 'bad', passed: 0, recoverMsMedian: null, recoverMsP99: null };
    const mutants = [{ name: 'off by one', caught: false, message: 'why' }];
    const text = scoreboardJson({ rows, mutants, ended: null });
    expect(text).not.toContain('\n');
    expect(JSON.parse(text)).toEqual({
      rows: [row, failed],
      mutants: [{ name: 'off by one', caught: false }],
      green: false,
    });
    expect(JSON.parse(scoreboardJson({ rows: rows.slice(0, 1), mutants: null, ended: null }))).toEqual({
      rows: [row],
      green: true,
    });
  });

  test('is not green where the suite came to no end', async () => {
    const results = { rows: [await good()], mutants: null, ended: 'Error: out of luck' };
    expect(JSON.parse(scoreboardJson(results))).toMatchObject({ green: false });
    expect(scoreboardText(results)).toContain('ended early: Error: out of luck');
  });
});
