import { parseDepthReply } from '../../src/binance/wire/jsonReader';
import { peer, peerFile, peerVersion } from '../lib/peers';
import { emptyAnswer, TOP, type Answer, type Book, type Side } from './sides';
import type { Stream } from './stream';

/** A level as the wire has it. */
type WireLevel = readonly [price: string, quantity: string];

interface WireEvent {
  readonly b: readonly WireLevel[];
  readonly a: readonly WireLevel[];
  readonly U: number;
  readonly u: number;
}

interface Reply {
  readonly lastUpdateId: number;
  readonly bids: readonly WireLevel[];
  readonly asks: readonly WireLevel[];
}

/** A peer's book, driven as its own documentation shows. */
interface PeerBook {
  set(event: WireEvent): void;
  read(answer: Answer): void;
  final(): Book;
}

interface PeerSide extends Pick<Side, 'name' | 'label' | 'most'> {
  /** True where it keeps the best levels only. */
  readonly limited?: boolean;
  open(reply: Reply, stream: Stream): PeerBook;
}

function side({ name, label, most, limited, open }: PeerSide, packageName: string): Side {
  return {
    name,
    label: `${label} (${peerVersion(packageName)})`,
    input: 'texts',
    most,
    holds: limited ? 'its best levels' : 'every level',
    start(stream) {
      const book = open(parseDepthReply(stream.replyText), stream);
      const answer = emptyAnswer();
      return {
        answer,
        events({ texts }, from, to) {
          for (let i = from; i < to; i++) {
            book.set(JSON.parse(texts[i]) as WireEvent);
            book.read(answer);
          }
        },
        final: () => book.final(),
      };
    },
  };
}

const numbers = (levels: readonly WireLevel[]) =>
  levels.map(([price, quantity]): [number, number] => [Number(price), Number(quantity)]);

interface Tree {
  set(key: number, value: number): boolean;
  delete(key: number): boolean;
  entries(): IterableIterator<[number, number]>;
  entriesReversed(): IterableIterator<[number, number]>;
}

/** A sorted tree of numbers, as one would assemble it by hand. */
const sortedBtree: PeerSide = {
  name: 'sortedBtree',
  label: 'sorted-btree, assembled by hand',
  most: 50_000,
  open(reply) {
    const { default: BTree } = peer<{ default: new () => Tree }>('sorted-btree');
    const bids = new BTree();
    const asks = new BTree();
    const set = (tree: Tree, levels: readonly WireLevel[]) => {
      for (const [price, quantity] of levels) {
        const amount = Number(quantity);
        if (amount === 0) tree.delete(Number(price));
        else tree.set(Number(price), amount);
      }
    };
    let best = NaN;
    const sum = (entries: IterableIterator<[number, number]>) => {
      let total = 0;
      let count = 0;
      for (const [price, quantity] of entries) {
        if (count === 0) best = price;
        total += price * quantity;
        if (++count === TOP) break;
      }
      return total;
    };
    set(bids, reply.bids);
    set(asks, reply.asks);
    return {
      set(event) {
        set(bids, event.b);
        set(asks, event.a);
      },
      read(answer) {
        answer.bids = sum(bids.entriesReversed());
        answer.bestBid = best;
        answer.asks = sum(asks.entries());
        answer.bestAsk = best;
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

const tardis: PeerSide = {
  name: 'tardis',
  label: 'tardis-dev OrderBook',
  most: 50_000,
  open(reply) {
    const { OrderBook } = peer<{ OrderBook: new () => TardisBook }>('tardis-dev/dist/orderbook.js');
    const book = new OrderBook();
    const levels = (wire: readonly WireLevel[]) =>
      wire.map(([price, quantity]) => ({ price: Number(price), amount: Number(quantity) }));
    let best = NaN;
    const sum = (entries: IterableIterator<TardisLevel>) => {
      let total = 0;
      let count = 0;
      for (const { price, amount } of entries) {
        if (count === 0) best = price;
        total += price * amount;
        if (++count === TOP) break;
      }
      return total;
    };
    const pairs = (entries: IterableIterator<TardisLevel>) =>
      [...entries].map(({ price, amount }): [number, number] => [price, amount]);
    book.update({ isSnapshot: true, bids: levels(reply.bids), asks: levels(reply.asks) });
    return {
      set: (event) => book.update({ isSnapshot: false, bids: levels(event.b), asks: levels(event.a) }),
      read(answer) {
        answer.bids = sum(book.bids());
        answer.bestBid = best;
        answer.asks = sum(book.asks());
        answer.bestAsk = best;
      },
      final: () => ({ bids: pairs(book.bids()), asks: pairs(book.asks()) }),
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

/** @param depth levels a side that it keeps; undefined = all */
async function ccxt(name: string, label: string, depth: number | undefined, most: number): Promise<PeerSide> {
  const { OrderBook } = await peerFile<{
    OrderBook: new (snapshot: object, depth?: number) => CcxtBook;
  }>('ccxt/js/src/base/ws/OrderBook.js');
  const set = (levels: CcxtSide, changes: readonly WireLevel[]) => {
    for (const [price, quantity] of changes) levels.storeArray([Number(price), Number(quantity)]);
  };
  const sum = (levels: CcxtSide) => {
    let total = 0;
    for (let i = 0; i < TOP && i < levels.length; i++) total += levels[i][0] * levels[i][1];
    return total;
  };
  return {
    name,
    label,
    most,
    limited: depth !== undefined,
    open(reply) {
      const book = new OrderBook({ bids: numbers(reply.bids), asks: numbers(reply.asks) }, depth);
      return {
        set(event) {
          set(book.bids, event.b);
          set(book.asks, event.a);
          book.limit();
        },
        read(answer) {
          answer.bids = sum(book.bids);
          answer.asks = sum(book.asks);
          answer.bestBid = book.bids[0]?.[0] ?? NaN;
          answer.bestAsk = book.asks[0]?.[0] ?? NaN;
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

const orderbooks: PeerSide = {
  name: 'orderbooks',
  label: 'orderbooks, all levels',
  most: 400,
  open(reply, { symbol }) {
    const { OrderBook } = peer<{
      OrderBook: new (symbol: string, options: { maxDepth: number }) => StoredBook;
    }>('orderbooks');
    const store = new OrderBook(symbol, { maxDepth: 1_000_000 });
    const of = (which: 'Buy' | 'Sell', levels: readonly WireLevel[]) =>
      levels.map(([price, quantity]): StoredLevel => [symbol, Number(price), which, Number(quantity)]);
    const stored = (which: 'Buy' | 'Sell') =>
      store.book.filter((level) => level[2] === which).map((level): [number, number] => [level[1], level[3]]);
    store.handleSnapshot([...of('Sell', reply.asks), ...of('Buy', reply.bids)]);
    return {
      set(event) {
        const levels = [...of('Buy', event.b), ...of('Sell', event.a)];
        store.handleDelta(
          levels.filter((level) => level[3] === 0),
          levels.filter((level) => level[3] !== 0),
        );
      },
      read(answer) {
        // One list for both sides, the highest price first.
        const { book } = store;
        const found = book.findIndex((level) => level[2] === 'Buy');
        const firstBid = found < 0 ? book.length : found;
        let bids = 0;
        let asks = 0;
        const lastBid = Math.min(firstBid + TOP, book.length);
        const lastAsk = Math.max(firstBid - TOP, 0);
        for (let at = firstBid; at < lastBid; at++) bids += book[at][1] * book[at][3];
        for (let at = firstBid - 1; at >= lastAsk; at--) asks += book[at][1] * book[at][3];
        answer.bids = bids;
        answer.asks = asks;
        answer.bestBid = book[firstBid]?.[1] ?? NaN;
        answer.bestAsk = book[firstBid - 1]?.[1] ?? NaN;
      },
      final: () => ({ bids: stored('Buy'), asks: stored('Sell').reverse() }),
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

const nodeBinanceApi: PeerSide = {
  name: 'nodeBinanceApi',
  label: "node-binance-api's cache with its sort",
  most: 400,
  open(reply, { symbol, replyText }) {
    const module = peer<{ default?: new () => BinanceClient } & (new () => BinanceClient)>(
      'node-binance-api',
    );
    const client = new (module.default ?? module)();
    // Its keys are the texts of the wire, which end in zeros on spot.
    const decimals = /"bids":\[\["\d+\.?(\d*)/.exec(replyText)?.[1].length ?? 0;
    const cache = (levels: readonly WireLevel[]): Cache =>
      Object.fromEntries(
        levels.map(([price, quantity]) => [Number(price).toFixed(decimals), Number(quantity)]),
      );
    client.depthCache[symbol] = { bids: cache(reply.bids), asks: cache(reply.asks) };
    client.depthCacheContext[symbol] = { snapshotUpdateId: reply.lastUpdateId };
    const pairs = (levels: Cache) =>
      Object.entries(levels).map(([price, quantity]): [number, number] => [Number(price), quantity]);
    let best = NaN;
    const sum = (levels: Cache) => {
      let total = 0;
      best = NaN;
      for (const [price, quantity] of Object.entries(levels)) {
        if (Number.isNaN(best)) best = Number(price);
        total += Number(price) * quantity;
      }
      return total;
    };
    return {
      set: (event) => client.depthHandler(event),
      read(answer) {
        answer.bids = sum(client.sortBids(symbol, TOP));
        answer.bestBid = best;
        answer.asks = sum(client.sortAsks(symbol, TOP));
        answer.bestAsk = best;
      },
      final: () => ({
        bids: pairs(client.sortBids(symbol, Infinity)),
        asks: pairs(client.sortAsks(symbol, Infinity)),
      }),
    };
  },
};

/** Every book that is not ours. */
export async function peerSides(): Promise<Side[]> {
  return [
    side(sortedBtree, 'sorted-btree'),
    side(tardis, 'tardis-dev'),
    side(await ccxt('ccxt1000', 'ccxt pro, 1 000 levels', 1_000, 20_000), 'ccxt'),
    side(await ccxt('ccxtAll', 'ccxt pro, all levels', undefined, 5_000), 'ccxt'),
    side(orderbooks, 'orderbooks'),
    side(nodeBinanceApi, 'node-binance-api'),
  ];
}
