import type { IDataObject } from 'n8n-workflow';
import { nodeNamed, nodeTypes } from '../n8n/workflowBuilder';
import type { DemoConsole, ResultItem, StatusItem } from './console';
import type { ExchangeSource } from './exchangeSource';
import type { DemoOptions } from './options';
import { IMBALANCE, demoWorkflow, TRIGGER } from './workflow';

export interface Preview {
  close(): Promise<void>;
}

/**
 * Runs the nodes of the demonstration in n8n's engine, in this process and with its memory as the store, so that there
 * is something to see while n8n itself is downloaded.
 */
export async function startPreview(
  options: DemoOptions,
  source: ExchangeSource,
  screen: DemoConsole,
): Promise<Preview> {
  // Loaded only here: the engine takes a second, and changes the environment of the process.
  const { runNode, startTrigger } = await import('../../test/support/engine');
  const { BinanceOrderBookTrigger, OrderFlowImbalance } = await import('../../test/support/nodes');
  const types = nodeTypes();
  const nodes = {
    [types.trigger]: new BinanceOrderBookTrigger(),
    [types.imbalance]: new OrderFlowImbalance(),
  };
  const workflow = demoWorkflow({ demo: options, source, collectorUrl: '', credential: null });
  const parametersOf = (name: string) => nodeNamed(workflow, name).parameters as IDataObject;

  const running = await startTrigger({
    nodes,
    type: types.trigger,
    parameters: parametersOf(TRIGGER),
    onExecution: async ([books, statuses = []]) => {
      for (const { json } of statuses) screen.status(json as unknown as StatusItem);
      if (books.length === 0) return;
      const items = books.map(({ json }) => json);
      const { outputs } = await runNode({
        nodes,
        type: types.imbalance,
        parameters: parametersOf(IMBALANCE),
        items,
      });
      for (const { json } of outputs.flat()) screen.result(json as unknown as ResultItem);
    },
  });
  return { close: () => running.close() };
}
