import { runSides } from '../../bench/core';
import { check } from '../../bench/core/check';
import { recordedStream } from '../../bench/core/recording';
import { jsonParse, ours, plain, type Side } from '../../bench/core/sides';
import { syntheticStream } from '../../bench/core/stream';
import { describeWithRecordings, RECORDINGS } from '../support/recordings';

const silent = () => undefined;

/** As ours, but one of its answers is wrong from some event on. */
function wrongFrom(event: number, spoil: (answer: { bestAsk: number; bids: number }) => void): Side {
  return {
    ...ours,
    name: 'wrong',
    start(stream) {
      const run = ours.start(stream);
      let done = 0;
      return {
        ...run,
        events(batch, from, to) {
          run.events(batch, from, to);
          done += to - from;
          if (done >= event) spoil(run.answer);
        },
      };
    },
  };
}

test('a quick run yields every figure, of sides that agree', async () => {
  const { figures, tables, targets } = await runSides([ours, plain, jsonParse], {
    quick: true,
    data: [],
    progress: silent,
  });
  expect(figures).toMatchObject({
    events: 1_000,
    usPerEvent: { ours: expect.any(Number), plain: expect.any(Number), jsonParse: expect.any(Number) },
    ratioToJsonParse: expect.any(Number),
    speedupOverBestPeer: null,
    p99OverMedian: expect.any(Number),
  });
  expect(Object.keys(figures).slice(0, 5)).toEqual([
    ...['events', 'usPerEvent', 'ratioToJsonParse', 'speedupOverBestPeer', 'p99OverMedian'],
  ]);
  expect(figures).not.toHaveProperty('wrong');
  expect(tables[0].rows).toHaveLength(3);
  expect(targets).not.toHaveLength(0);
}, 120_000);

test('the same seed makes the same stream, another one another', () => {
  const bytes = (seed: number) =>
    Buffer.concat(syntheticStream(200, seed).frames.receive('frames', 0, 200).frames);
  expect(bytes(1).equals(bytes(1))).toBe(true);
  expect(bytes(1).equals(bytes(2))).toBe(false);
});

test.each([
  ['a best price', wrongFrom(150, (answer) => (answer.bestAsk += 0.01)), /^bestAsk .* after event 1\d\d$/],
  ['a sum', wrongFrom(1, (answer) => (answer.bids *= 1 + 1e-8)), /^bids .* after event \d+$/],
  ['a level deep in the book', deepLevelMissing(), /^another book after event 200$/],
])('a side that gets %s wrong is found out', (_what, side, why) => {
  const stream = syntheticStream(200, 3);
  const checked = check(stream, { sides: [ours, side], eventsOf: () => 200, progress: silent });
  expect(checked[0].disagreement).toBeNull();
  expect(checked[1].disagreement).toMatch(why);
});

function deepLevelMissing(): Side {
  return {
    ...ours,
    name: 'wrong',
    start(stream) {
      const run = ours.start(stream);
      return { ...run, final: () => ({ ...run.final(), asks: [...run.final().asks].slice(0, -1) }) };
    },
  };
}

describeWithRecordings('recordings', () => {
  test('the last book of each short one is the expected one', () => {
    for (const { path } of RECORDINGS.filter(({ name }) => name.endsWith('2021-10'))) {
      const stream = recordedStream(path);
      const [checked] = check(stream, {
        sides: [ours],
        eventsOf: () => stream.frames.count,
        progress: silent,
      });
      expect(checked.disagreement).toBeNull();
      expect(checked.canonicalSha256).toBe(stream.expectedSha256);
    }
  });
});
