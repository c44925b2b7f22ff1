import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { N8nRestClient } from '../../scripts/n8n/restClient';
import type { Workflow } from '../../scripts/n8n/workflowTypes';
import { nodeNamed } from './support';

/** The parts of a chat request that the script looks at. */
interface ChatRequest {
  readonly messages: ReadonlyArray<{ readonly role: string; readonly content: unknown }>;
  readonly tools?: ReadonlyArray<{ readonly function: { readonly name: string } }>;
}

/** A language model, behind OpenAI's protocol, that follows a script: it asks its tool, then repeats what that said. */
export class ScriptedModel {
  /** What the tool gave back, as the model saw it. */
  readonly toolResults: string[] = [];
  private readonly server: Server;

  private constructor(private readonly askFor: (question: string) => object) {
    this.server = createServer((request, response) => {
      void this.answer(request).then((completion) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(completion));
      });
    });
  }

  /** @param askFor what the tool is asked for, by the question */
  static async start(askFor: (question: string) => object = () => ({})): Promise<ScriptedModel> {
    const model = new ScriptedModel(askFor);
    await new Promise<void>((resolve) => model.server.listen(0, '127.0.0.1', resolve));
    return model;
  }

  /** The workflow's chat model is this one. */
  async serve(workflow: Workflow, rest: N8nRestClient): Promise<void> {
    const url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
    const { id, name } = await rest.createCredential('Scripted model', 'openAiApi', { apiKey: 'none', url });
    const chat = nodeNamed(workflow, 'OpenAI Chat Model');
    chat.credentials = { openAiApi: { id, name } };
    chat.parameters.options = { baseURL: url };
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async answer(request: IncomingMessage): Promise<object> {
    const { messages, tools } = (await json(request)) as ChatRequest;
    const { role, content } = messages[messages.length - 1];
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    const isAnswered = role === 'tool';
    if (isAnswered) this.toolResults.push(text);
    const name = tools?.[0]?.function.name ?? 'missing_tool';
    const call = { name, arguments: JSON.stringify(this.askFor(text)) };
    const message = isAnswered
      ? { role: 'assistant', content: text }
      : {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: call }],
        };
    return {
      ...{ id: 'x', object: 'chat.completion', created: 0, model: 'scripted' },
      choices: [{ index: 0, message, finish_reason: isAnswered ? 'stop' : 'tool_calls' }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    };
  }
}
