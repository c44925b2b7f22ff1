import { FrameReader } from '../../src/binance/frameReader';
import { parseDepthReply, parseFrame } from '../../src/binance/wire';
import { plainEngine, type BookEngine, type TimedUpdate } from '../../src/book/bookEngine';
import { BookSync } from '../../src/book/bookSync';
import { fastEngine } from '../../src/book/fastEngine';
import { emptyTopSums } from '../../src/book/types';
import { peer, peerFile, peerVersion } from '../lib/peers';
import type { Stream } from './stream';

export const TOP = 20;

/** What every side has to know after an event: the weighted sums of the top 20. */
export interface Answer {
  bids: number;
  asks: number;
}

export interface Book {
  readonly bids: Iterable<readonly [price: string | number, quantity: string | number]>;
  readonly asks: Iterable<readonly [price: string | number, quantity: string | number]>;
}

/** One side's book over a stream, from the REST reply on. */
export interface Run {
  readonly answer: Answer;
  /** Frame by frame: read, set the levels, sum the top 20 of both sides into `answer`. */
  events(from: number, to: number): void;
  /** The whole book, best levels first; as numbers where the side knows no others. */
  final(): Book;
}

export interface Side {
  readonly name: string;
  readonly label: string;
  /** What it reads: bytes as the socket hands them over, or text that was made of them for it, free of charge. */
  readonly input: 'frames' | 'texts';
  /** Events of a pass; those that take long run over the beginning of the stream only. */
  readonly most: number;
  /** Null: it keeps no book, so there is nothing to compare. */
  start(stream: Stream): Run;
}

interface WireEvent {
  readonly b: ReadonlyArray<readonly [string, string]>;
  readonly a: ReadonlyArray<readonly [string, string]>;
  readonly U: number;
  readonly u: number;
}

const EMPTY: Book = { bids: [], asks: [] };

const parse = (text: string) => JSON.parse(text) as WireEvent;

function synced<U extends TimedUpdate>(engine: BookEngine<U>, stream: Stream): BookSync<U> {
  const sync = new BookSync(stream.futures ? 'futures' : 'spot', engine, false);
  sync.onReply(parseDepthReply(stream.replyText), stream.replyLimit);
  return sync;
}

/** The feed's own path: bytes, sequence rule, coverage, book, sums. */
export const ours: Side = {
  name: 'ours',
  label: 'n8n-nodes-orderflow',
  input: 'frames',
  most: Infinity,
  start(stream) {
    const reader = new FrameReader(stream.futures);
    const sync = synced(fastEngine, stream);
    const sums = emptyTopSums();
    const answer: Answer = { bids: 0, asks: 0 };
    return {
      answer,
      events(from, to) {
        for (let i = from; i < to; i++) {
          const message = reader.read(stream.frames[i]);
          if (message.kind !== 'depth') throw new Error(`event ${i} is no depth update`);
          sync.onUpdate(message.update);
          sync.trustedSums(TOP, sums);
          answer.bids = sums.bidNotional;
          answer.asks = sums.askNotional;
        }
      },
      final: () => sync.book?.top(Infinity) ?? EMPTY,
    };
  },
};

/** The reference: JSON.parse, every value checked, levels as exact text in sorted arrays. */
export const plain: Side = {
  name: 'plain',
  label: 'the plain path, our reference',
  input: 'texts',
  most: 4_000,
  start(stream) {
    const sync = synced(plainEngine, stream);
    const sums = emptyTopSums();
    const answer: Answer = { bids: 0, asks: 0 };
    return {
      answer,
      events(from, to) {
        for (let i = from; i < to; i++) {
          const message = parseFrame(stream.texts[i], stream.futures);
          if (message.kind !== 'depth') throw new Error(`event ${i} is no depth update`);
          sync.onUpdate(message.update);
          sync.trustedSums(TOP, sums);
          answer.bids = sums.bidNotional;
          answer.asks = sums.askNotional;
        }
      },
      final: () => sync.book?.top(Infinity) ?? EMPTY,
    };
  },
};

/** The measure of all: what it costs to make objects of a frame, and nothing else. */
export const jsonParse: Side = {
  name: 'jsonParse',
  label: 'JSON.parse alone, no book',
  input: 'texts',
  most: Infinity,
  start(stream) {
    const answer: Answer = { bids: 0, asks: 0 };
    return {
      answer,
      events(from, to) {
        let levels = 0;
        for (let i = from; i < to; i++) levels += parse(stream.texts[i]).b.length;
        answer.bids = levels;
      },
      final: () => EMPTY,
    };
  },
};

interface Tree {
  set(key: number, value: number): boolean;
  delete(key: number): boolean;
  entries(): IterableIterator<[number, number]>;
  entriesReversed(): IterableIterator<[number, number]>;
}

/** A sorted tree of numbers, as one would assemble it by hand. */
export const sortedBtree: Side = {
  name: 'sortedBtree',
  label: 'sorted-btree, assembled by hand',
  input: 'texts',
  most: Infinity,
  start(stream) {
    const { default: BTree } = peer<{ default: new () => Tree }>('sorted-btree');
    const bids = new BTree();
    const asks = new BTree();
    const answer: Answer = { bids: 0, asks: 0 };
    const set = (tree: Tree, levels: WireEvent['b']) => {
      for (const [price, quantity] of levels) {
        const amount = Number(quantity);
        if (amount === 0) tree.delete(Number(price));
        else tree.set(Number(price), amount);
      }
    };
    const sum = (entries: IterableIterator<[number, number]>) => {
      let total = 0;
      let count = 0;
      for (const [price, quantity] of entries) {
        total += price * quantity;
        if (++count === TOP) break;
      }
      return total;
    };
    const reply = parseDepthReply(stream.replyText);
    set(bids, reply.bids as WireEvent['b']);
    set(asks, reply.asks as WireEvent['b']);
    return {
      answer,
      events(from, to) {
        for (let i = from; i < to; i++) {
          const event = parse(stream.texts[i]);
          set(bids, event.b);
          set(asks, event.a);
          answer.bids = sum(bids.entriesReversed());
          answer.asks = sum(asks.entries());
        }
      },
      final: () => ({ bids: bids.entriesReversed(), asks: asks.entries() }),
    };
  },
};

interface TardisLevel {
  readonly price: number;
  readonly amount: number;
}
interface TardisBook {
  update(change: { isSnapshot: boolean; bids: TardisLevel[]; asks: TardisLevel[] }): void;
  bids(): IterableIterator<TardisLevel>;
  asks(): IterableIterator<TardisLevel>;
}

export const tardis: Side = {
  name: 'tardis',
  label: 'tardis-dev OrderBook',
  input: 'texts',
  most: Infinity,
  start(stream) {
    const { OrderBook } = peer<{ OrderBook: new () => TardisBook }>('tardis-dev/dist/orderbook.js');
    const book = new OrderBook();
    const answer: Answer = { bids: 0, asks: 0 };
    const levels = (wire: WireEvent['b']) =>
      wire.map(([price, quantity]) => ({ price: Number(price), amount: Number(quantity) }));
    const sum = (side: IterableIterator<TardisLevel>) => {
      let total = 0;
      let count = 0;
      for (const { price, amount } of side) {
        total += price * amount;
        if (++count === TOP) break;
      }
      return total;
    };
    const reply = parseDepthReply(stream.replyText);
    book.update({
      isSnapshot: true,
      bids: levels(reply.bids as WireEvent['b']),
      asks: levels(reply.asks as WireEvent['b']),
    });
    return {
      answer,
      events(from, to) {
        for (let i = from; i < to; i++) {
          const event = parse(stream.texts[i]);
          book.update({ isSnapshot: false, bids: levels(event.b), asks: levels(event.a) });
          answer.bids = sum(book.bids());
          answer.asks = sum(book.asks());
        }
      },
      final: () => ({
        bids: [...book.bids()].map(({ price, amount }): [number, number] => [price, amount]),
        asks: [...book.asks()].map(({ price, amount }): [number, number] => [price, amount]),
      }),
    };
  },
};

interface CcxtBook {
  bids: CcxtSide;
  asks: CcxtSide;
  limit(): void;
}
interface CcxtSide extends Array<[number, number]> {
  storeArray(delta: [number, number]): void;
}

async function ccxt(name: string, label: string, depth: number | undefined, most: number): Promise<Side> {
  const { OrderBook } = await peerFile<{
    OrderBook: new (snapshot: object, depth?: number) => CcxtBook;
  }>('ccxt/js/src/base/ws/OrderBook.js');
  return {
    name,
    label,
    input: 'texts',
    most,
    start(stream) {
      const reply = parseDepthReply(stream.replyText);
      const numbers = (levels: readonly (readonly [string, string])[]) =>
        levels.map(([price, quantity]): [number, number] => [Number(price), Number(quantity)]);
      const book = new OrderBook({ bids: numbers(reply.bids), asks: numbers(reply.asks) }, depth);
      const answer: Answer = { bids: 0, asks: 0 };
      const set = (side: CcxtSide, levels: WireEvent['b']) => {
        for (const [price, quantity] of levels) side.storeArray([Number(price), Number(quantity)]);
      };
      const sum = (side: CcxtSide) => {
        let total = 0;
        for (let i = 0; i < TOP && i < side.length; i++) total += side[i][0] * side[i][1];
        return total;
      };
      return {
        answer,
        events(from, to) {
          for (let i = from; i < to; i++) {
            const event = parse(stream.texts[i]);
            set(book.bids, event.b);
            set(book.asks, event.a);
            book.limit();
            answer.bids = sum(book.bids);
            answer.asks = sum(book.asks);
          }
        },
        final: () => ({ bids: [...book.bids], asks: [...book.asks] }),
      };
    },
  };
}

type StoredLevel = [symbol: string, price: number, side: 'Buy' | 'Sell', quantity: number];
interface StoredBook {
  readonly book: StoredLevel[];
  handleSnapshot(levels: StoredLevel[]): void;
  handleDelta(deletes: StoredLevel[], upserts: StoredLevel[]): void;
}

export const orderbooks: Side = {
  name: 'orderbooks',
  label: 'orderbooks, all levels',
  input: 'texts',
  most: 400,
  start(stream) {
    const { OrderBook } = peer<{
      OrderBook: new (symbol: string, options: { maxDepth: number }) => StoredBook;
    }>('orderbooks');
    const store = new OrderBook(stream.symbol, { maxDepth: 1_000_000 });
    const answer: Answer = { bids: 0, asks: 0 };
    const level = (side: 'Buy' | 'Sell', [price, quantity]: readonly [string, string]): StoredLevel => [
      stream.symbol,
      Number(price),
      side,
      Number(quantity),
    ];
    const reply = parseDepthReply(stream.replyText);
    store.handleSnapshot([
      ...reply.asks.map((entry) => level('Sell', entry)),
      ...reply.bids.map((entry) => level('Buy', entry)),
    ]);
    return {
      answer,
      events(from, to) {
        for (let i = from; i < to; i++) {
          const event = parse(stream.texts[i]);
          const levels = [
            ...event.b.map((entry) => level('Buy', entry)),
            ...event.a.map((entry) => level('Sell', entry)),
          ];
          store.handleDelta(
            levels.filter((entry) => entry[3] === 0),
            levels.filter((entry) => entry[3] !== 0),
          );
          // One list for both sides, the highest price first.
          const firstBid = store.book.findIndex((entry) => entry[2] === 'Buy');
          let bids = 0;
          let asks = 0;
          for (let at = firstBid; at < firstBid + TOP; at++) bids += store.book[at][1] * store.book[at][3];
          for (let at = firstBid - 1; at >= firstBid - TOP; at--)
            asks += store.book[at][1] * store.book[at][3];
          answer.bids = bids;
          answer.asks = asks;
        }
      },
      final: () => {
        const of = (side: 'Buy' | 'Sell') =>
          store.book
            .filter((entry) => entry[2] === side)
            .map((entry): [number, number] => [entry[1], entry[3]]);
        return { bids: of('Buy'), asks: of('Sell').reverse() };
      },
    };
  },
};

type Cache = Record<string, number>;
interface BinanceClient {
  depthCache: Record<string, { bids: Cache; asks: Cache }>;
  depthCacheContext: Record<string, { snapshotUpdateId: number; lastEventUpdateId?: number }>;
  depthHandler(event: WireEvent): void;
  sortBids(symbol: string, max: number): Cache;
  sortAsks(symbol: string, max: number): Cache;
}

export const nodeBinanceApi: Side = {
  name: 'nodeBinanceApi',
  label: "node-binance-api's cache with its sort",
  input: 'texts',
  most: 400,
  start(stream) {
    const module = peer<{ default?: new () => BinanceClient } & (new () => BinanceClient)>(
      'node-binance-api',
    );
    const client = new (module.default ?? module)();
    const reply = parseDepthReply(stream.replyText);
    const cache = (levels: readonly (readonly [string, string])[]): Cache =>
      Object.fromEntries(levels.map(([price, quantity]) => [asSent(price), Number(quantity)]));
    // Its keys are the texts of the wire, which end in zeros on spot.
    const decimals = /"bids":\[\["\d+\.?(\d*)/.exec(stream.replyText)?.[1].length ?? 0;
    const asSent = (price: string) => Number(price).toFixed(decimals);
    client.depthCache[stream.symbol] = { bids: cache(reply.bids), asks: cache(reply.asks) };
    client.depthCacheContext[stream.symbol] = { snapshotUpdateId: reply.lastUpdateId };
    const answer: Answer = { bids: 0, asks: 0 };
    const numbersOf = (levels: Cache) =>
      Object.entries(levels).map(([price, quantity]): [number, number] => [Number(price), quantity]);
    const sum = (levels: Cache) =>
      Object.entries(levels).reduce((total, [price, quantity]) => total + Number(price) * quantity, 0);
    return {
      answer,
      events(from, to) {
        for (let i = from; i < to; i++) {
          client.depthHandler(parse(stream.texts[i]));
          answer.bids = sum(client.sortBids(stream.symbol, TOP));
          answer.asks = sum(client.sortAsks(stream.symbol, TOP));
        }
      },
      final: () => ({
        bids: numbersOf(client.sortBids(stream.symbol, Infinity)),
        asks: numbersOf(client.sortAsks(stream.symbol, Infinity)),
      }),
    };
  },
};

/** Every book that is not ours, with the versions that are timed. */
export async function peers(): Promise<Side[]> {
  const named = (side: Side, name: string): Side => ({
    ...side,
    label: `${side.label} (${peerVersion(name)})`,
  });
  return [
    named(sortedBtree, 'sorted-btree'),
    named(tardis, 'tardis-dev'),
    named(await ccxt('ccxt1000', 'ccxt pro, 1 000 levels', 1_000, 20_000), 'ccxt'),
    named(await ccxt('ccxtAll', 'ccxt pro, all levels', undefined, 5_000), 'ccxt'),
    named(orderbooks, 'orderbooks'),
    named(nodeBinanceApi, 'node-binance-api'),
  ];
}
