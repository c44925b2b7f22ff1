import fc from 'fast-check';
import { plainEngine } from '../../../src/book/plainBook';
import { BookSync, MAX_LEVELS_PER_SIDE, PRUNE_EVERY_UPDATES } from '../../../src/book/bookSync';
import { compareDecimals } from '../../../src/book/decimal';
import { MAX_BUFFERED_UPDATES } from '../../../src/book/replyBuffer';
import { FUTURES_RULE, SPOT_RULE } from '../../../src/binance/sequenceRule';
import {
  emptyRangeSums,
  emptyTopSums,
  type DepthReply,
  type DepthUpdate,
  type Level,
} from '../../../src/book/types';
import { runs } from '../../support/runs';

const RULES = { spot: SPOT_RULE, futures: FUTURES_RULE };

/**
 * An exchange as simple as can be: a map of levels a side and the book at every id that ever was. It shares no code with
 * what it judges. Bids live at 1…49, asks at 51…99, so that it is never crossed.
 */
class TinyExchange {
  private readonly sides = { bids: new Map<number, number>(), asks: new Map<number, number>() };
  readonly past = new Map<number, { bids: [string, string][]; asks: [string, string][] }>();
  private changes: { side: 'bids' | 'asks'; price: number; quantity: number }[] = [];
  private firstId = 0;
  private previousFinal: number;
  private time = 1_000;

  constructor(
    readonly rule: keyof typeof RULES,
    public id: number,
  ) {
    this.previousFinal = id;
    for (let price = 40; price < 50; price++) this.sides.bids.set(price, price);
    for (let price = 51; price < 61; price++) this.sides.asks.set(price, price);
    this.remember();
  }

  change(side: 'bids' | 'asks', offset: number, quantity: number): void {
    const price = side === 'bids' ? 1 + (offset % 49) : 51 + (offset % 49);
    this.id += this.rule === 'spot' ? 1 : 1 + (offset % 3);
    if (this.changes.length === 0) this.firstId = this.id;
    if (quantity === 0) this.sides[side].delete(price);
    else this.sides[side].set(price, quantity);
    this.changes.push({ side, price, quantity });
    this.remember();
  }

  /** What changed since the last event; null where nothing did. */
  event(): DepthUpdate | null {
    if (this.changes.length === 0) return null;
    const last = (side: 'bids' | 'asks'): Level[] => [
      ...new Map(
        this.changes
          .filter((change) => change.side === side)
          .map((change) => [String(change.price), String(change.quantity)] as const),
      ),
    ];
    const update: DepthUpdate = {
      symbol: 'X',
      firstUpdateId: this.firstId,
      finalUpdateId: this.id,
      previousFinalUpdateId: this.rule === 'futures' ? this.previousFinal : null,
      eventTimeMs: (this.time += 100),
      bids: last('bids'),
      asks: last('asks'),
    };
    this.previousFinal = this.id;
    this.changes = [];
    return update;
  }

  reply(id: number, limit: number): DepthReply {
    const { bids, asks } = this.past.get(id) as { bids: Level[]; asks: Level[] };
    return { lastUpdateId: id, bids: bids.slice(0, limit), asks: asks.slice(0, limit), eventTimeMs: null };
  }

  private remember(): void {
    const texts = (side: Map<number, number>, sign: number) =>
      [...side]
        .sort(([a], [b]) => (a - b) * sign)
        .map(([price, quantity]): [string, string] => [String(price), String(quantity)]);
    this.past.set(this.id, { bids: texts(this.sides.bids, -1), asks: texts(this.sides.asks, 1) });
  }
}

/** Two consecutive events as one. */
function merged(a: DepthUpdate, b: DepthUpdate): DepthUpdate {
  const both = (side: 'bids' | 'asks') => [...new Map([...a[side], ...b[side]])];
  return {
    ...b,
    firstUpdateId: a.firstUpdateId,
    previousFinalUpdateId: a.previousFinalUpdateId,
    bids: both('bids'),
    asks: both('asks'),
  };
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      bid: fc.boolean(),
      offset: fc.nat(200),
      quantity: fc.nat(3),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('event', 'drop', 'twice', 'hold', 'merge', 'again', 'event', 'event', 'event'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('reply' as const),
      back: fc.constantFrom(0, 0, 0, 1, 2, 5, 30),
      limit: fc.constantFrom(5, 8, 100),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('reset', 'refresh', 'cancel') }) },
);

const update = (U: number, u: number, over: Partial<DepthUpdate> = {}): DepthUpdate => ({
  ...{ symbol: 'X', firstUpdateId: U, finalUpdateId: u, previousFinalUpdateId: null, eventTimeMs: u },
  ...{ bids: [], asks: [] },
  ...over,
});
const reply = (lastUpdateId: number, over: Partial<DepthReply> = {}): DepthReply => ({
  ...{ lastUpdateId, bids: [['10', '1']], asks: [['11', '1']], eventTimeMs: null },
  ...over,
});

describe('each step of the rule', () => {
  const start = () => new BookSync<DepthUpdate>(SPOT_RULE, plainEngine);

  test('what can be known of it at each stage', () => {
    const sync = start();
    const known = () => [sync.coverage, sync.eventTimeMs, sync.awaitingFirst, sync.refreshing];
    expect(known()).toEqual([null, null, true, false]);
    sync.onReply(reply(10, { eventTimeMs: 990 }), 1);
    const coverage = { lowestBid: '10', highestAsk: '11' };
    expect(known()).toEqual([coverage, 990, true, false]);
    sync.onUpdate(update(11, 11, { eventTimeMs: 1_000 }));
    expect(known()).toEqual([coverage, 1_000, false, false]);
    sync.beginRefresh();
    expect(known()).toEqual([coverage, 1_000, false, true]);
    sync.onReply(reply(11), 100);
    expect(known()).toEqual([{ lowestBid: null, highestAsk: null }, null, true, false]);
    sync.onUpdate(update(14, 14));
    expect(known()).toEqual([null, null, true, false]);
  });

  test('a refresh that is called off takes no reply; before the first book there is none to call off', () => {
    const sync = start();
    sync.onUpdate(update(11, 12));
    sync.cancelRefresh();
    expect(sync.onReply(reply(10), 100)).toBe('live');
    expect(sync.book?.lastUpdateId).toBe(12);
    sync.beginRefresh();
    sync.cancelRefresh();
    expect(sync.refreshing).toBe(false);
    expect(sync.onReply(reply(12), 100)).toBe('unexpected');
  });

  test('a reply older than the buffer is asked again, and the buffer is kept', () => {
    const sync = start();
    expect(sync.onUpdate(update(100, 105))).toBe('buffered');
    expect(sync.onUpdate(update(106, 110, { bids: [['9', '4']] }))).toBe('buffered');
    for (let i = 0; i < 5; i++) expect(sync.onReply(reply(98), 100)).toBe('reply-too-old');
    expect(sync.trustedTop(5)).toBeNull();
    expect(sync.onReply(reply(105), 100)).toBe('live');
    expect(sync.trustedTop(5)).toMatchObject({
      lastUpdateId: 110,
      bids: [
        ['10', '1'],
        ['9', '4'],
      ],
    });
  });

  test('nothing can be read after a gap until a reply is joined, and the update that showed it is kept', () => {
    const sync = start();
    sync.onReply(reply(10), 100);
    expect(sync.onUpdate(update(11, 12))).toBe('applied');
    expect(sync.onUpdate(update(14, 15, { bids: [['9', '7']] }))).toBe('gap');
    expect(sync.book).toBeNull();
    expect(sync.trustedTop(1)).toBeNull();
    expect(sync.trustedSums(1, emptyTopSums())).toBe(false);
    expect(sync.headroom(1)).toBe(0);
    expect(sync.onReply(reply(13), 100)).toBe('live');
    expect(sync.trustedTop(5)?.bids).toEqual([
      ['10', '1'],
      ['9', '7'],
    ]);
  });

  test('a gap inside the buffer beyond the reply: what came before it is dropped', () => {
    const sync = start();
    sync.onUpdate(update(11, 12));
    sync.onUpdate(update(15, 16));
    expect(sync.onReply(reply(11), 100)).toBe('gap');
    expect(sync.onReply(reply(11), 100)).toBe('reply-too-old');
    expect(sync.onReply(reply(12), 100)).toBe('reply-too-old');
    expect(sync.onReply(reply(14), 100)).toBe('live');
  });

  test('crossed: by an update, by a reply, and by the buffer; locked is no fault', () => {
    const sync = start();
    expect(sync.onReply(reply(10, { bids: [['12', '1']] }), 100)).toBe('crossed');
    expect(sync.onReply(reply(10), 100)).toBe('live');
    expect(sync.onUpdate(update(11, 11, { bids: [['11', '1']] }))).toBe('applied');
    expect(sync.onUpdate(update(12, 12, { bids: [['11.5', '1']] }))).toBe('crossed');
    expect(sync.book).toBeNull();
    expect(sync.onReply(reply(11), 100)).toBe('crossed');
  });

  test('ids that go backwards while time goes on begin a new count; a repetition does not', () => {
    const sync = start();
    sync.onReply(reply(10), 100);
    sync.onUpdate(update(11, 20, { eventTimeMs: 1_000 }));
    expect(sync.onUpdate(update(11, 20, { eventTimeMs: 1_000 }))).toBe('ignored');
    expect(sync.onUpdate(update(11, 20, { eventTimeMs: 1_003 }))).toBe('ignored');
    expect(sync.onUpdate(update(11, 15, { eventTimeMs: 900 }))).toBe('ignored');
    expect(sync.onUpdate(update(11, 15, { eventTimeMs: 1_000 }))).toBe('ignored');
    expect(sync.onUpdate(update(1, 2, { eventTimeMs: 1_100 }))).toBe('ids-reset');
    expect(sync.book).toBeNull();
    expect(sync.onReply(reply(1), 100)).toBe('live');
  });

  test('ids that go backwards right after a refresh are seen by the updates before it', () => {
    const refreshedAt = (time: number) => {
      const sync = start();
      sync.onReply(reply(10), 100);
      sync.onUpdate(update(11, 20, { eventTimeMs: time }));
      sync.beginRefresh();
      expect(sync.onReply(reply(25), 100)).toBe('refreshed');
      expect(sync.awaitingFirst).toBe(true);
      return sync;
    };
    const sync = refreshedAt(1_000);
    // On their way when the reply was made, or once more.
    expect(sync.onUpdate(update(21, 24, { eventTimeMs: 1_100 }))).toBe('ignored');
    expect(sync.onUpdate(update(11, 20, { eventTimeMs: 1_003 }))).toBe('ignored');
    expect(sync.onUpdate(update(11, 15, { eventTimeMs: 1_000 }))).toBe('ignored');
    // Another refresh before any update was joined changes nothing of that.
    sync.beginRefresh();
    expect(sync.onReply(reply(26), 100)).toBe('refreshed');
    expect(sync.onUpdate(update(1, 2, { eventTimeMs: 1_200 }))).toBe('ids-reset');
    expect(sync.book).toBeNull();
    expect(sync.onReply(reply(2), 100)).toBe('live');
    // A first reply has no update before it: what is older may be on its way for long.
    expect(sync.onUpdate(update(1, 1, { eventTimeMs: 1_300 }))).toBe('ignored');
  });

  test('a refresh replaces the live book without a pause; a stale one leaves it alone', () => {
    const sync = start();
    sync.onReply(
      reply(10, {
        bids: [
          ['10', '1'],
          ['9', '1'],
        ],
      }),
      2,
    );
    expect(sync.coverage).toEqual({ lowestBid: '9', highestAsk: null });
    sync.onUpdate(update(11, 11));
    expect(sync.onReply(reply(12), 100)).toBe('unexpected');
    sync.beginRefresh();
    expect(sync.refreshing).toBe(true);
    sync.onUpdate(update(12, 13, { asks: [['12', '5']] }));
    expect(sync.onReply(reply(9), 100)).toBe('reply-too-old');
    expect(sync.book?.lastUpdateId).toBe(13);
    expect(
      sync.onReply(
        reply(12, {
          bids: [
            ['10', '1'],
            ['9', '1'],
            ['8', '1'],
          ],
        }),
        100,
      ),
    ).toBe('refreshed');
    expect(sync.coverage).toEqual({ lowestBid: null, highestAsk: null });
    expect(sync.trustedTop(5)).toMatchObject({
      lastUpdateId: 13,
      asks: [
        ['11', '1'],
        ['12', '5'],
      ],
    });
    sync.beginRefresh();
    expect(sync.onReply(reply(13, { bids: [['10', '2']] }), 100)).toBe('refreshed-different');
  });

  const level = (price: number | string, quantity = '1'): Level => [String(price), quantity];

  test.each([
    ['a price', { bids: [level(10), level(9.5), level(8)], asks: [level(11), level(12)] }],
    ['a quantity', { bids: [level(10), level(9), level(8)], asks: [level(11), level(12, '2')] }],
    ['the best bid', { bids: [level(10, '3'), level(9), level(8)], asks: [level(11), level(12)] }],
  ])('a refresh tells that %s of the live book was another', (_what, fresh) => {
    const sync = start();
    sync.onReply(reply(10, { bids: [level(10), level(9), level(8)], asks: [level(11), level(12)] }), 100);
    sync.beginRefresh();
    expect(sync.onReply(reply(10, fresh), 100)).toBe('refreshed-different');
  });

  test.each([
    ['live', 2, 100],
    ['fresh', 100, 2],
  ])(
    'a refresh is compared as far as both books are known, here the %s one less far',
    (_which, old, fresh) => {
      const truth = { bids: [level(10), level(9), level(8)], asks: [level(11), level(12), level(13)] };
      const upTo = (limit: number) => ({
        bids: truth.bids.slice(0, limit),
        asks: truth.asks.slice(0, limit),
      });
      const further = update(11, 11, { bids: [level(7)], asks: [level(14)] });
      for (const side of ['bids', 'asks'] as const) {
        const sync = start();
        sync.onReply(reply(10, upTo(old)), old);
        sync.beginRefresh();
        sync.onUpdate({ ...further, [side]: [] });
        expect(sync.onReply(reply(10, upTo(fresh)), fresh)).toBe('refreshed');
      }
    },
  );

  test('a refresh by a reply behind the live book is refused, also where nothing was buffered', () => {
    const sync = start();
    sync.onReply(reply(10), 100);
    sync.onUpdate(update(11, 11));
    sync.beginRefresh();
    expect(sync.onReply(reply(10), 100)).toBe('reply-too-old');
    expect(sync.book?.lastUpdateId).toBe(11);
    expect(sync.refreshing).toBe(true);
  });

  test('a refresh ahead of the live book is not compared with it: other ids, other levels', () => {
    const sync = start();
    sync.onReply(reply(10), 100);
    sync.onUpdate(update(11, 11));
    sync.beginRefresh();
    expect(sync.onReply(reply(15, { bids: [['9', '3']] }), 100)).toBe('refreshed');
    expect(sync.book?.lastUpdateId).toBe(15);
  });

  test('ids that start over while a reply is waited for: what was buffered before is dropped', () => {
    const sync = start();
    sync.onUpdate(update(90, 100, { eventTimeMs: 1_000 }));
    sync.onUpdate(update(5, 6, { eventTimeMs: 1_100 }));
    expect(sync.onReply(reply(4), 100)).toBe('live');
    expect(sync.book?.lastUpdateId).toBe(6);
  });

  test.each([900, 1_000])(
    'an update that only came late is no new count: what was buffered before it stays (sent at %d)',
    (eventTimeMs) => {
      const sync = start();
      sync.onUpdate(update(11, 12, { eventTimeMs: 1_000 }));
      sync.onUpdate(update(9, 10, { eventTimeMs }));
      expect(sync.onReply(reply(10), 100)).toBe('live');
      expect(sync.book?.lastUpdateId).toBe(12);
    },
  );

  test('an update that came twice with two times is no new count either', () => {
    const sync = start();
    sync.onUpdate(update(11, 12, { eventTimeMs: 1_000 }));
    sync.onUpdate(update(13, 14, { eventTimeMs: 1_100 }));
    sync.onUpdate(update(13, 14, { eventTimeMs: 1_103 }));
    expect(sync.onReply(reply(10), 100)).toBe('live');
    expect(sync.book?.lastUpdateId).toBe(14);
  });

  test('sums are refused on either side that leaves the coverage', () => {
    const sides = {
      bids: [
        ['10', '1'],
        ['9', '1'],
      ],
      asks: [
        ['11', '1'],
        ['12', '1'],
      ],
    } as const;
    for (const gone of [{ bids: [['10', '0'] as const] }, { asks: [['11', '0'] as const] }]) {
      const sync = start();
      sync.onReply(reply(1, sides), 2);
      expect(sync.trustedSums(2, emptyTopSums())).toBe(true);
      sync.onUpdate(update(2, 2, gone));
      expect(sync.trustedSums(2, emptyTopSums())).toBe(false);
      expect(sync.trustedSums(1, emptyTopSums())).toBe(true);
    }
    for (const beyond of [{ bids: [level(10, '0'), level(8)] }, { asks: [level(11, '0'), level(13)] }]) {
      const sync = start();
      sync.onReply(reply(1, sides), 2);
      sync.onUpdate(update(2, 2, beyond));
      expect(sync.trustedSums(2, emptyTopSums())).toBe(false);
    }
  });

  test('a side that is known in part and has lost all its levels shows none', () => {
    const sync = start();
    sync.onReply(reply(1), 1);
    sync.onUpdate(update(2, 2, { bids: [level(10, '0')], asks: [level(11, '0')] }));
    expect(sync.trustedTop(5)).toEqual({ lastUpdateId: 2, bids: [], asks: [] });
  });

  test('sums within a range are those of known levels, or tell that they are not', () => {
    const sync = start();
    const sums = emptyRangeSums();
    expect(sync.trustedSumsWithin(9.5, 11.5, sums)).toBe('unclear');
    const bids = [level(10, '2'), level(9)];
    const asks = [level(11, '3'), level(12)];
    sync.onReply(reply(1, { bids, asks }), 2);
    expect(sync.trustedSumsWithin(9.5, 11.5, sums)).toBe('summed');
    expect(sums).toMatchObject({ bidNotional: 20, askNotional: 33, nextBid: 9, nextAsk: 12 });
    expect(sync.trustedSumsWithin(9, 11.5, sums)).toBe('unclear');
    expect(sync.trustedSumsWithin(8.5, 11.5, sums)).toBe('beyond');
    expect(sync.trustedSumsWithin(9.5, 12.5, sums)).toBe('beyond');
    sync.onUpdate(update(2, 2, { bids: [level(8)], asks: [level(13)] }));
    expect(sync.trustedSumsWithin(8.5, 11.5, sums)).toBe('beyond');
    expect(sync.trustedSumsWithin(9.5, 12.5, sums)).toBe('beyond');
    expect(sync.trustedSumsWithin(9.5, 11.5, sums)).toBe('summed');
    sync.beginRefresh();
    sync.onReply(reply(2, { bids, asks }), 100);
    expect(sync.trustedSumsWithin(8.5, 12.5, sums)).toBe('summed');
    expect(sync.trustedSumsWithin(1, 100, sums)).toBe('summed');
  });

  test('headroom shrinks as the best levels go, and says how near the edge is', () => {
    const sync = start();
    const bids = Array.from({ length: 10 }, (_, i): Level => [String(100 - i), '1']);
    const asks = Array.from({ length: 10 }, (_, i): Level => [String(101 + i), '1']);
    sync.onReply(reply(1, { bids, asks }), 10);
    expect(sync.headroom(2)).toBe(1);
    sync.onUpdate(update(2, 2, { bids: bids.slice(0, 4).map(([price]): Level => [price, '0']) }));
    expect(sync.headroom(2)).toBe(0.5);
    sync.onUpdate(update(3, 3, { bids: bids.slice(4, 9).map(([price]): Level => [price, '0']) }));
    expect(sync.headroom(2)).toBeLessThan(0);
    expect(sync.trustedTop(5)?.bids).toEqual([['91', '1']]);
    expect(sync.trustedSums(2, emptyTopSums())).toBe(false);
    expect(sync.trustedSums(1, emptyTopSums())).toBe(true);
    sync.beginRefresh();
    sync.onReply(reply(3), 10);
    expect(sync.headroom(5)).toBe(Infinity);
  });

  test('headroom is that of the side nearer to its edge', () => {
    const bids = Array.from({ length: 10 }, (_, i) => level(100 - i));
    const asks = Array.from({ length: 10 }, (_, i) => level(101 + i));
    const without = (levels: Level[], count: number) =>
      levels.slice(0, count).map(([price]) => level(price, '0'));
    for (const complete of [{}, { bids: bids.slice(0, 9) }]) {
      const sync = start();
      sync.onReply(reply(1, { bids, asks, ...complete }), 10);
      sync.onUpdate(update(2, 2, { bids: without(bids, 2), asks: without(asks, 4) }));
      expect(sync.headroom(2)).toBe(0.5);
    }
  });

  test('levels beyond the coverage are forgotten after a number of applied updates, unless all are to be kept', () => {
    const everything = new BookSync<DepthUpdate>(SPOT_RULE, plainEngine, false);
    const sync = start();
    const beyond = (id: number) => update(id, id, { bids: [level(`9.${id}1`)], asks: [level(`12.${id}1`)] });
    for (const one of [sync, everything]) one.onReply(reply(1), 1);
    let id = 1;
    for (let round = 0; round < 3; round++) {
      for (let i = 1; i < PRUNE_EVERY_UPDATES; i++)
        for (const one of [sync, everything]) one.onUpdate(beyond(id + i));
      id += PRUNE_EVERY_UPDATES;
      expect([sync.book?.bidCount, sync.book?.askCount]).toEqual([PRUNE_EVERY_UPDATES, PRUNE_EVERY_UPDATES]);
      for (const one of [sync, everything]) one.onUpdate(beyond(id));
      expect([sync.book?.bidCount, sync.book?.askCount]).toEqual([1, 1]);
    }
    expect([everything.book?.bidCount, everything.book?.askCount]).toEqual([id, id]);
    expect(sync.trustedTop(5)).toMatchObject({ bids: [['10', '1']], asks: [['11', '1']] });
  });

  const row = (from: number, count: number) => Array.from({ length: count }, (_, i) => level(from + i));
  /** Applied updates up to the next time when levels are forgotten. */
  const quiet = (sync: BookSync<DepthUpdate>, from: number) => {
    for (let id = from; id < from + PRUNE_EVERY_UPDATES; id++) sync.onUpdate(update(id, id));
  };

  test.each(['bids', 'asks'] as const)('%s that are wholly known are capped as well, and say so', (side) => {
    const sync = start();
    const best = side === 'bids' ? 200_000 : 1_000;
    sync.onReply(reply(1, { bids: [level(1)], asks: [level(300_000)], [side]: [level(best)] }), 100);
    const count = MAX_LEVELS_PER_SIDE + 10;
    sync.onUpdate(update(2, 2, { [side]: row(side === 'bids' ? best - count : best + 1, count) }));
    quiet(sync, 3);
    const top = sync.trustedTop(MAX_LEVELS_PER_SIDE * 2);
    expect(top?.[side]).toHaveLength(MAX_LEVELS_PER_SIDE);
    expect(sync.book?.[side === 'bids' ? 'bidCount' : 'askCount']).toBe(MAX_LEVELS_PER_SIDE);
    const edge = top?.[side][MAX_LEVELS_PER_SIDE - 1][0];
    expect(sync.coverage).toEqual({
      ...{ lowestBid: null, highestAsk: null },
      ...(side === 'bids' ? { lowestBid: edge } : { highestAsk: edge }),
    });
    expect(sync.trustedSums(1, emptyTopSums())).toBe(true);
    expect(sync.trustedSums(MAX_LEVELS_PER_SIDE + 1, emptyTopSums())).toBe(false);
  });

  test('sides of exactly as many levels as the cap stay wholly known', () => {
    const sync = start();
    const bids = row(1, MAX_LEVELS_PER_SIDE).reverse();
    const asks = row(100_000, MAX_LEVELS_PER_SIDE);
    sync.onReply(reply(1, { bids, asks }), Infinity);
    quiet(sync, 2);
    expect(sync.coverage).toEqual({ lowestBid: null, highestAsk: null });
    expect([sync.book?.bidCount, sync.book?.askCount]).toEqual([MAX_LEVELS_PER_SIDE, MAX_LEVELS_PER_SIDE]);
  });

  test('no older book replaces one that could be read, unless ids start over', () => {
    const sync = start();
    sync.onReply(reply(10), 100);
    sync.onUpdate(update(11, 12));
    sync.reset(true);
    for (let i = 0; i < 3; i++) expect(sync.onReply(reply(11), 100)).toBe('behind');
    expect(sync.book).toBeNull();
    // Joined to the end of what could be read, it is not behind.
    sync.onUpdate(update(12, 12));
    expect(sync.onReply(reply(11), 100)).toBe('live');
    expect(sync.book?.lastUpdateId).toBe(12);
    sync.reset(true);
    sync.acceptIdReset();
    expect(sync.onReply(reply(3), 100)).toBe('live');
    // A book that nobody read binds nobody.
    sync.onUpdate(update(4, 50));
    sync.reset(false);
    expect(sync.onReply(reply(3), 100)).toBe('live');
  });

  test.each([
    ['a gap', update(20, 21), 12],
    ['a crossing', update(13, 13, { bids: [['12', '1']] }), 13],
  ])('after %s too: what was kept up to there is not gone behind', (_what, breaking, least) => {
    const sync = start();
    sync.onReply(reply(10), 100);
    sync.onUpdate(update(11, 12));
    expect(['gap', 'crossed']).toContain(sync.onUpdate(breaking));
    expect(sync.onReply(reply(9), 100)).toBe('reply-too-old');
    sync.reset(false);
    expect(sync.onReply(reply(least - 1), 100)).toBe('behind');
    expect(sync.onReply(reply(least), 100)).toBe('live');
  });

  test('a reply that no update has confirmed is no book that was read, where a gap ends it', () => {
    const sync = start();
    sync.onReply(reply(1_000), 100);
    expect(sync.onUpdate(update(2_000, 2_001))).toBe('gap');
    sync.reset(false);
    expect(sync.onReply(reply(10), 100)).toBe('live');
  });

  test('nor does that gap make forget what was read before', () => {
    const sync = start();
    sync.onReply(reply(10), 100);
    sync.onUpdate(update(11, 12));
    sync.reset(true);
    expect(sync.onReply(reply(1_000), 100)).toBe('live');
    expect(sync.onUpdate(update(2_000, 2_001))).toBe('gap');
    sync.reset(false);
    expect(sync.onReply(reply(11), 100)).toBe('behind');
  });

  test('a live book whose ids start over binds nobody, nor does one that was read before it', () => {
    const sync = start();
    sync.onReply(reply(10), 100);
    sync.onUpdate(update(11, 12));
    sync.reset(true);
    expect(sync.onReply(reply(12), 100)).toBe('live');
    sync.onUpdate(update(13, 20, { eventTimeMs: 1_000 }));
    expect(sync.onUpdate(update(1, 2, { eventTimeMs: 1_100 }))).toBe('ids-reset');
    expect(sync.onReply(reply(2), 100)).toBe('live');
  });

  test('ids that go backwards while time goes on forget what was read, also while a reply is waited for', () => {
    const sync = start();
    sync.onReply(reply(10), 100);
    sync.onUpdate(update(11, 12));
    sync.reset(true);
    sync.onUpdate(update(13, 13));
    sync.onUpdate(update(2, 3, { eventTimeMs: 100 }));
    expect(sync.onReply(reply(2), 100)).toBe('live');
    expect(sync.book?.lastUpdateId).toBe(3);
  });

  test('places an update of a second connection: by the book, by the first one awaited, by what is buffered', () => {
    const sync = start();
    expect(sync.standing(update(5, 6))).toBe('apply');
    for (const [first, last] of [
      [1, 1],
      [2, 2],
      [3, 4],
    ])
      sync.onUpdate(update(first, last));
    const standings = () =>
      [update(3, 4), update(4, 5), update(5, 6), update(6, 6)].map((one) => sync.standing(one));
    expect(standings()).toEqual(['ignore', 'apply', 'apply', 'gap']);
    expect(sync.onReply(reply(4), 100)).toBe('live');
    expect(standings()).toEqual(['ignore', 'apply', 'apply', 'gap']);
    expect(sync.onUpdate(update(5, 5))).toBe('applied');
    expect(standings()).toEqual(['ignore', 'ignore', 'apply', 'apply']);
    // Nothing of it was taken in.
    expect(sync.book?.lastUpdateId).toBe(5);
  });

  test('places the first update after a reply by its own rule: on futures within it, not after it', () => {
    const sync = new BookSync<DepthUpdate>(FUTURES_RULE, plainEngine);
    sync.onReply(reply(10), 100);
    const within = update(8, 12, { previousFinalUpdateId: 7 });
    expect(sync.standing(within)).toBe('apply');
    sync.onUpdate(within);
    expect(sync.standing(update(11, 14, { previousFinalUpdateId: 10 }))).toBe('gap');
    expect(sync.standing(update(13, 14, { previousFinalUpdateId: 12 }))).toBe('apply');
  });

  test('a reply from before all that is buffered is too old, and one later is joined', () => {
    const sync = start();
    const last = MAX_BUFFERED_UPDATES * 2 + 50;
    for (let id = 1; id <= last; id++) sync.onUpdate(update(id, id));
    expect(sync.onReply(reply(last - MAX_BUFFERED_UPDATES - 10), 10)).toBe('reply-too-old');
    expect(sync.onReply(reply(last - 100), 10)).toBe('live');
    expect(sync.book?.lastUpdateId).toBe(last);
  });
});

describe.each(['spot', 'futures'] as const)('%s: against a model of the exchange', (rule) => {
  test('whatever is lost, doubled, swapped, merged or stale: what is shown is the true book at its id', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const exchange = new TinyExchange(rule, 1_000);
        const sync = new BookSync<DepthUpdate>(RULES[rule], plainEngine);
        const sent: DepthUpdate[] = [];
        const ids = [exchange.id];
        let held: DepthUpdate | null = null;
        const deliver = (update: DepthUpdate) => {
          sync.onUpdate(update);
          sent.push(update);
          shows(sync, exchange);
        };
        for (const s of steps) {
          if (s.do === 'change') {
            exchange.change(s.bid ? 'bids' : 'asks', s.offset, s.quantity);
            ids.push(exchange.id);
          } else if (s.do === 'reply') {
            const id = ids[Math.max(ids.length - 1 - s.back, 0)];
            sync.onReply(exchange.reply(id, s.limit), s.limit);
          } else if (s.do === 'reset') sync.reset(true);
          else if (s.do === 'refresh') sync.beginRefresh();
          else if (s.do === 'cancel') sync.cancelRefresh();
          else if (s.do === 'again') {
            if (sent.length > 0) deliver(sent[Math.floor(sent.length / 2)]);
          } else {
            const update = exchange.event();
            if (update === null) continue;
            if (s.do === 'drop') {
              // What was held comes alone: the exchange merges consecutive events only.
              if (held) deliver(held);
              held = null;
            } else if (s.do === 'hold') held = held ? merged(held, update) : update;
            else if (s.do === 'merge' && held) {
              deliver(merged(held, update));
              held = null;
            } else {
              deliver(update);
              if (s.do === 'twice') deliver(update);
              if (held) deliver(held);
              held = null;
            }
          }
          shows(sync, exchange);
        }
        // When the faults are over, one reply and one event bring it back.
        sync.reset(true);
        exchange.event();
        expect(sync.onReply(exchange.reply(exchange.id, 100), 100)).toBe('live');
        exchange.change('bids', 7, 2);
        expect(sync.onUpdate(exchange.event() as DepthUpdate)).toBe('applied');
        expect(sync.book?.lastUpdateId).toBe(exchange.id);
        shows(sync, exchange);
      }),
      runs(600),
    );
  });

  test('without faults there is no gap, and the book is the newest after every event', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.tuple(fc.boolean(), fc.nat(200), fc.nat(3)), { minLength: 1, maxLength: 6 }), {
          minLength: 3,
          maxLength: 30,
        }),
        fc.nat(29),
        fc.nat(5),
        (ticks, when, inside) => {
          const exchange = new TinyExchange(rule, 77);
          const sync = new BookSync<DepthUpdate>(RULES[rule], plainEngine, false);
          let joined = false;
          ticks.forEach((changes, tick) => {
            changes.forEach(([bid, offset, quantity], i) => {
              exchange.change(bid ? 'bids' : 'asks', offset, quantity);
              if (tick === when % ticks.length && i === inside % changes.length) {
                expect(sync.onReply(exchange.reply(exchange.id, 100), 100)).toBe('live');
                joined = true;
              }
            });
            const outcome = sync.onUpdate(exchange.event() as DepthUpdate);
            if (!joined) return expect(outcome).toBe('buffered');
            // Spot: an event that ends where the reply was taken is contained in it.
            expect(['applied', 'ignored']).toContain(outcome);
            expect(sync.book?.lastUpdateId).toBe(exchange.id);
            shows(sync, exchange);
          });
        },
      ),
      runs(300),
    );
  });
});

/** The invariant: trusted levels are those of the true book at the id that is named; complete sides are whole. */
function shows(sync: BookSync<DepthUpdate>, exchange: TinyExchange): void {
  const top = sync.trustedTop(1_000);
  if (top === null) return expect(sync.book).toBeNull();
  const truth = exchange.past.get(top.lastUpdateId);
  if (!truth) throw new Error(`no book was ever at ${top.lastUpdateId}`);
  const { coverage } = sync;
  same(
    top.bids,
    truth.bids.filter(([price]) => within(price, coverage?.lowestBid, 1)),
  );
  same(
    top.asks,
    truth.asks.filter(([price]) => within(price, coverage?.highestAsk, -1)),
  );
  for (const count of [1, 3, 20]) {
    const sums = emptyTopSums();
    if (!sync.trustedSums(count, sums)) continue;
    const [bids, asks] = [truth.bids.slice(0, count), truth.asks.slice(0, count)];
    const notional = (levels: Level[]) => levels.reduce((sum, [p, q]) => sum + Number(p) * Number(q), 0);
    const seen = [sums.bidNotional, sums.askNotional, sums.bidLevels, sums.askLevels];
    const expected = [notional(bids), notional(asks), bids.length, asks.length];
    if (seen.some((value, i) => value !== expected[i])) expect(seen).toEqual(expected);
  }
}

/** Thousands of long runs are compared at each step: quickly where all is well, in words where it is not. */
function same(seen: readonly Level[], expected: readonly Level[]): void {
  const equal = ([price, quantity]: Level, i: number) =>
    price === expected[i][0] && quantity === expected[i][1];
  if (seen.length !== expected.length || !seen.every(equal)) expect(seen).toEqual(expected);
}

function within(price: string, edge: string | null | undefined, sign: 1 | -1): boolean {
  return edge === null || edge === undefined || compareDecimals(price, edge) * sign >= 0;
}
