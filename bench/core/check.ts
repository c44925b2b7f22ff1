import { createHash } from 'node:crypto';
import { type Answer, type Book, plain, type Side } from './sides';
import { isRecording, type Stream } from './stream';

/** The reference takes half a millisecond an event; beyond these the sides that go on are compared with each other. */
const REFERENCE_EVENTS = 10_000;
/** Points of a stream at which answers are compared, and as many more near its beginning for those that end there. */
const CHECKPOINTS = 50;
const RELATIVE_ERROR = 1e-9;
const BATCH = 500;

/** A side's answers at checkpoints, by the number of events before them; whole books where a side ends. */
interface Walk {
  readonly answers: Map<number, Answer>;
  readonly books: Map<number, string>;
}

export interface Checked {
  readonly side: Side;
  /** Events that it was checked over. */
  readonly events: number;
  /** Null: it agrees at every checkpoint. Without that no time of the side counts. */
  readonly disagreement: string | null;
  /** Of its whole book after its last event; null where it does not hold every level. */
  readonly canonicalSha256: string | null;
}

export interface CheckOptions {
  readonly sides: readonly Side[];
  /** Events that a side is checked over. */
  readonly eventsOf: (side: Side) => number;
  readonly referenceEvents?: number;
  progress(text: string): void;
}

/** Runs every side over the stream and compares their answers, and their whole books where they end. */
export function check(stream: Stream, options: CheckOptions): Checked[] {
  const { sides, eventsOf, progress } = options;
  const books = sides.filter(({ holds }) => holds !== 'no book');
  const ends = new Set(books.map(eventsOf));
  const most = Math.max(...ends);
  const referenceEnd = Math.min(options.referenceEvents ?? REFERENCE_EVENTS, most);
  const marks = checkpoints([...ends, referenceEnd]);
  progress(`${plain.label}, ${referenceEnd} events`);
  const truth = walk(plain, stream, referenceEnd, marks, new Set([...ends, referenceEnd]));
  return sides.map((side) => {
    if (side.holds === 'no book') return { side, events: 0, disagreement: null, canonicalSha256: null };
    const events = eventsOf(side);
    progress(`${side.label}, ${events} events`);
    try {
      const found = walk(side, stream, events, marks, new Set([...ends, referenceEnd]));
      const canonicalSha256 = found.books.get(events) ?? null;
      const disagreement = compare(found, truth) ?? unexpected(stream, events, canonicalSha256);
      return { side, events, disagreement, canonicalSha256 };
    } catch (error) {
      const disagreement = error instanceof Error ? error.message : String(error);
      return { side, events, disagreement, canonicalSha256: null };
    }
  });
}

function checkpoints(ends: readonly number[]): number[] {
  const marks = new Set(ends);
  for (const end of ends)
    for (let i = 1; i <= CHECKPOINTS; i++) marks.add(Math.max(1, Math.round((end * i) / CHECKPOINTS)));
  return [...marks].sort((a, b) => a - b);
}

function walk(
  side: Side,
  stream: Stream,
  events: number,
  marks: readonly number[],
  ends: ReadonlySet<number>,
): Walk {
  const run = side.start(stream);
  const found: Walk = { answers: new Map(), books: new Map() };
  let from = 0;
  for (const mark of marks) {
    if (mark > events) break;
    while (from < mark) {
      const to = Math.min(from + BATCH, mark);
      run.events(stream.frames.receive(side.input, from, to), 0, to - from);
      from = to;
    }
    found.answers.set(mark, { ...run.answer });
    if (side.holds === 'every level' && ends.has(mark)) found.books.set(mark, sha256(run.final()));
  }
  return found;
}

/** A recording says what its last book is. */
function unexpected(stream: Stream, events: number, hash: string | null): string | null {
  if (!isRecording(stream) || stream.expectedSha256 === null) return null;
  if (hash === null || events < stream.frames.count || hash === stream.expectedSha256) return null;
  return `last book ${hash} instead of ${stream.expectedSha256}`;
}

/** What the truth does not know yet it learns: the first side that comes so far is the measure of the others. */
function compare(found: Walk, truth: Walk): string | null {
  for (const [mark, answer] of found.answers) {
    const right = truth.answers.get(mark);
    if (right === undefined) truth.answers.set(mark, answer);
    else
      for (const name of ['bestBid', 'bestAsk', 'bids', 'asks'] as const)
        if (!(Math.abs(answer[name] - right[name]) <= RELATIVE_ERROR * Math.abs(right[name])))
          return `${name} ${answer[name]} instead of ${right[name]} after event ${mark}`;
  }
  for (const [mark, hash] of found.books) {
    const right = truth.books.get(mark);
    if (right === undefined) truth.books.set(mark, hash);
    else if (right !== hash) return `another book after event ${mark}`;
  }
  return null;
}

/** The hash that a recording's expected.json defines: levels best first, in canonical decimals. */
export function sha256({ bids, asks }: Book): string {
  const hash = createHash('sha256');
  for (const [price, quantity] of bids) hash.update(`b ${canonical(price)} ${canonical(quantity)}\n`);
  for (const [price, quantity] of asks) hash.update(`a ${canonical(price)} ${canonical(quantity)}\n`);
  return hash.digest('hex');
}

function canonical(value: string | number): string {
  const text = typeof value === 'number' ? value.toFixed(8) : value;
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
