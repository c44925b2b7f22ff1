import type { IDataObject } from 'n8n-workflow';
import { type Exchange, startExchange } from '../../exchange';
import { runNode } from '../support/engine';
import { OrderFlowImbalance } from '../support/nodes';

const nodes = { imbalance: new OrderFlowImbalance(), imbalanceTool: new OrderFlowImbalance() };

/** Books of four verdicts; the last one has no levels. */
const book = (bids: number, asks: number) => ({
  ...{ bids: bids === 0 ? [] : [['100', String(bids)]], asks: [['101', String(asks)]] },
});
const ITEMS = [
  { symbol: 'AUSDT', chatId: 1, ...book(1, 9) },
  { symbol: 'BUSDT', chatId: 2, ...book(0, 1) },
  { symbol: 'CUSDT', chatId: 3, ...book(9, 1) },
  { symbol: 'DUSDT', chatId: 4, levels: 0, ...book(5, 5) },
  { symbol: 'EUSDT', chatId: 5, ...book(5, 5) },
  { symbol: 'FUSDT', chatId: 6, bids: 'none' },
  { symbol: 'GUSDT', chatId: 7, ...book(1, 9) },
];
const SOURCE = { source: 'item', levels: '={{ $json.levels ?? 1 }}' };

const run = (options: object, node: object, items: object[] = ITEMS, type = 'imbalance') =>
  runNode({
    ...{ nodes, type, items: items as IDataObject[], node },
    parameters: { ...SOURCE, options } as IDataObject,
  });
const CONTINUE = { onError: 'continueRegularOutput' };

test('all on one output, results and failures keep the order of their items', async () => {
  const { outputs, error } = await run({ oneOutput: true }, CONTINUE);
  expect(error).toBeUndefined();
  expect(outputs).toHaveLength(1);
  expect(outputs[0].map(({ json, pairedItem }) => [json.signal, json.errorCode ?? null, pairedItem])).toEqual(
    [
      ['SELLING', null, { item: 0 }],
      [null, null, { item: 1 }],
      ['BUYING', null, { item: 2 }],
      [null, 'OF_PARAMETER', { item: 3 }],
      ['NEUTRAL', null, { item: 4 }],
      [null, 'OF_ITEM_INVALID', { item: 5 }],
      ['SELLING', null, { item: 6 }],
    ],
  );
});

test('by signal, each output keeps the order too', async () => {
  const { outputs } = await run({}, CONTINUE);
  const items = outputs.map((output) =>
    output.map(({ pairedItem }) => (pairedItem as { item: number }).item),
  );
  expect(items).toEqual([[1, 3, 5], [0, 6], [2], [4]]);
});

test('with the input’s fields no result and no failure loses them, and the result’s own come first', async () => {
  const { outputs } = await run({ oneOutput: true, includeInput: true }, CONTINUE);
  expect(outputs[0].map(({ json }) => json.chatId)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  const [{ json }] = outputs[0];
  expect(Object.keys(json).slice(0, 3)).toEqual(['symbol', 'signal', 'message']);
  expect(json.bids).toEqual([['100', '1']]);
  expect((await run({ oneOutput: true }, CONTINUE)).outputs[0][0].json).not.toHaveProperty('chatId');
});

test('the Error output gets what failed beside the one output', async () => {
  const { outputs } = await run({ oneOutput: true, includeInput: true }, { onError: 'continueErrorOutput' });
  expect(outputs.map((output) => output.map(({ json }) => json.chatId))).toEqual([
    [1, 2, 3, 5, 7],
    [4, 6],
  ]);
});

test('only the strongest leave, numbered, and what has no signal after them', async () => {
  const { outputs } = await run({ oneOutput: true, strongest: 2 }, CONTINUE, [
    { symbol: 'AUSDT', ...book(5, 6) },
    { symbol: 'BUSDT', ...book(0, 1) },
    { symbol: 'CUSDT', ...book(9, 1) },
    { symbol: 'DUSDT', ...book(1, 8) },
  ]);
  expect(outputs[0].map(({ json, pairedItem }) => [json.symbol, json.rank ?? null, pairedItem])).toEqual([
    ['CUSDT', 1, { item: 2 }],
    ['DUSDT', 2, { item: 3 }],
    ['BUSDT', null, { item: 1 }],
  ]);
  expect(Object.keys(outputs[0][0].json).slice(0, 2)).toEqual(['rank', 'symbol']);
});

test('the market item counts every result, also those that do not leave, and leaves by its own signal', async () => {
  const items = [
    { symbol: 'AUSDT', ...book(5, 6) },
    { symbol: 'BUSDT', ...book(0, 1) },
    { symbol: 'CUSDT', ...book(1, 90) },
    { symbol: 'DUSDT', ...book(1, 8) },
    // No job: it cannot be read.
    { symbol: 'EUSDT', bids: 7, asks: 8 },
  ];
  const { outputs } = await run({ marketItem: true, strongest: 1 }, CONTINUE, items);
  const all = outputs.map((output) => output.map(({ json }) => json));
  expect(all[1].map(({ symbol, kind = null }) => [symbol, kind])).toEqual([
    ['CUSDT', null],
    [null, 'market'],
  ]);
  expect(all[1][1]).toMatchObject({
    ...{ symbols: 5, selling: 3, buying: 0, neutral: 0, unknown: 2, signal: 'SELLING', previousTime: null },
  });
  const [again] = (await run({ marketItem: true, oneOutput: true }, CONTINUE, items)).outputs;
  expect(again.at(-1)?.json).toMatchObject({ kind: 'market', sellingChange: 0, unknownChange: 0 });
  const onChange = await run({ oneOutput: true }, CONTINUE, items);
  expect(onChange.outputs[0].every(({ json }) => json.kind !== 'market')).toBe(true);
});

test('a tool call has one output, whatever the option says', async () => {
  for (const oneOutput of [false, true]) {
    const { outputs } = await run({ oneOutput }, {}, ITEMS, 'imbalanceTool');
    expect(outputs.map((output) => output.length)).toEqual([ITEMS.length]);
  }
});

describe('several symbols of one item', () => {
  let exchange: Exchange;
  beforeAll(async () => {
    exchange = await startExchange({ symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'], seed: 5 });
  });
  afterAll(() => exchange.close());

  test('a symbol that fails keeps its place between the others', async () => {
    const symbols = 'SOLUSDT, NOPEUSDT, BTCUSDT, GONEUSDT, ETHUSDT';
    const options = { oneOutput: true, restBaseUrl: exchange.restBaseUrl };
    const { outputs } = await runNode({
      ...{ nodes, type: 'imbalance', node: { onError: 'continueRegularOutput' }, items: [{}] },
      parameters: { source: 'exchange', symbols, options },
    });
    const names = outputs[0].map(({ json }) => json.symbol ?? /NOPE|GONE/.exec(String(json.error))?.[0]);
    expect(names).toEqual(['SOLUSDT', 'NOPE', 'BTCUSDT', 'GONE', 'ETHUSDT']);
  });
});
