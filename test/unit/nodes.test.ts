import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { INodeProperties } from 'n8n-workflow';
import { BinanceOrderBookTrigger, OrderFlowData, OrderFlowImbalance } from '../support/nodes';

/** What people search for in n8n's list of nodes. */
const SEARCHED_FOR = [
  ...['binance', 'order book', 'orderbook', 'order flow', 'bitcoin', 'btc', 'crypto', 'trading'],
  ...['futures', 'market data', 'redis'],
];
const SIGNAL_WORDS = ['imbalance', 'selling pressure', 'liquidity', 'whale'];

test.each([
  [new BinanceOrderBookTrigger(), [...SEARCHED_FOR, ...SIGNAL_WORDS]],
  [new OrderFlowImbalance(), [...SEARCHED_FOR, ...SIGNAL_WORDS]],
  [new OrderFlowData(), SEARCHED_FOR],
])('a search finds the node by each word that fits it', ({ description }, words) => {
  const folder = description.name[0].toUpperCase() + description.name.slice(1);
  const codex = join(__dirname, '../../nodes', folder, `${folder}.node.json`);
  const { alias } = JSON.parse(readFileSync(codex, 'utf8')) as { alias: string[] };
  expect(alias).toEqual(expect.arrayContaining(words));
});

/** Conditions of fields on what is not a field beside them. */
function strangers(fields: readonly INodeProperties[]): string[] {
  const known = new Set(fields.map(({ name }) => name));
  const named = ({ displayOptions: { show, hide } = {} }: INodeProperties) =>
    Object.keys({ ...show, ...hide });
  return fields.flatMap((field) => [
    ...named(field).filter((name) => !known.has(name) && !/^[/@]/.test(name)),
    ...(field.type === 'collection' ? strangers(field.options as INodeProperties[]) : []),
  ]);
}

test.each([new BinanceOrderBookTrigger(), new OrderFlowImbalance(), new OrderFlowData()])(
  'each condition on a field names a field beside it, or begins at the root',
  ({ description }) => {
    // n8n 2.0 works fields out in the order of these names: one that it does not find stops the whole node.
    expect(strangers(description.properties)).toEqual([]);
  },
);

describe('as tools of an AI agent', () => {
  test.each([
    ['Order Flow Imbalance', new OrderFlowImbalance().description],
    ['Order Flow Data', new OrderFlowData().description],
  ])('%s says to a model what it answers and what it gives', (_name, description) => {
    const { usableAsTool, builderHint } = description;
    const { replacements } = usableAsTool as { replacements: { description: string } };
    expect(replacements.description).not.toBe(description.description);
    expect(replacements.description).toMatch(/message/);
    expect(builderHint?.searchHint).toBeDefined();
    // n8n gives the tool one wire and names it after the first of these.
    expect(description.outputNames).toBeUndefined();
  });

  test('hints for those who build workflows name node types that are there', () => {
    const all = [new BinanceOrderBookTrigger(), new OrderFlowImbalance(), new OrderFlowData()];
    const types = all.map(({ description }) => `n8n-nodes-orderflow.${description.name}`);
    for (const { description } of all)
      for (const { nodeType } of description.builderHint?.relatedNodes ?? [])
        expect(types).toContain(nodeType);
  });
});
