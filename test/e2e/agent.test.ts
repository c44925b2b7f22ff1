import type { Exchange } from '../../exchange';
import { nodeTypes, symbolsValue } from '../../scripts/n8n/workflowBuilder';
import { baseUrls, Bench, curlOf, eventually, HANG_MS, nodeNamed, readyMade } from './support';
import { ScriptedModel } from './scriptedModel';

let bench: Bench;
let exchange: Exchange;
let model: ScriptedModel;

beforeAll(async () => {
  bench = await Bench.open();
  exchange = await bench.exchange({ market: 'spot', symbols: ['SELLUSDT', 'BUYUSDT', 'CALMUSDT'], seed: 9 });
  model = await ScriptedModel.start((question) => ({
    symbol: /on (\w+)\?/.exec(question)?.[1] ?? 'BTCUSDT',
  }));
});
afterAll(async () => {
  await bench.close();
  await model.close();
});

test('an agent that is asked about selling pressure answers with what the action says, for each of the four results', async () => {
  const keeper = await bench.publish({
    name: 'keeps the store',
    settings: {},
    nodes: [
      {
        ...{ name: 'Trigger', type: nodeTypes().trigger, typeVersion: 1, position: [0, 0] },
        parameters: {
          symbols: symbolsValue('SELLUSDT, BUYUSDT, CALMUSDT'),
          emit: 'never',
          options: { ...baseUrls(exchange), saveEvery: 0.1 },
        },
      },
    ],
    connections: {},
  });
  const workflow = readyMade('ask-an-agent');
  await model.serve(workflow, bench.rest);
  // The threshold follows the symbol, so that a calm one can be had at will.
  const tool = nodeNamed(workflow, 'Order Flow Imbalance');
  tool.parameters.threshold =
    "={{ $fromAI('symbol', 'The symbol, for example BTCUSDT', 'string') === 'CALMUSDT' ? 99.9 : 10 }}";
  const { id } = await bench.publish(workflow);
  exchange.pressure('SELLUSDT', 'ask', 5, 60_000);
  exchange.pressure('BUYUSDT', 'bid', 5, 60_000);
  const ask = async (symbol: string) => {
    model.toolResults.length = 0;
    const answer = await curlOf('docs/ai-agent.md', bench.rest.url, (command) =>
      command.replace('BTCUSDT', symbol),
    );
    return `${answer} ${model.toolResults.join(' ')}`;
  };
  for (const [symbol, expected] of [
    ['SELLUSDT', 'SELLING'],
    ['BUYUSDT', 'BUYING'],
    ['CALMUSDT', 'NEUTRAL'],
    ['NOBOOKUSDT', 'missing'],
  ]) {
    let answer = '';
    const answered = async () => (answer = await ask(symbol)).includes(expected);
    await eventually(`an answer with ${expected}`, HANG_MS, answered).catch((error: Error) => {
      throw new Error(`${error.message}; the last one: ${answer.slice(0, 600)}`);
    });
    expect(model.toolResults.join(' ')).toContain(expected);
  }
  await bench.remove(id);
  await bench.remove(keeper.id);
});
