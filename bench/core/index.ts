import type { Part, PartOptions, PartResult } from '../lib/part';
import { bytesPerEvent } from './allocation';
import { peerSides } from './peerSides';
import { recordedStream, recordings } from './recording';
import { report } from './report';
import { jsonParse, ours, plain, type Side } from './sides';
import { syntheticStream, type Recording, type Stream } from './stream';
import { timeAll, type Timed } from './timing';

const EVENTS = 200_000;
const SEED = 20_240_808;
const PASSES = 5;
const QUICK_EVENTS = 1_000;
const QUICK_MOST = 100;
/** A side whose passes are that long is quick enough to be checked over a whole stream. */
const QUICK_SIDE_EVENTS = 50_000;
/** Recordings of fewer events are too short to be timed. */
const LEAST_RECORDED_EVENTS = 1_000;

export const part: Part = {
  name: 'core',
  summary:
    'frame bytes → parsed → sequence rule → book → top-20 imbalance, beside JSON.parse and other books',
  needsPeers: true,
  run: async (options) => runSides([ours, plain, jsonParse, ...(await peerSides())], options),
};

/** Runs the given sides: over `--data` where it is given, else over the synthetic stream and what recordings there are. */
export async function runSides(sides: readonly Side[], options: PartOptions): Promise<PartResult> {
  const { quick, data, progress } = options;
  const time = (stream: Stream, toTheEnd: boolean): Timed => {
    const all = stream.frames.count;
    const eventsOf = (side: Side) => Math.min(all, side.most, quick && side !== ours ? QUICK_MOST : Infinity);
    return timeAll(stream, {
      sides,
      eventsOf,
      checkedEventsOf: (side) => (toTheEnd || side.most >= QUICK_SIDE_EVENTS ? all : eventsOf(side)),
      passes: quick ? 1 : PASSES,
      progress,
    });
  };

  if (data.length > 0) {
    // The last book's hash wants every side to run to the end.
    const recorded = data.map((folder) => recordedStream(folder)).map((stream) => time(stream, true));
    return report({ main: recorded[0], recorded, allocation: null });
  }
  progress('generating the synthetic stream');
  const stream = syntheticStream(quick ? QUICK_EVENTS : EVENTS, SEED);
  // First, while the book has met no engine but ours, as in a feed: shared code that has met two keeps numbers in boxes.
  progress('measuring allocation');
  const allocation = {
    ours: await bytesPerEvent(ours, stream),
    jsonParse: await bytesPerEvent(jsonParse, stream),
  };
  const main = time(stream, false);
  const found: Recording[] = quick ? [] : recordings().map((folder) => recordedStream(folder));
  const recorded = found
    .filter(({ frames }) => frames.count >= LEAST_RECORDED_EVENTS)
    .map((recording) => time(recording, false));
  return report({ main, recorded, allocation });
}
