import type { Bars, Figures, PartResult, Plot, Table, Target } from '../lib/part';
import { figure } from '../lib/stats';
import { jsonParse, ours, plain } from './sides';
import { isRecording, type Stream } from './stream';
import { LEVEL_CHANGES, type SideTimes, type Timed } from './timing';

const MOST_OVER_JSON_PARSE = 0.33;
const LEAST_SPEEDUP = 14;
const MOST_P99 = 3;
/** Less than the smallest object takes: what the measuring itself leaves behind. */
const MOST_BYTES = 8;

export interface CoreTimes {
  /** Whose figures come first. */
  readonly main: Timed;
  readonly recorded: readonly Timed[];
  /** Bytes of heap an event; null where it was not measured. */
  readonly allocation: { readonly ours: number; readonly jsonParse: number } | null;
}

export function report({ main, recorded, allocation }: CoreTimes): PartResult {
  const others = recorded.filter((timed) => timed !== main);
  const all = [main, ...others];
  return {
    figures: {
      ...figuresOf(main),
      ...(allocation && { bytesPerEvent: allocation }),
      ...(others.length > 0 && {
        recorded: Object.fromEntries(others.map((timed) => [timed.stream.name, figuresOf(timed)])),
      }),
    },
    tables: all.map(table),
    bars: all.map(bars),
    plots: all.map(plot),
    notes: [...notes(main), ...(allocation ? [allocationNote(allocation)] : [])],
    targets: [
      ...(isRecording(main.stream) ? [] : targets(main)),
      ...recorded.flatMap(recordedTargets),
      ...(allocation
        ? [atMost('bytes of heap an event in the steady state, ours', allocation.ours, MOST_BYTES)]
        : []),
    ],
  };
}

function figuresOf(timed: Timed): Figures {
  const { stream, sides } = timed;
  const recorded = isRecording(stream);
  const hashes = [...sides].flatMap(([name, { checked }]) =>
    checked.canonicalSha256 === null || checked.events < stream.frames.count
      ? []
      : [[name, checked.canonicalSha256]],
  );
  const refused = [...sides].flatMap(([name, { checked }]) =>
    checked.disagreement === null ? [] : [[name, checked.disagreement]],
  );
  return {
    events: stream.frames.count,
    usPerEvent: Object.fromEntries([...sides].map(([name, { times }]) => [name, times?.usPerEvent ?? null])),
    ratioToJsonParse: ratioToJsonParse(timed),
    speedupOverBestPeer: speedup(timed),
    p99OverMedian: recorded ? timed.levelChange.p99OverMedian : singleOf(timed).p99OverMedian,
    bestPeer: bestPeer(timed)?.checked.side.name ?? null,
    singleEventUs: Object.fromEntries(
      [...sides].map(([name, { times }]) => [
        name,
        times && { median: times.single.medianUs, p99: times.single.p99Us },
      ]),
    ),
    canonicalSha256: Object.fromEntries(hashes),
    ...(recorded && { expectedSha256: stream.expectedSha256 }),
    ...(refused.length > 0 && { wrong: Object.fromEntries(refused) }),
  };
}

function timesOf(timed: Timed, name: string): NonNullable<SideTimes['times']> | null {
  return timed.sides.get(name)?.times ?? null;
}

function oursOf(timed: Timed): NonNullable<SideTimes['times']> {
  const times = timesOf(timed, ours.name);
  if (times === null)
    throw new Error(`our own book is wrong: ${timed.sides.get(ours.name)?.checked.disagreement}`);
  return times;
}

function singleOf(timed: Timed) {
  return oursOf(timed).single;
}

function ratioToJsonParse(timed: Timed): number {
  return oursOf(timed).usPerEvent / (timesOf(timed, jsonParse.name)?.usPerEvent ?? NaN);
}

function bestPeer({ sides }: Timed): SideTimes | null {
  const peers = [...sides.values()].filter(
    ({ checked: { side }, times }) => times !== null && side !== ours && side !== plain && side !== jsonParse,
  );
  const us = (one: SideTimes) => one.times?.usPerEvent ?? Infinity;
  return peers.sort((a, b) => us(a) - us(b))[0] ?? null;
}

/** Null where no peer ran. */
function speedup(timed: Timed): number | null {
  const best = bestPeer(timed)?.times;
  return best ? best.usPerEvent / oursOf(timed).usPerEvent : null;
}

function table(timed: Timed): Table {
  const { stream, sides } = timed;
  const parseUs = timesOf(timed, jsonParse.name)?.usPerEvent ?? NaN;
  const oursUs = oursOf(timed).usPerEvent;
  const recorded = isRecording(stream);
  return {
    title: [
      recorded ? `Recorded: ${stream.name}` : 'Synthetic BTCUSDT',
      `${stream.frames.count} events of ${figure(meanChanges(stream))} level changes and ${Math.round(stream.frames.meanBytes)} bytes`,
      ...(recorded && stream.expectedSha256 !== null
        ? [`expected canonicalSha256 ${stream.expectedSha256}`]
        : []),
    ].join(', '),
    head: [
      'µs an event',
      'median',
      '÷ JSON.parse',
      '÷ ours',
      'p99 of single events',
      'events a pass',
      'last book',
    ],
    rows: [...sides.values()].map(({ checked, events, times }) => [
      checked.side.label,
      ...(times === null
        ? ['-', '-', '-', '-', '-']
        : [
            figure(times.usPerEvent),
            figure(times.usPerEvent / parseUs),
            figure(times.usPerEvent / oursUs),
            figure(times.single.p99Us),
            String(events),
          ]),
      verdict(stream, { checked, events, times }),
    ]),
  };
}

function verdict({ frames }: Stream, { checked }: SideTimes): string {
  const { side, disagreement, canonicalSha256, events } = checked;
  if (disagreement !== null) return `not timed, wrong: ${disagreement}`;
  if (canonicalSha256 === null) return side.holds === 'no book' ? '-' : 'sums agree';
  if (events < frames.count) return `agrees, ${canonicalSha256.slice(0, 8)}… after ${events}`;
  return canonicalSha256;
}

function meanChanges({ changes }: Stream): number {
  return changes.reduce((a, b) => a + b, 0) / changes.length;
}

function bars(timed: Timed): Bars {
  return {
    name: `core-${timed.stream.name}`,
    title: `Time of an event, ${timed.stream.name}`,
    unit: 'µs',
    bars: [...timed.sides.values()].flatMap(({ checked, times }) =>
      times === null ? [] : [{ label: checked.side.label, value: times.usPerEvent }],
    ),
  };
}

function plot(timed: Timed): Plot {
  return {
    name: `core-${timed.stream.name}-spread`,
    title: `How the time of single events spreads, ${timed.stream.name}`,
    x: { label: 'percentile of events', scale: 'linear' },
    y: { label: 'µs', scale: 'log' },
    series: [...timed.sides.values()].flatMap(({ checked, times }) =>
      times === null
        ? []
        : [
            {
              label: checked.side.label,
              points: times.single.percentilesUs.map((us, i): [number, number] => [i, us]),
            },
          ],
    ),
  };
}

function notes(timed: Timed): string[] {
  return [
    'All sides run in one process, in turns, each pass from a fresh book. A pass counts the median over blocks of 64 events, so that neither what else the machine does nor the collection of garbage counts, which is to the good of all sides but ours. JSON.parse and the peers are given ready-made text; ours and the plain path start from bytes.',
    `The answers of every side (top-20 sums, best prices) are compared at checkpoints with the plain path's, beyond its events with those of the first other side, and whole books where a side ends, before a time of it counts. Slow sides run over the beginning of the stream only, as the column says${isRecording(timed.stream) ? '' : '; where the book still has all its levels'}.`,
    `Single events are timed one by one, which adds two looks at the clock to each. On recorded data events differ in size: the time of a level change is that of at least ${LEVEL_CHANGES} changes in a row, as many as a synthetic event has. Where that target is missed, the slowest rows of changes are those of the most events: with the fastest of twelve passes for each row, so without the machine's noise, the slow ones on COIN-M have 20.7 events where the average has 5.7 (spot 7.0 and 2.0), each event with its own head, ids and top-20 read, while a rebuilt ladder is behind 2 of 20 of them (spot 2 of 32).`,
  ];
}

function allocationNote(bytes: NonNullable<CoreTimes['allocation']>): string {
  return `Growth of the heap in the steady state: ours ${figure(bytes.ours)} bytes an event, JSON.parse ${figure(bytes.jsonParse)}.`;
}

function targets(timed: Timed): Target[] {
  const fast = speedup(timed);
  return [
    atMost('time of an event ÷ JSON.parse', ratioToJsonParse(timed), MOST_OVER_JSON_PARSE),
    ...(fast === null
      ? []
      : [
          {
            text: 'times as fast as the best peer',
            value: fast,
            limit: LEAST_SPEEDUP,
            kind: 'atLeast' as const,
          },
        ]),
    atMost('p99 ÷ median of single events', singleOf(timed).p99OverMedian, MOST_P99),
  ];
}

function recordedTargets({ stream, levelChange, sides }: Timed): Target[] {
  const expected = isRecording(stream) ? stream.expectedSha256 : null;
  const same = sides.get(ours.name)?.checked.canonicalSha256 === expected;
  return [
    atMost(`p99 ÷ median of a level change, ${stream.name}`, levelChange.p99OverMedian, MOST_P99),
    ...(expected === null
      ? []
      : [
          {
            text: `last book as expected, ${stream.name}`,
            value: Number(same),
            limit: 1,
            kind: 'atLeast' as const,
          },
        ]),
  ];
}

function atMost(text: string, value: number, limit: number): Target {
  return { text, value, limit, kind: 'atMost' };
}
