import { median } from '../lib/stats';
import { check, type Checked } from './check';
import { pass, spread, type Spread } from './measure';
import { ours, type Side } from './sides';
import type { Stream } from './stream';

const WARM_UP_EVENTS = 20_000;
const WARM_UP_MS = 2_000;
/** Level changes of an event of the synthetic stream: recorded events with fewer are timed together. */
export const LEVEL_CHANGES = 35;

export interface SideTimes {
  readonly checked: Checked;
  /** Events of each pass. */
  readonly events: number;
  /** Null where the side's answers were wrong: a wrong answer has no price. */
  readonly times: {
    /** Median of the passes. */
    readonly usPerEvent: number;
    readonly passesUs: readonly number[];
    /** Of single events, each between two looks at the clock: a little more than in a pass. */
    readonly single: Spread;
  } | null;
}

export interface Timed {
  readonly stream: Stream;
  readonly sides: ReadonlyMap<string, SideTimes>;
  /** Time of a level change of ours, over at least LEVEL_CHANGES of them. */
  readonly levelChange: Spread;
}

export interface TimingOptions {
  readonly sides: readonly Side[];
  readonly eventsOf: (side: Side) => number;
  readonly checkedEventsOf: (side: Side) => number;
  readonly passes: number;
  progress(text: string): void;
}

/** Checks every side, warms it up, then times all of them in turns. */
export function timeAll(stream: Stream, options: TimingOptions): Timed {
  const { sides, eventsOf, passes } = options;
  const progress = (text: string) => options.progress(`${stream.name}: ${text}`);
  const checked = check(stream, {
    sides,
    eventsOf: options.checkedEventsOf,
    progress: (text) => progress(`checking ${text}`),
  });
  const right = checked.filter(({ disagreement }) => disagreement === null).map(({ side }) => side);
  for (const side of right) {
    progress(`warming up ${side.label}`);
    warmUp(side, stream, eventsOf(side));
  }
  const passesUs = new Map(right.map((side): [Side, number[]] => [side, []]));
  const oursSingle: Spread[] = [];
  const levelChanges: Spread[] = [];
  for (let round = 0; round < passes; round++) {
    // Another one begins each time, so that none always comes after the same neighbour.
    const turn = right.map((_, i) => right[(i + round) % right.length]);
    for (const side of turn) {
      progress(`pass ${round + 1} of ${passes}, ${side.label}`);
      passesUs.get(side)?.push(pass(side, stream, eventsOf(side)));
    }
    oursSingle.push(spread(ours, stream, eventsOf(ours)));
    levelChanges.push(spread(ours, stream, eventsOf(ours), stream.changes, LEVEL_CHANGES));
  }
  const single = (side: Side) => {
    if (side === ours) return middle(oursSingle);
    progress(`single events, ${side.label}`);
    return spread(side, stream, eventsOf(side));
  };
  const times = (side: Side): SideTimes['times'] => {
    const values = passesUs.get(side);
    return values === undefined
      ? null
      : { usPerEvent: median(values), passesUs: values, single: single(side) };
  };
  return {
    stream,
    sides: new Map(
      checked.map((one) => [
        one.side.name,
        { checked: one, events: eventsOf(one.side), times: times(one.side) },
      ]),
    ),
    levelChange: middle(levelChanges),
  };
}

/** The beginning of a long stream once, a short one again and again. */
function warmUp(side: Side, stream: Stream, events: number): void {
  const startedMs = performance.now();
  for (let done = 0; done < WARM_UP_EVENTS && performance.now() - startedMs < WARM_UP_MS; done += events)
    pass(side, stream, Math.min(events, WARM_UP_EVENTS));
}

/** The pass whose ratio is the middle one. */
function middle(spreads: readonly Spread[]): Spread {
  const sorted = [...spreads].sort((a, b) => a.p99OverMedian - b.p99OverMedian);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
