import { fastEngine } from '../book/fastEngine';
import type { LadderUpdate } from '../book/ladderUpdate';
import type { FeedCodec } from './codec';
import { FrameReader } from './frameReader';

/** Frames read from their bytes into the ladder book. An update is valid until the next call of `decode`. */
export function fastCodec(): FeedCodec<LadderUpdate> {
  const spot = new FrameReader(false);
  const futures = new FrameReader(true);
  return {
    decode: (frame, requirePrevious) => (requirePrevious ? futures : spot).read(frame),
    engine: fastEngine,
  };
}
