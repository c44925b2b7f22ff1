import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ENDPOINTS } from '../../src/binance/endpoints';
import { evaluateStep } from '../../scripts/replay/evaluation';
import { openRecording } from '../../scripts/replay/recording';
import { replay } from '../../scripts/replay/replay';
import { Schedule } from '../../scripts/replay/schedule';
import { summarize } from '../../scripts/replay/summary';

import { fastCodec, type FeedCodec, plainCodec, type SymbolUpdate } from '../../src/binance/wire/codec';
import { SIGNAL_DEFAULTS } from '../../src/signal/parameters';
import {
  RECORDINGS,
  type RecordingFolder,
  describeWithRecordings,
  recordingNamed,
} from '../support/recordings';
import { eventLines, merged, summaryOf, withCopy } from './copies';

interface Expected {
  readonly events: number;
  readonly applied: number;
  readonly lastU: number;
  readonly bids: number;
  readonly asks: number;
  readonly canonicalSha256: string;
  readonly weightedTop20: { readonly weightedBids: number; readonly weightedAsks: number };
}

function expectedOf({ path }: RecordingFolder): Expected {
  return JSON.parse(readFileSync(join(path, 'expected.json'), 'utf8')) as Expected;
}

const UNSYNCED = {
  lastUpdateId: null,
  bids: null,
  asks: null,
  canonicalSha256: null,
  weightedBids: null,
  weightedAsks: null,
};

describeWithRecordings('a replay of a recording', () => {
  test.each(RECORDINGS.map((recording) => [recording.name, recording] as const))(
    '%s ends in the expected book',
    async (_name, recording) => {
      const expected = expectedOf(recording);
      const summary = await summaryOf(recording, recording.path);
      expect(summary).toMatchObject({
        events: expected.events,
        applied: expected.applied,
        gaps: 0,
        resyncs: 0,
        lastUpdateId: expected.lastU,
        bids: expected.bids,
        asks: expected.asks,
        canonicalSha256: expected.canonicalSha256,
      });
      // The expected sums were added up in doubles, ours are exact.
      expect(summary.weightedBids).toBeCloseTo(expected.weightedTop20.weightedBids, 6);
      expect(summary.weightedAsks).toBeCloseTo(expected.weightedTop20.weightedAsks, 6);
    },
  );
});

describeWithRecordings('the fast path and the plain one', () => {
  async function rowsOf<U extends SymbolUpdate>(codec: FeedCodec<U>, { path, market: id }: RecordingFolder) {
    const market = ENDPOINTS[id];
    const schedule = new Schedule(1_000);
    const contractSize = id === 'coinm' ? 10 : null;
    const rows: unknown[] = [];
    const { counts, sync } = await replay(codec, openRecording(path), market, (step) => {
      if (!schedule.due(step.update.eventTimeMs, step.becameLive)) return;
      rows.push(evaluateStep(step.sync, step.update, market, contractSize, SIGNAL_DEFAULTS));
    });
    return [...rows, summarize(counts, sync.book, 20, contractSize)];
  }

  test.each(RECORDINGS.map((recording) => [recording.name, recording] as const))(
    'give the same rows: %s',
    async (_name, recording) => {
      const rows = await rowsOf(fastCodec(), recording);
      expect(rows.length).toBeGreaterThan(20);
      expect(rows).toEqual(await rowsOf(plainCodec, recording));
    },
  );
});

describeWithRecordings('a copy of a recording with', () => {
  // A spot rule and a futures rule; the change falls on an event in the middle.
  const cases = ['spot-nknusdt-2021-10', 'us-compusdt-2021-10', 'usdm-ethusdt-2024-08'];
  const MIDDLE = 60;

  describe.each(cases)('%s', (name) => {
    const recording = recordingNamed(name);
    const expected = expectedOf(recording);
    const lines = eventLines(recording);
    const ignoredFirst = expected.events - expected.applied;
    const change = (edited: readonly string[], onStep?: Parameters<typeof summaryOf>[2]) =>
      withCopy(recording, edited, (folder) => summaryOf(recording, folder, onStep));

    test('an event dropped: one gap, no book from there on', async () => {
      const reasons = new Set<unknown>();
      const summary = await change(lines.toSpliced(MIDDLE, 1), ({ sync, update }) => {
        if (sync.book === null)
          reasons.add(evaluateStep(sync, update, ENDPOINTS[recording.market], null, SIGNAL_DEFAULTS).reason);
      });
      expect(summary).toEqual({
        events: lines.length - 1,
        applied: MIDDLE - ignoredFirst,
        gaps: 1,
        resyncs: 0,
        ...UNSYNCED,
      });
      expect([...reasons]).toEqual(['syncing']);
    });

    test('two events swapped: one gap', async () => {
      const [first, second] = lines.slice(MIDDLE, MIDDLE + 2);
      const summary = await change(lines.toSpliced(MIDDLE, 2, second, first));
      expect(summary).toEqual({
        events: lines.length,
        applied: MIDDLE - ignoredFirst,
        gaps: 1,
        resyncs: 0,
        ...UNSYNCED,
      });
    });

    test('an event doubled: ignored, same book', async () => {
      const summary = await change(lines.toSpliced(MIDDLE, 0, lines[MIDDLE]));
      expect(summary).toMatchObject({
        events: lines.length + 1,
        applied: expected.applied,
        gaps: 0,
        canonicalSha256: expected.canonicalSha256,
      });
    });

    test('two events merged: applied as one, same book', async () => {
      const summary = await change(lines.toSpliced(MIDDLE, 2, merged(lines[MIDDLE], lines[MIDDLE + 1])));
      expect(summary).toMatchObject({
        events: lines.length - 1,
        applied: expected.applied - 1,
        gaps: 0,
        lastUpdateId: expected.lastU,
        canonicalSha256: expected.canonicalSha256,
      });
    });

    test('the last event dropped: it cannot be noticed', async () => {
      const summary = await change(lines.slice(0, -1));
      expect(summary).toMatchObject({ applied: expected.applied - 1, gaps: 0 });
      expect(summary.canonicalSha256).not.toBe(expected.canonicalSha256);
    });

    test('the events before the REST reply missing: it is joined all the same, or too old', async () => {
      const joined = await change(lines.slice(ignoredFirst));
      expect(joined.canonicalSha256).toBe(expected.canonicalSha256);
      const tooLate = await change(lines.slice(ignoredFirst + 5));
      expect(tooLate).toMatchObject({ applied: 0, gaps: 1, ...UNSYNCED });
    });
  });

  test.each([
    ['not JSON', '{"e":"depthUpdate"'],
    ['no depth event', '{"e":"trade","E":1}'],
    ['a hexadecimal price', '{"e":"depthUpdate","E":1,"s":"NKNUSDT","U":1,"u":2,"b":[["0x1","1"]],"a":[]}'],
    ['another symbol', '{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":[],"a":[]}'],
  ])('a line that is %s: a coded error with its number', async (_name, line) => {
    const recording = recordingNamed('spot-nknusdt-2021-10');
    const edited = eventLines(recording).toSpliced(7, 0, line);
    await withCopy(recording, edited, async (folder) => {
      await expect(summaryOf(recording, folder)).rejects.toMatchObject({
        code: 'OF_RECORDING',
        message: expect.stringContaining('line 8'),
      });
    });
  });
});

describeWithRecordings('the command', () => {
  const run = (...argv: string[]) =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', 'scripts/replay.ts', ...argv], {
      cwd: resolve(__dirname, '../..'),
    });
  const recording = recordingNamed('us-compusdt-2021-10');

  test('prints a JSON line for each evaluation and one with the counts', async () => {
    const { stdout } = await run(
      recording.path,
      '--market',
      'us',
      '--json',
      '--every',
      '10',
      '--levels',
      '5',
    );
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    // At the start and after 10, 20 and 30 of 30.6 s.
    expect(lines).toHaveLength(5);
    for (const line of lines.slice(0, -1)) {
      expect(line).toMatchObject({ symbol: 'COMPUSDT', reason: null, levelsRequested: 5, levelsUsedAsks: 5 });
      expect(line.lastUpdateId).toEqual(expect.any(Number));
    }
    expect(Object.keys(lines[4])).toEqual([
      'events',
      'applied',
      'gaps',
      'resyncs',
      'lastUpdateId',
      'bids',
      'asks',
      'canonicalSha256',
      'weightedBids',
      'weightedAsks',
    ]);
  });

  test('prints a table for a person, the same on the plain path', async () => {
    const { stdout } = await run(recording.path, '--market', 'us');
    expect((await run(recording.path, '--market', 'us', '--plain')).stdout).toBe(stdout);
    expect(stdout).toMatch(/Wtd Bids +Wtd Asks +Imbalance +Spread +Signal/);
    expect(stdout).toContain('69b83bfb01d1e365b19d08d81d819d452f89b8476e380f4b96dfa79f07bd2f50');
  });

  test.each([
    [['--market', 'nyse'], 'OF_PARAMETER', '--market'],
    [['--levels', '0'], 'OF_PARAMETER', 'Levels'],
    [['--nonsense'], 'OF_PARAMETER', '--nonsense'],
    [['--every', '0'], 'OF_PARAMETER', '--every'],
  ])('refuses %j', async (argv, code, field) => {
    await expect(run(recording.path, ...argv)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(new RegExp(`${code}.*${field}`)),
    });
  });

  test('says what is missing in a folder', async () => {
    await expect(run(join(recording.path, 'nowhere'))).rejects.toMatchObject({
      stderr: expect.stringContaining('OF_RECORDING'),
    });
  });
});

describe('the schedule', () => {
  test('is due when the book comes live, then every period, once for a long silence', () => {
    const schedule = new Schedule(1000);
    expect(schedule.due(100, false)).toBe(false);
    expect(schedule.due(500, true)).toBe(true);
    expect(schedule.due(1499, false)).toBe(false);
    expect(schedule.due(1500, false)).toBe(true);
    expect(schedule.due(1600, false)).toBe(false);
    expect(schedule.due(5600, false)).toBe(true);
    expect(schedule.due(6499, false)).toBe(false);
    expect(schedule.due(6500, false)).toBe(true);
  });

  test('is due after a period where the book never comes live', () => {
    const schedule = new Schedule(1000);
    expect(schedule.due(0, false)).toBe(false);
    expect(schedule.due(1000, false)).toBe(true);
  });
});
