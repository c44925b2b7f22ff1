import type { Verdict } from '../../book/types';

/** Frames of the younger connection that wait for the older one, over all streams. Far above what seconds bring. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;

/**
 * What is known of each stream while two connections carry it. The older one may lag behind: then the younger one's
 * first frames are ahead of the book, which is no gap as long as the older one may still bring what lies between. They
 * are held until it has. From the first frame that fits, or is known already, the younger one's updates follow the
 * book's without a hole: the stream has joined and does not need the older connection any more.
 */
export class Changeover {
  private readonly joined = new Set<string>();
  private readonly delivered = new Set<string>();
  private readonly held = new Map<string, Buffer[]>();
  private heldBytes = 0;

  /** @param onJoined a stream has joined */
  constructor(private readonly onJoined: () => void) {}

  hasJoined(stream: string): boolean {
    return this.joined.has(stream);
  }

  /** The older connection has brought all that these streams had sent before the younger one carried them. */
  settle(streams: Iterable<string>): void {
    for (const stream of streams) this.delivered.add(stream);
  }

  /** Nothing of the stream is missing once the older connection has gone; held frames prove it. */
  isSafe(stream: string): boolean {
    return this.joined.has(stream) || this.delivered.has(stream) || this.held.has(stream);
  }

  /** @returns whether the frame is to be passed on now */
  admit(stream: string, from: 'older' | 'younger', standing: Verdict, frame: Buffer): boolean {
    // The older connection counts until the stream has joined; after that, what it repeats is ignored, even where it
    // has a later time because another of the exchange's servers wrote it.
    if (from === 'older') return standing !== 'ignore' || !this.joined.has(stream);
    if (standing === 'gap') return !this.hold(stream, frame);
    this.join(stream);
    return standing === 'apply';
  }

  /** The oldest frame held of a stream. */
  first(stream: string): Buffer | undefined {
    return this.held.get(stream)?.[0];
  }

  /** @param frame the oldest one held: it has been judged, and is not a gap any more */
  release(stream: string, frame: Buffer): void {
    this.held.get(stream)?.shift();
    this.heldBytes -= frame.length;
    this.join(stream);
  }

  /** All frames held of a stream, oldest first: the older connection is not waited for any more. */
  takeAll(stream: string): readonly Buffer[] {
    const frames = this.held.get(stream) ?? [];
    this.held.delete(stream);
    for (const { length } of frames) this.heldBytes -= length;
    return frames;
  }

  /** The stream is not carried any more, or is to start over. */
  forget(stream: string): void {
    this.takeAll(stream);
    this.joined.delete(stream);
    this.delivered.delete(stream);
  }

  private join(stream: string): void {
    if (this.joined.has(stream)) return;
    this.joined.add(stream);
    this.onJoined();
  }

  /** @returns false where no more can be held */
  private hold(stream: string, frame: Buffer): boolean {
    if (this.heldBytes + frame.length > MAX_HELD_BYTES) return false;
    const frames = this.held.get(stream);
    if (frames) frames.push(frame);
    else this.held.set(stream, [frame]);
    this.heldBytes += frame.length;
    return true;
  }
}
