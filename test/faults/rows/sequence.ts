import type { Variant } from '../model/bookClient';
import { type Play, playBoth, type Weather } from '../model/play';
import type { ModelKind } from '../model/wireText';
import { NOTHING_TO_RECOVER, type Scenario } from '../scenario';
import { sharedRedis } from '../sharedRedis';
import type { PipelineFigures, SequenceRowId } from './sequencePipeline';

const STEPS = 120;
/** One seed of this many is played from the socket to the item and the record. */
const PIPELINE_EVERY = 50;
const isPipeline = (seed: number): boolean => seed % PIPELINE_EVERY === 1;

/** Rows 1 to 4 in one process: reader, sequence rule and book on a market whose every book is known. */
export interface SequenceRow extends Scenario {
  /** The same with a hand-made bug inside. */
  runVariant(seed: number, variant?: Variant): ReturnType<Scenario['run']>;
}

/** Loaded late: who plays in one process needs no n8n. */
const pipeline = () => import('./sequencePipeline');

let warm: Promise<void> | null = null;

/** n8n's engine loads parts when it first runs a node, and the suite's Redis stays: neither is a leak of a run. */
async function prepare(): Promise<void> {
  await sharedRedis();
  await (warm ??= pipeline().then(({ playPipeline }) => playPipeline(1, 0)));
}

function row(
  head: Pick<Scenario, 'name' | 'what' | 'expected'> & { readonly id: SequenceRowId },
  weather: Weather,
  kinds: readonly ModelKind[] = ['spot', 'futures'],
): SequenceRow {
  const runVariant = (seed: number, variant?: Variant) => {
    const play: Play = { kind: kinds[seed % kinds.length], weather, steps: STEPS, variant };
    return playBoth(seed, play);
  };
  let figures: PipelineFigures | undefined;
  const throughAll = async (seed: number): ReturnType<Scenario['run']> => {
    const { PipelineFigures, playPipeline } = await pipeline();
    await playPipeline(head.id, seed, (figures ??= new PipelineFigures()));
    // Real milliseconds, printed among the figures: the others of this row are the market's.
    return NOTHING_TO_RECOVER;
  };
  return {
    ...{ ...head, maxRuns: Infinity, prepare, runVariant },
    variants: PIPELINE_EVERY,
    recovers: (seed) => !isPipeline(seed),
    run: (seed) => (isPipeline(seed) ? throughAll(seed) : runVariant(seed)),
    figures: () => figures?.lines() ?? [],
  };
}

const often = { straddle: 0.4, staleReply: 0.2, refresh: 0.05 };

export const sequenceRows: readonly SequenceRow[] = [
  row(
    {
      id: 1,
      name: 'gap',
      what: 'events dropped at any position, while a reply is on its way too; streams lost',
      expected: 'discarded, fetched again, nothing shown in between',
    },
    { ...often, drop: 0.1, streamLost: 0.01 },
  ),
  row(
    {
      id: 2,
      name: 'order',
      what: 'events swapped, repeated, overlapping, merged',
      expected: 'ignored or fetched again, never a wrong book',
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
      expected: 'fetched again by the previous id alone',
    },
    { ...often, brokenPrevious: 0.06, drop: 0.04, swap: 0.03, duplicate: 0.05 },
    ['futures'],
  ),
];
