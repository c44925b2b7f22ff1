import type { Variant } from '../model/bookClient';
import { type Play, playBoth, type Weather } from '../model/play';
import type { ModelKind } from '../model/wireText';
import { EVERY_RUN, type Scenario } from '../scenario';

const STEPS = 120;

/** Rows 1 to 4 in one process: reader, sequence rule and book on a market whose every book is known. */
export interface SequenceRow extends Scenario {
  /** The same with a hand-made bug inside. */
  runVariant(seed: number, variant?: Variant): ReturnType<Scenario['run']>;
}

function row(
  head: Pick<Scenario, 'id' | 'name' | 'what' | 'expected'>,
  weather: Weather,
  kinds: readonly ModelKind[] = ['spot', 'futures'],
): SequenceRow {
  const runVariant = (seed: number, variant?: Variant) => {
    const play: Play = { kind: kinds[seed % kinds.length], weather, steps: STEPS, variant };
    return playBoth(seed, play);
  };
  return {
    ...head,
    maxRuns: Infinity,
    variants: kinds.length,
    recovers: EVERY_RUN,
    runVariant,
    run: (seed) => runVariant(seed),
  };
}

const often = { straddle: 0.4, staleReply: 0.2, refresh: 0.05 };

export const sequenceRows: readonly SequenceRow[] = [
  row(
    {
      id: 1,
      name: 'gap',
      what: 'events dropped at any position, while a reply is on its way too; streams lost',
      expected: 'discarded, fetched anew, nothing shown in between',
    },
    { ...often, drop: 0.1, streamLost: 0.01 },
  ),
  row(
    {
      id: 2,
      name: 'order',
      what: 'events swapped, repeated, overlapping, merged',
      expected: 'ignored or fetched anew, never a wrong book',
    },
    { ...often, swap: 0.06, duplicate: 0.1, overlap: 0.08, merge: 0.08 },
  ),
  row(
    {
      id: 3,
      name: 'first event',
      what: 'replies before, inside and at the end of an event; stale many times over; ids that start over',
      expected: 'each by the rule; a stale reply is asked again with the buffer kept',
    },
    { straddle: 0.7, staleReply: 0.6, refresh: 0.2, drop: 0.05, startOver: 0.008, streamLost: 0.02 },
  ),
  row(
    {
      id: 4,
      name: 'futures chain',
      what: 'previous ids that name no event; first ids that are not contiguous',
      expected: 'fetched anew by the previous id alone',
    },
    { ...often, brokenPrevious: 0.06, drop: 0.04, swap: 0.03, duplicate: 0.05 },
    ['futures'],
  ),
];
