import {
  type INode,
  type INodeProperties,
  type INodeType,
  type INodeTypes,
  NodeHelpers,
  Workflow,
} from 'n8n-workflow';
import { BinanceOrderBookTrigger, OrderFlowData, OrderFlowImbalance } from '../support/nodes';

process.env.N8N_EXPRESSION_ENGINE ??= 'legacy';

const trigger = new BinanceOrderBookTrigger();
const imbalance = new OrderFlowImbalance();
const data = new OrderFlowData();

function nodeOf({ description }: INodeType, parameters: object, typeVersion?: number): INode {
  const { version, properties } = description;
  const node: INode = {
    ...{ id: 'n', name: 'Node', type: 'node', position: [0, 0] },
    typeVersion: typeVersion ?? [version].flat().at(-1) ?? 1,
    parameters: parameters as INode['parameters'],
  };
  const filled = NodeHelpers.getNodeParameters(properties, node.parameters, true, false, node, description);
  return { ...node, parameters: filled ?? {} };
}

/** The fields that the editor shows, notices left out. */
function shown(type: INodeType, parameters: object = {}, typeVersion?: number): string[] {
  const node = nodeOf(type, parameters, typeVersion);
  return type.description.properties
    .filter(({ type: kind }) => kind !== 'notice')
    .filter((field) => NodeHelpers.displayParameter(node.parameters, field, node, type.description))
    .map(({ name }) => name);
}

/** The options that the editor offers in a collection. */
function offered(type: INodeType, parameters: object = {}): string[] {
  const node = nodeOf(type, parameters);
  const { properties } = type.description;
  const options = properties.find(({ name }) => name === 'options')?.options as INodeProperties[];
  return options
    .filter((option) => NodeHelpers.displayParameter({}, option, node, type.description, node.parameters))
    .map(({ name }) => name);
}

const WHAT = ['market', 'symbols'];

describe('fields come in one order (what, how compared, how reported, where kept, options), each where it matters', () => {
  test('of the trigger', () => {
    const what = ['market', 'symbolsBy', 'symbols'];
    expect(shown(trigger)).toEqual([...what, 'levels', 'emit', 'interval', 'store', 'options']);
    expect(shown(trigger, { emit: 'signalChange', measure: 'band', store: 'redis' })).toEqual([
      ...[...what, 'measure', 'bandBps', 'bandMinSpreads', 'levels', 'threshold', 'emit', 'alerts'],
      ...['store', 'credentials', 'options'],
    ]);
    const rule = { symbolsBy: 'rule', symbols: { __rl: true, mode: 'list', value: 'BTCUSDT' } };
    const ofRule = ['ruleCount', 'ruleExcept', 'levels', 'emit', 'interval', 'store', 'options'];
    expect(shown(trigger, rule)).toEqual(['market', 'symbolsBy', 'ruleQuoteAsset', ...ofRule]);
    expect(shown(trigger, { ...rule, market: 'usdm' })).toContain('ruleContractType');
    expect(shown(trigger, { ...rule, market: 'coinm' })).not.toContain('ruleQuoteAsset');
    const signalOptions = ['matchLevels', 'costAmount', 'testSignal'];
    for (const option of signalOptions) expect(offered(trigger)).not.toContain(option);
    expect(offered(trigger, { emit: 'signalChange' })).toEqual(expect.arrayContaining(signalOptions));
    for (const option of ['publishDepth', 'topicPrefix']) {
      expect(offered(trigger)).not.toContain(option);
      expect(offered(trigger, { store: 'redis' })).toContain(option);
    }
  });

  test('of the action', () => {
    const compared = ['measure', 'levels', 'threshold', 'emit', 'publish'];
    const what = ['market', 'symbolsBy', 'symbols'];
    expect(shown(imbalance)).toEqual(['source', ...what, ...compared, 'store', 'options']);
    expect(shown(imbalance, { source: 'item' })).toEqual(['source', 'market', ...compared, 'options']);
    expect(shown(imbalance, { source: 'exchange' })).toEqual(['source', ...what, ...compared, 'options']);
    const byRule = { symbolsBy: 'rule', source: 'exchange', market: 'spot' };
    const ofRule = ['ruleQuoteAsset', 'ruleCount', 'ruleExcept'];
    const fromMarket = ['source', 'market', 'symbolsBy', ...ofRule, ...compared, 'options'];
    expect(shown(imbalance, byRule)).toEqual(fromMarket);
    const fromStore = ['source', 'market', 'symbolsBy', 'ruleExcept', ...compared, 'store', 'options'];
    expect(shown(imbalance, { ...byRule, source: 'store' })).toEqual(fromStore);
    expect(shown(imbalance, { ...byRule, source: 'item' })).not.toContain('ruleExcept');
    expect(shown(imbalance, { measure: 'queue', emit: 'change', store: 'redis' })).toEqual([
      ...['source', ...what, 'measure', 'threshold', 'emit', 'alerts', 'publish'],
      ...['store', 'credentials', 'options'],
    ]);
  });

  test('the action offers no option without an effect', () => {
    for (const option of ['onlyNew', 'publish', 'topicPrefix'])
      expect(offered(imbalance)).not.toContain(option);
    expect(offered(imbalance, { source: 'item' })).not.toContain('restBaseUrl');
    expect(offered(imbalance, { source: 'exchange' })).not.toContain('judgeMean');
    expect(offered(imbalance, { measure: 'band' })).not.toContain('matchLevels');
    const all = ['costAmount', 'includeInput', 'includeLevels', 'judgeMean', 'keyPrefix', 'matchLevels'];
    expect(offered(imbalance)).toEqual(
      expect.arrayContaining([...all, 'maxAge', 'oneOutput', 'restBaseUrl']),
    );
  });

  test.each([
    [{ emit: 'change' }],
    [{ emit: 'new' }],
    [{ publish: true }],
    [{ emit: 'change', publish: true }],
    [{ source: 'store', emit: 'change', publish: true }],
    [{ source: 'store', publish: false }],
  ])('the action shows the store once wherever it keeps something there: %j', (parameters) => {
    const names = shown(imbalance, { source: 'exchange', ...parameters, store: 'redis' });
    expect(names.filter((name) => name === 'store')).toHaveLength(1);
    expect(names).toContain('credentials');
  });

  test('the action of version 1 keeps the fields that it had', () => {
    expect(shown(imbalance, { source: 'item', measure: 'band' }, 1)).toEqual([
      ...['source', 'market', 'measure', 'bandBps', 'bandMinSpreads', 'levels', 'threshold', 'emit'],
      ...['store', 'options'],
    ]);
  });

  test('of Order Flow Data', () => {
    expect(shown(data)).toEqual(['resource', 'operation', ...WHAT, 'store', 'options']);
    expect(shown(data, { resource: 'book', store: 'redis' })).toEqual([
      ...['resource', 'operation', ...WHAT, 'levels', 'store', 'credentials', 'options'],
    ]);
    expect(shown(data, { resource: 'overview' })).toEqual(['resource', 'operation', 'store', 'options']);
  });
});

test('each number names its limits before the editor corrects what is beyond them', () => {
  const numbers: INodeProperties[] = [trigger, imbalance, data]
    .flatMap(({ description }) => description.properties)
    .flatMap((field) => (field.type === 'collection' ? (field.options as INodeProperties[]) : [field]))
    .filter(({ type, typeOptions }) => type === 'number' && typeOptions?.maxValue !== undefined);
  expect(numbers.length).toBeGreaterThan(20);
  for (const { hint, typeOptions } of numbers)
    expect(hint).toContain(
      `${typeOptions?.minValue?.toLocaleString('en-US')} to ${typeOptions?.maxValue?.toLocaleString('en-US')}`,
    );
});

/** The line under the node's name, as n8n works it out. */
function subtitle(type: INodeType, parameters: object = {}, typeVersion?: number): unknown {
  const node = nodeOf(type, parameters, typeVersion);
  const nodeTypes = { getByNameAndVersion: () => type } as unknown as INodeTypes;
  const workflow = new Workflow({ nodes: [node], connections: {}, active: false, nodeTypes });
  return workflow.expression.getSimpleParameterValue(node, type.description.subtitle, 'internal', {});
}

const picked = (value: unknown) => ({ __rl: true, mode: 'name', value });

test.each([
  [trigger, {}, 'BTCUSDT · spot · every 10 s'],
  [
    trigger,
    { symbols: 'btcusdt, ETHUSDT;SOLUSDT', market: 'usdm', emit: 'continuous' },
    'btcusdt +2 · usdm · continuously',
  ],
  [trigger, { symbols: picked(['A', 'B']), emit: 'never' }, 'A +1 · spot · only keeps the store'],
  [trigger, { symbols: picked(''), emit: 'never' }, 'no symbol · spot · only keeps the store'],
  [trigger, { emit: 'signalChange' }, 'BTCUSDT · spot · on signal change'],
  [
    trigger,
    { symbols: { __rl: true, mode: 'list', value: 'A' }, moreSymbols: ['B', 'C'], emit: 'never' },
    'A +2 · spot · only keeps the store',
  ],
  [imbalance, {}, 'symbols of the item · 10 %'],
  [imbalance, { source: 'item', measure: 'band' }, 'book of the item · 10 bps, 10 %'],
  [
    imbalance,
    { symbols: picked('ETHUSDT'), market: 'us', levels: 20, emit: 'change' },
    'ETHUSDT · us · top 20, 10 %, on change',
  ],
  [trigger, { symbolsBy: 'rule' }, '20 highest USDT · spot · every 10 s'],
  [
    trigger,
    { symbolsBy: 'rule', market: 'coinm', ruleCount: 5, emit: 'never' },
    '5 highest · coinm · only keeps the store',
  ],
  [imbalance, { symbolsBy: 'rule', levels: 20 }, 'all of the store · top 20, 10 %'],
  [
    imbalance,
    { symbolsBy: 'rule', source: 'exchange', levels: 20, market: 'spot' },
    '20 highest USDT · spot · top 20, 10 %',
  ],
  [data, {}, 'status · BTCUSDT · spot'],
  [data, { resource: 'book', symbols: 'A,B' }, 'snapshot · A +1 · spot'],
  [data, { resource: 'overview' }, 'all feeds'],
])('a subtitle says what the node does: %#', (type, parameters, text) => {
  expect(subtitle(type, parameters)).toBe(text);
});
