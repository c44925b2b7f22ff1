import { fastEngine } from '../../book/fast/ladderBook';
import type { LadderUpdate } from '../../book/fast/ladderUpdate';
import type { BookEngine, TimedUpdate } from '../../book/orderBook';
import { plainEngine } from '../../book/plainBook';
import type { DepthUpdate } from '../../book/types';
import { FrameReader } from './frameReader';
import { parseFrame, type StreamMessage } from './jsonReader';

/** An update that knows whose it is. */
export interface SymbolUpdate extends TimedUpdate {
  readonly symbol: string;
}

/** What a frame turned out to be; the update may be valid only until the next call of `decode`. */
export type Decoded<U extends SymbolUpdate> = StreamMessage<U>;

/** How frames are read and books are kept: the plain form and the fast one are interchangeable. */
export interface FeedCodec<U extends SymbolUpdate> {
  /** @throws OrderFlowError OF_FRAME_INVALID */
  decode(frame: Buffer, requirePrevious: boolean): Decoded<U>;
  readonly engine: BookEngine<U>;
}

/** Frames read from their bytes into the ladder book. An update is valid until the next call of `decode`. */
export function fastCodec(): FeedCodec<LadderUpdate> {
  const spot = new FrameReader(false);
  const futures = new FrameReader(true);
  return {
    decode: (frame, requirePrevious) => (requirePrevious ? futures : spot).read(frame),
    engine: fastEngine,
  };
}

/** The reference that the fast form is tested against. */
export const plainCodec: FeedCodec<DepthUpdate> = {
  decode: (frame, requirePrevious) => parseFrame(frame.toString('utf8'), requirePrevious),
  engine: plainEngine,
};

const STREAM_KEY = Buffer.from('{"stream":"');
const DATA_KEY = Buffer.from('"data":');
/** A stream's name ends before this. */
const MAX_WRAPPER_BYTES = 512;
const CLOSING_BRACE = 0x7d;

/** The event's own bytes inside a combined stream's wrapper; the whole frame where there is no wrapper. */
export function eventBytes(frame: Buffer): Buffer {
  if (!startsWith(frame, STREAM_KEY)) return frame;
  const at = frame.subarray(0, MAX_WRAPPER_BYTES).indexOf(DATA_KEY);
  const end = frame.lastIndexOf(CLOSING_BRACE);
  return at < 0 || end <= at ? frame : frame.subarray(at + DATA_KEY.length, end);
}

/** The stream that a frame names in its wrapper, even where the rest cannot be read; null where it names none. */
export function streamOf(frame: Buffer): string | null {
  if (!startsWith(frame, STREAM_KEY)) return null;
  const end = frame.subarray(0, MAX_WRAPPER_BYTES).indexOf(0x22, STREAM_KEY.length);
  return end < 0 ? null : frame.toString('utf8', STREAM_KEY.length, end);
}

function startsWith(frame: Buffer, prefix: Buffer): boolean {
  return frame.length > prefix.length && frame.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;
}
