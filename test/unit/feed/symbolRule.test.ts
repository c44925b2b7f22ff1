import fc from 'fast-check';
import type { ListedSymbol } from '../../../src/feed/listing';
import { bufferOf, chooseSymbols, type SymbolRule, whyLeft } from '../../../src/feed/symbolRule';

const rule = (more: Partial<SymbolRule> = {}): SymbolRule => ({
  ...{ quoteAssets: new Set(['USDT']), contracts: 'perpetual', count: 3, except: new Set<string>() },
  ...more,
});
const listed = (baseAsset: string, quoteAsset = 'USDT', more: Partial<ListedSymbol> = {}): ListedSymbol => ({
  ...{ symbol: baseAsset + quoteAsset, baseAsset, quoteAsset, status: 'TRADING' },
  ...{ contractType: '', contractSize: null },
  ...more,
});
const many = (count: number) => Array.from({ length: count }, (_, i) => listed(`S${i}`));

const market = fc
  .uniqueArray(
    fc.record({
      baseAsset: fc.integer({ min: 0, max: 60 }).map((i) => `S${i}`),
      quoteAsset: fc.constantFrom('USDT', 'USDT', 'USDT', 'BTC'),
      status: fc.constantFrom('TRADING', 'TRADING', 'TRADING', 'BREAK', ''),
      contractType: fc.constantFrom('', 'PERPETUAL', 'CURRENT_QUARTER', 'TRADIFI_PERPETUAL'),
    }),
    { selector: ({ baseAsset, quoteAsset }) => baseAsset + quoteAsset, maxLength: 60 },
  )
  .map((entries) => entries.map(({ baseAsset, quoteAsset, ...more }) => listed(baseAsset, quoteAsset, more)));
const rules = fc
  .record({
    quoteAssets: fc.constantFrom(new Set<string>(), new Set(['USDT']), new Set(['USDT', 'BTC'])),
    contracts: fc.constantFrom('perpetual', 'stocks', 'dated', 'any'),
    count: fc.integer({ min: 1, max: 40 }),
    except: fc
      .array(fc.integer({ min: 0, max: 60 }), { maxLength: 5 })
      .map((names) => new Set(names.map((i) => `S${i}`))),
  })
  .map((given) => given as SymbolRule);
const present = fc
  .array(fc.integer({ min: 0, max: 70 }), { maxLength: 50 })
  .map((names) => new Set(names.map((i) => `S${i}USDT`)));

test('as many as asked for, each once, in the order of their volume, and nothing that the rule leaves out', () => {
  fc.assert(
    fc.property(market, rules, present, (ranked, given, taken) => {
      const chosen = chooseSymbols(ranked, given, taken);
      const all = chooseSymbols(ranked, { ...given, count: 1_000 });
      expect(new Set(chosen).size).toBe(chosen.length);
      expect(chosen).toHaveLength(Math.min(given.count, all.length));
      expect(all.filter((symbol) => chosen.includes(symbol))).toEqual(chosen);
      for (const symbol of all) {
        const { baseAsset, quoteAsset, status } = ranked.find((entry) => entry.symbol === symbol)!;
        expect(given.except.has(baseAsset) || given.except.has(symbol)).toBe(false);
        expect(given.quoteAssets.size === 0 || given.quoteAssets.has(quoteAsset)).toBe(true);
        expect(['TRADING', '']).toContain(status);
      }
    }),
  );
});

test('without symbols that are taken already the highest are chosen; a second look at the same list changes nothing', () => {
  fc.assert(
    fc.property(market, rules, present, (ranked, given, taken) => {
      const all = chooseSymbols(ranked, { ...given, count: 1_000 });
      expect(chooseSymbols(ranked, given)).toEqual(all.slice(0, given.count));
      const chosen = chooseSymbols(ranked, given, taken);
      expect(chooseSymbols(ranked, given, new Set(chosen))).toEqual(chosen);
    }),
  );
});

test('whoever is above the buffer is in, whoever is below it is out, and in between nobody who is in gives way', () => {
  fc.assert(
    fc.property(market, rules, present, (ranked, given, taken) => {
      const all = chooseSymbols(ranked, { ...given, count: 1_000 });
      const chosen = new Set(chooseSymbols(ranked, given, taken));
      const buffer = bufferOf(given.count);
      all.forEach((symbol, place) => {
        if (place < given.count - buffer) expect(chosen.has(symbol)).toBe(true);
        if (place >= given.count + buffer) expect(chosen.has(symbol)).toBe(false);
      });
      const around = all.slice(given.count - buffer, given.count + buffer);
      const droppedOne = around.some((symbol) => taken.has(symbol) && !chosen.has(symbol));
      const tookNewOne = around.some((symbol) => !taken.has(symbol) && chosen.has(symbol));
      expect(droppedOne && tookNewOne).toBe(false);
    }),
  );
});

test('of twenty, one that fell to place 22 stays, and leaves at place 23; one that rose to 19 waits until 18', () => {
  const start = many(40);
  const given = rule({ count: 20 });
  const before = new Set(chooseSymbols(start, given));
  const moved = (from: number, to: number) => {
    const ranked = [...start];
    ranked.splice(to - 1, 0, ...ranked.splice(from - 1, 1));
    const after = chooseSymbols(ranked, given, before);
    return { entered: after.filter((symbol) => !before.has(symbol)), size: after.length };
  };
  expect(moved(15, 22)).toEqual({ entered: [], size: 20 });
  expect(moved(15, 23).entered).toEqual(['S20USDT']);
  expect(moved(30, 19)).toEqual({ entered: [], size: 20 });
  expect(moved(30, 18)).toEqual({ entered: ['S29USDT'], size: 20 });
});

test.each([
  ['perpetual', ['A', 'E']],
  ['stocks', ['B', 'E']],
  ['dated', ['C', 'D', 'E']],
  ['any', ['A', 'B', 'C', 'D', 'E']],
] as const)('contracts: %s; a list that names no kind has one only', (contracts, bases) => {
  const kinds = ['PERPETUAL', 'TRADIFI_PERPETUAL', 'CURRENT_QUARTER', 'NEXT_QUARTER', ''];
  const ranked = kinds.map((contractType, i) => listed('ABCDE'[i], 'USDT', { contractType }));
  expect(chooseSymbols(ranked, rule({ contracts, count: 9 }))).toEqual(bases.map((base) => `${base}USDT`));
});

test('a symbol that left says why', () => {
  const ranked = [...many(4), listed('HALTED', 'USDT', { status: 'BREAK' })];
  expect(whyLeft('GONEUSDT', ranked, rule())).toMatch(/does not list it/);
  expect(whyLeft('HALTEDUSDT', ranked, rule())).toMatch(/does not trade it, status BREAK/);
  expect(whyLeft('S3USDT', ranked, rule())).toMatch(/not among the 3 highest/);
});
