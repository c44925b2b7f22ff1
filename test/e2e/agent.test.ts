import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Exchange } from '../../exchange';
import { nodeTypes, symbolsValue } from '../../scripts/n8n/workflowBuilder';
import { baseUrls, Bench, curlOf, eventually, HANG_MS, nodeNamed, readyMade } from './support';

/** The parts of a chat request that the script looks at. */
interface ChatRequest {
  readonly messages: ReadonlyArray<{ readonly role: string; readonly content: unknown }>;
  readonly tools?: ReadonlyArray<{ readonly function: { readonly name: string } }>;
}

let bench: Bench;
let exchange: Exchange;
let model: Server;
let modelUrl: string;
/** What the agent's tool gave back, as the model saw it. */
const toolResults: string[] = [];

/** A language model that follows a script: it asks the tool about the symbol in the question, then repeats its answer. */
function scriptedModel(): Server {
  return createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { messages, tools } = JSON.parse(body) as ChatRequest;
      const last = messages[messages.length - 1];
      const text = typeof last.content === 'string' ? last.content : JSON.stringify(last.content);
      if (last.role === 'tool') toolResults.push(text);
      const symbol = /on (\w+)\?/.exec(text)?.[1] ?? 'BTCUSDT';
      const name = tools?.[0]?.function.name ?? 'missing_tool';
      const call = {
        id: 'call_1',
        type: 'function',
        function: { name, arguments: JSON.stringify({ symbol }) },
      };
      const message =
        last.role === 'tool'
          ? { role: 'assistant', content: text }
          : { role: 'assistant', content: null, tool_calls: [call] };
      const choice = { index: 0, message, finish_reason: last.role === 'tool' ? 'stop' : 'tool_calls' };
      const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          id: 'x',
          object: 'chat.completion',
          created: 0,
          model: 'scripted',
          choices: [choice],
          usage,
        }),
      );
    });
  });
}

beforeAll(async () => {
  bench = await Bench.open();
  exchange = await bench.exchange({ market: 'spot', symbols: ['SELLUSDT', 'BUYUSDT', 'CALMUSDT'], seed: 9 });
  model = scriptedModel();
  await new Promise<void>((resolve) => model.listen(0, '127.0.0.1', resolve));
  modelUrl = `http://127.0.0.1:${(model.address() as AddressInfo).port}/v1`;
});
afterAll(async () => {
  await bench.close();
  await new Promise<void>((resolve) => model.close(() => resolve()));
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
  const credential = await bench.rest.createCredential('Scripted model', 'openAiApi', {
    apiKey: 'none',
    url: modelUrl,
  });
  const chat = nodeNamed(workflow, 'OpenAI Chat Model');
  chat.credentials = { openAiApi: { id: credential.id, name: credential.name } };
  chat.parameters.options = { baseURL: modelUrl };
  // The threshold follows the symbol, so that a calm one can be had at will.
  const tool = nodeNamed(workflow, 'Order Flow Imbalance');
  tool.parameters.threshold =
    "={{ $fromAI('symbol', 'The symbol, for example BTCUSDT', 'string') === 'CALMUSDT' ? 99.9 : 10 }}";
  const { id } = await bench.publish(workflow);
  exchange.pressure('SELLUSDT', 'ask', 5, 60_000);
  exchange.pressure('BUYUSDT', 'bid', 5, 60_000);
  const ask = async (symbol: string) => {
    toolResults.length = 0;
    const answer = await curlOf('docs/ai-agent.md', bench.rest.url, (command) =>
      command.replace('BTCUSDT', symbol),
    );
    return `${answer} ${toolResults.join(' ')}`;
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
    expect(toolResults.join(' ')).toContain(expected);
  }
  await bench.remove(id);
  await bench.remove(keeper.id);
});
