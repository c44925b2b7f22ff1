import { FUTURES_RULE, SPOT_RULE } from '../../src/binance/sequenceRule';
import { fastCodec, type FeedCodec, plainCodec, type SymbolUpdate } from '../../src/binance/wire/codec';
import { parseDepthReply } from '../../src/binance/wire/jsonReader';
import { BookSync } from '../../src/book/bookSync';
import { emptyTopSums } from '../../src/book/types';
import type { Batch, Stream } from './stream';

export const TOP = 20;

/** What every side has to know after an event: the weighted sums of the top 20, and the best prices. */
export interface Answer {
  bids: number;
  asks: number;
  bestBid: number;
  bestAsk: number;
}

export interface Book {
  readonly bids: Iterable<readonly [price: string | number, quantity: string | number]>;
  readonly asks: Iterable<readonly [price: string | number, quantity: string | number]>;
}

/** One side's book over a stream, from the REST reply on. */
export interface Run {
  readonly answer: Answer;
  /** Frames from..to of a batch, one by one: read, set the levels, sum the top 20 of both sides into `answer`. */
  events(batch: Batch, from: number, to: number): void;
  /** The whole book, best levels first; as numbers where the side knows no others. */
  final(): Book;
}

/** What a side's book shows in the end. */
export type Holds = 'every level' | 'its best levels' | 'no book';

export interface Side {
  readonly name: string;
  readonly label: string;
  /** What it reads: bytes as the socket hands them over, or text that was made of them for it, free of charge. */
  readonly input: 'frames' | 'texts';
  /** Events of a pass; those that take long run over the beginning of the stream only. */
  readonly most: number;
  readonly holds: Holds;
  start(stream: Stream): Run;
}

export const EMPTY: Book = { bids: [], asks: [] };

export function emptyAnswer(): Answer {
  return { bids: NaN, asks: NaN, bestBid: NaN, bestAsk: NaN };
}

function through<U extends SymbolUpdate>(codec: FeedCodec<U>, stream: Stream): Run {
  const sync = new BookSync(stream.futures ? FUTURES_RULE : SPOT_RULE, codec.engine, false);
  sync.onReply(parseDepthReply(stream.replyText), stream.replyLimit);
  // The feed looks the symbol's book up as well.
  const books = new Map([[stream.symbol, sync]]);
  const { futures } = stream;
  const sums = emptyTopSums();
  const answer = emptyAnswer();
  return {
    answer,
    events({ frames }, from, to) {
      for (let i = from; i < to; i++) {
        const message = codec.decode(frames[i], futures);
        if (message.kind !== 'depth') throw new Error('a frame is no depth update');
        const book = books.get(message.update.symbol);
        if (book === undefined) throw new Error('an event is of another symbol');
        const outcome = book.onUpdate(message.update);
        if (outcome !== 'applied') throw new Error(`an event: ${outcome}`);
        book.trustedSums(TOP, sums);
        answer.bids = sums.bidNotional;
        answer.asks = sums.askNotional;
        answer.bestBid = sums.bestBid;
        answer.bestAsk = sums.bestAsk;
      }
    },
    final: () => sync.book?.top(Infinity) ?? EMPTY,
  };
}

/** The feed's own path: bytes, ids and symbol checked, sequence rule, coverage, book, sums. */
export const ours: Side = {
  name: 'ours',
  label: 'n8n-nodes-orderflow',
  input: 'frames',
  most: Infinity,
  holds: 'every level',
  start: (stream) => through(fastCodec(), stream),
};

/** The reference: JSON.parse, every value checked, levels as exact text in sorted arrays. */
export const plain: Side = {
  name: 'plain',
  label: 'the plain path, our reference',
  input: 'frames',
  most: 4_000,
  holds: 'every level',
  start: (stream) => through(plainCodec, stream),
};

/** The measure of all: what it costs to make objects of a frame, and nothing else. */
export const jsonParse: Side = {
  name: 'jsonParse',
  label: 'JSON.parse alone, no book',
  input: 'texts',
  most: Infinity,
  holds: 'no book',
  start() {
    const answer = emptyAnswer();
    return {
      answer,
      events({ texts }, from, to) {
        let levels = 0;
        for (let i = from; i < to; i++) levels += (JSON.parse(texts[i]) as { b: unknown[] }).b.length;
        answer.bids = levels;
      },
      final: () => EMPTY,
    };
  },
};
