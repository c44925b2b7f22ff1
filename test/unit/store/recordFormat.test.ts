import fc from 'fast-check';
import { isOrderFlowError } from '../../../src/runtime/errors';
import type { FlowSnapshot } from '../../../src/signal/flow/flowMeter';
import {
  decodeBook,
  decodeFeedStatus,
  encodeBookHead,
  encodeBookTail,
  encodeFeedTail,
  MAX_RECORD_BYTES,
} from '../../../src/store/recordFormat';
import { FLOW_FIELDS, type BookContent, type FeedStatusContent } from '../../../src/store/types';
import { content } from '../../support/storeFixtures';

const NOW = 1_795_431_107_000;

function encode(book: BookContent, liveAtMs = NOW - 250): string {
  const { lastUpdateId, levels } = book;
  return encodeBookHead({ epoch: 3, lastUpdateId, liveAtMs, state: 'live', levels }) + encodeBookTail(book);
}

function codeOf(text: string): string {
  try {
    decodeBook(text, NOW, 'the key');
  } catch (error) {
    if (isOrderFlowError(error)) {
      expect(error.message).toContain('the key');
      return error.code;
    }
    throw error;
  }
  return 'accepted';
}

/** The record with some fields changed, as anyone may have written it. */
function changed(fields: Record<string, unknown>): string {
  return JSON.stringify({ ...(JSON.parse(encode(content(7))) as object), ...fields });
}

describe('the order book record', () => {
  // An item that bore it could not be written as JSON by anybody.
  it('takes the known numbers of a flow and nothing else', () => {
    const nested = '['.repeat(10_000) + ']'.repeat(10_000);
    const flow = { ofi1s: 1.5, ofi10s: null, text: 'x', other: 7, __proto__: null };
    const read = (text: string) => decodeBook(text, NOW, 'k').record.flow;
    expect(read(changed({ flow }).replace('"x"', nested))).toEqual({ ofi1s: 1.5, ofi10s: null });
    expect(read(changed({ flow: {} }))).toEqual({});
    expect(read(changed({}))).toBeUndefined();
    for (const wrong of ['"1"', '[]', nested, 'true', '1e999'])
      expect(codeOf(changed({ flow }).replace('"ofi1s":1.5', `"ofi1s":${wrong}`))).toBe('OF_RECORD_INVALID');
  });

  it('takes every number of a flow that the trigger keeps', () => {
    // The compiler sees to it that these are the fields of a snapshot, each of them.
    const kept: { readonly [field in keyof FlowSnapshot]: true } = {
      ...{ ofi1s: true, ofi10s: true, ofi60s: true, ofiCoveredMs: true },
      ...{ ofiNormalized1s: true, ofiNormalized10s: true, ofiNormalized60s: true },
      ...{ meanImbalancePercent60s: true, meanCoveredMs: true },
    };
    expect([...FLOW_FIELDS].sort()).toEqual(Object.keys(kept).sort());
    const flow = Object.fromEntries(FLOW_FIELDS.map((field, i) => [field, i / 2]));
    expect(decodeBook(encode(content(7, { flow })), NOW, 'k').record.flow).toEqual(flow);
  });

  it('tells how often it is saved where its writer says so, right behind its head', () => {
    const text = encode(content(7, { saveEveryMs: 1_100.0000000000002 }));
    expect(text).toContain('"levels":2,"saveEveryMs":1100,"exchange"');
    expect(decodeBook(text, NOW, 'k').record.saveEveryMs).toBe(1_100);
    expect('saveEveryMs' in decodeBook(encode(content(7)), NOW, 'k').record).toBe(false);
    expect(codeOf(changed({ saveEveryMs: -1 }))).toBe('OF_RECORD_INVALID');
  });

  it('comes back as it was written', () => {
    const book = content(7, { symbol: 'Ж"\\\u0001𝄞', eventTimeMs: null, flow: { ofi1s: 1.5, ofi10s: null } });
    expect(decodeBook(encode(book), NOW, 'k')).toEqual({
      ageMs: 250,
      record: { format: 1, epoch: 3, liveAtMs: NOW - 250, state: 'live', exchange: 'binance', ...book },
    });
  });

  it('comes back as it was written, whatever the levels', () => {
    const decimal = fc
      .tuple(fc.bigInt({ min: 1n, max: 10n ** 20n - 1n }), fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }))
      .map(([whole, rest]) => {
        const fraction = rest.toString().padStart(18, '0').replace(/0+$/, '');
        return fraction === '' ? String(whole) : `${whole}.${fraction}`;
      });
    const prices = fc
      .uniqueArray(fc.integer({ min: 1, max: 1e9 }), { minLength: 0, maxLength: 30 })
      .map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(prices, fc.nat(30), fc.infiniteStream(decimal), (all, cut, quantities) => {
        const level = (price: number) => [String(price), quantities.next().value as string] as const;
        const bids = all.slice(0, cut).reverse().map(level);
        const asks = all.slice(cut).map(level);
        const book = content(7, { levels: 30, bids, asks });
        expect(decodeBook(encode(book), NOW, 'k').record).toMatchObject({ bids, asks });
      }),
      { numRuns: 200 },
    );
  });

  it('has its first six fields in their order, without white space', () => {
    expect(encode(content(160))).toMatch(
      /^\{"format":1,"epoch":3,"lastUpdateId":160,"liveAtMs":1795431106750,"state":"live","levels":2,"exchange"/,
    );
  });

  it.each([
    ['not JSON', 'x', 'OF_RECORD_INVALID'],
    ['nothing', '', 'OF_RECORD_INVALID'],
    ['cut short', encode(content(7)).slice(0, -20), 'OF_RECORD_INVALID'],
    ['null', 'null', 'OF_RECORD_INVALID'],
    ['a list', '[]', 'OF_RECORD_INVALID'],
    ['no version', '{}', 'OF_RECORD_INVALID'],
    ['another version', changed({ format: 2 }), 'OF_RECORD_VERSION'],
    ['a version that is no number', changed({ format: '1' }), 'OF_RECORD_INVALID'],
    ['another exchange', changed({ exchange: 'other' }), 'OF_RECORD_INVALID'],
    ['an unknown market', changed({ market: 'constructor' }), 'OF_RECORD_INVALID'],
    ['a fraction as id', changed({ lastUpdateId: 1.5 }), 'OF_RECORD_INVALID'],
    ['an id beyond exactness', changed({ lastUpdateId: 2 ** 53 }), 'OF_RECORD_INVALID'],
    ['a negative epoch', changed({ epoch: -1 }), 'OF_RECORD_INVALID'],
    ['an epoch that no clock gave', changed({ epoch: 999_999_999_999_999 }), 'OF_RECORD_INVALID'],
    ['an unknown state', changed({ state: 'toString' }), 'OF_RECORD_INVALID'],
    ['no symbol', changed({ symbol: '' }), 'OF_RECORD_INVALID'],
    ['levels that are no list', changed({ bids: {} }), 'OF_RECORD_INVALID'],
    ['a level of three', changed({ bids: [['1', '2', '3']] }), 'OF_RECORD_INVALID'],
    ['a level of numbers', changed({ bids: [[1, 2]] }), 'OF_RECORD_INVALID'],
    ['an exponent', changed({ bids: [['1e2', '1']] }), 'OF_RECORD_INVALID'],
    ['a decimal not in canonical form', changed({ bids: [['1.50', '1']] }), 'OF_RECORD_INVALID'],
    ['a quantity of zero', changed({ bids: [['1', '0']] }), 'OF_RECORD_INVALID'],
    ['a quantity that is none', changed({ bids: [['1', null]] }), 'OF_RECORD_INVALID'],
    ['a price of zero', changed({ bids: [['0', '1']] }), 'OF_RECORD_INVALID'],
    ['a negative quantity', changed({ asks: [['101', '-1']] }), 'OF_RECORD_INVALID'],
    ['bids in the wrong order', changed({ bids: [['1', '1'], ['2', '1']] }), 'OF_RECORD_INVALID'], // prettier-ignore
    ['a price twice', changed({ asks: [['101', '1'], ['101', '1']] }), 'OF_RECORD_INVALID'], // prettier-ignore
    ['more levels than it says', changed({ levels: 1 }), 'OF_RECORD_INVALID'],
    ['too many levels', changed({ levels: 5_001 }), 'OF_RECORD_INVALID'],
    ['a crossed book', changed({ bids: [['102', '1']] }), 'OF_RECORD_INVALID'],
    ['the future', changed({ liveAtMs: NOW + 5_001 }), 'OF_RECORD_INVALID'],
    ['no flags', changed({ bidsComplete: 1 }), 'OF_RECORD_INVALID'],
    ['a flow that is no object', changed({ flow: [1] }), 'OF_RECORD_INVALID'],
    ['a huge value', ' '.repeat(MAX_RECORD_BYTES + 1), 'OF_RECORD_TOO_LARGE'],
  ])('refuses %s', (_, text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it('leaves a locked book and an empty side to the one who judges books', () => {
    expect(codeOf(changed({ bids: [['101', '1']] }))).toBe('accepted');
    expect(codeOf(changed({ bids: [] }))).toBe('accepted');
  });

  it('takes a clock that is a little ahead as no age', () => {
    expect(decodeBook(changed({ liveAtMs: NOW + 4_000 }), NOW, 'k').ageMs).toBe(0);
  });

  it('is not fooled by fields named like parts of every object', () => {
    const text = encode(content(7)).replace(
      '{',
      '{"__proto__":{"polluted":true,"epoch":9},"constructor":null,',
    );
    expect(codeOf(text)).toBe('accepted');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.keys(decodeBook(text, NOW, 'k').record)).not.toContain('__proto__');
    const hollow = '{"__proto__":' + encode(content(7)) + ',"format":1}';
    expect(codeOf(hollow)).toBe('OF_RECORD_INVALID');
  });

  it('meets any JSON and any damage with a code, never with a crash', () => {
    const good = encode(content(7, { levels: 5 }));
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(codeOf(text)).toMatch(/^OF_RECORD_/);
      }),
    );
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(8), fc.string(), (at, cut, put) => {
        expect(codeOf(good.slice(0, at) + put + good.slice(at + cut))).toMatch(/^OF_RECORD_|^accepted$/);
      }),
      { numRuns: 2_000 },
    );
    const names = Object.keys(JSON.parse(good) as object);
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, value) => {
        expect(codeOf(changed({ [name]: value }))).toMatch(/^OF_RECORD_|^accepted$/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the feed status', () => {
  const status: FeedStatusContent = {
    ...{
      writer: 'a1',
      state: 'backing-off',
      market: 'usdm',
      symbol: 'ДОГЕUSDT',
      sinceMs: 5,
      reason: 'a "reason"',
    },
    ...{ errorCode: 'OF_CONNECT', resyncs: 2, lastEventAgeMs: null, usedWeight: 7, lastUpdateId: null },
  };
  // As the store's script writes the head.
  const text = (at: number) =>
    `{"format":1,"writtenAtMs":${at},"writer":"${status.writer}","state":"${status.state}",${encodeFeedTail(status)}`;

  it('comes back as it was written', () => {
    expect(decodeFeedStatus(text(NOW - 3), NOW, 'k')).toEqual({
      ageMs: 3,
      record: { format: 1, writtenAtMs: NOW - 3, ...status },
    });
  });

  it('is refused with a code where it is not one', () => {
    for (const bad of [
      '',
      '{}',
      text(NOW + 6_000),
      text(NOW).replace('"resyncs":2', '"resyncs":"2"'),
      text(NOW).replace('backing-off', 'asleep'),
    ]) {
      expect(() => decodeFeedStatus(bad, NOW, 'k')).toThrow(
        expect.objectContaining({ code: 'OF_RECORD_INVALID' }),
      );
    }
  });
});
