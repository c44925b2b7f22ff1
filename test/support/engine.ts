import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type IDataObject,
  type IExecuteData,
  type INode,
  type INodeExecutionData,
  type INodeType,
  type INodeTypes,
  type IRun,
  type IRunExecutionData,
  type ITriggerResponse,
  type IWorkflowExecuteAdditionalData,
  type Logger,
  type WorkflowActivateMode,
  Workflow,
} from 'n8n-workflow';

// n8n makes one itself, except on a worker.
process.env.N8N_ENCRYPTION_KEY ??= 'of-the-tests';
// The expression engine that needs no native code, so that tests run on any Node.
process.env.N8N_EXPRESSION_ENGINE ??= 'legacy';
// Jest's set-up has made a folder for the run; a script's goes with its process.
if (process.env.N8N_USER_FOLDER === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'orderflow-engine-'));
  process.env.N8N_USER_FOLDER = folder;
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
}
// Errors of the nodes under test are looked at, not printed.
process.env.N8N_LOG_LEVEL ??= 'silent';
/* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports -- loaded after the environment is set */
const core = require('n8n-core') as typeof import('n8n-core');
/* eslint-enable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports */

/**
 * Runs our nodes in n8n's own engine (n8n-core), without n8n's server and database: parameters, expressions, outputs,
 * paired items, Continue On Fail and trigger contexts are n8n's.
 */

const SOURCE = 'test.source';

/** Hands its parameter `items` on: stands for whatever comes before the node under test. */
const sourceNode: INodeType = {
  description: {
    displayName: 'Source',
    name: SOURCE,
    group: [],
    version: 1,
    description: '',
    defaults: { name: 'Source' },
    inputs: ['main'],
    outputs: ['main'],
    properties: [{ displayName: 'Items', name: 'items', type: 'json', default: '[]' }],
  },
  async execute() {
    const items = JSON.parse(this.getNodeParameter('items', 0) as string) as IDataObject[];
    return [items.map((json, item) => ({ json, pairedItem: { item } }))];
  },
};

export interface EngineCredentials {
  readonly [type: string]: IDataObject;
}

export interface EngineOptions {
  readonly nodes: { readonly [type: string]: INodeType };
  readonly credentials?: EngineCredentials;
  readonly workflowId?: string;
}

function nodeTypesOf(nodes: EngineOptions['nodes']): INodeTypes {
  const all = new Map<string, INodeType>([[SOURCE, sourceNode], ...Object.entries(nodes)]);
  const get = (type: string) => {
    const found = all.get(type);
    if (!found) throw new Error(`no node type ${type}`);
    return found;
  };
  return { getByName: get, getByNameAndVersion: get, getKnownTypes: () => ({}) } as INodeTypes;
}

function additionalDataOf(
  credentials: EngineCredentials,
  mode: 'manual' | 'trigger',
): IWorkflowExecuteAdditionalData {
  return {
    credentialsHelper: {
      getDecrypted: async (_data: unknown, _node: unknown, type: string) => {
        if (!credentials[type]) throw new Error(`no credential ${type}`);
        return credentials[type];
      },
      getParentTypes: () => [],
      isCredentialUsableByNode: async () => true,
      authenticate: async (_c: unknown, _t: unknown, options: unknown) => options,
      preAuthentication: async () => undefined,
      getCredentials: async () => undefined,
      updateCredentials: async () => undefined,
      getCredentialsProperties: () => [],
    },
    hooks: new core.ExecutionLifecycleHooks(mode, '1', {
      id: 'w1',
      name: 'test',
      nodes: [],
      connections: {},
    } as never),
    executionId: '1',
    currentNodeExecutionIndex: 0,
    restApiUrl: '',
    instanceBaseUrl: '',
    webhookBaseUrl: '',
    webhookWaitingBaseUrl: '',
    webhookTestBaseUrl: '',
    formWaitingBaseUrl: '',
    variables: {},
    userId: '',
    logAiEvent: () => undefined,
    setExecutionStatus: () => undefined,
    sendDataToUI: () => undefined,
  } as unknown as IWorkflowExecuteAdditionalData;
}

const credentialNames = (credentials: EngineCredentials) =>
  Object.fromEntries(Object.keys(credentials).map((type) => [type, { id: type, name: type }]));

export interface NodeRun {
  /** One list for each output. */
  readonly outputs: INodeExecutionData[][];
  /** Set where the node stopped the workflow. */
  readonly error: Error | undefined;
  /** What the node tells the user beside its outputs. */
  readonly hints: string[];
}

/** Runs one action node over the given items. */
export async function runNode(
  options: EngineOptions & {
    readonly type: string;
    readonly parameters: IDataObject;
    readonly items?: IDataObject[];
    readonly node?: Partial<INode>;
    readonly mode?: 'manual' | 'trigger';
  },
): Promise<NodeRun> {
  const credentials = options.credentials ?? {};
  const node: INode = {
    id: 'under-test',
    name: 'Under Test',
    type: options.type,
    typeVersion: 1,
    position: [200, 0],
    parameters: options.parameters as INode['parameters'],
    credentials: credentialNames(credentials),
    ...options.node,
  };
  const source: INode = {
    id: 'source',
    name: 'Source',
    type: SOURCE,
    typeVersion: 1,
    position: [0, 0],
    parameters: { items: JSON.stringify(options.items ?? [{}]) },
  };
  const workflow = new Workflow({
    id: options.workflowId ?? 'w1',
    nodes: [source, node],
    connections: { Source: { main: [[{ node: node.name, type: 'main', index: 0 }]] } },
    active: false,
    nodeTypes: nodeTypesOf(options.nodes),
  });
  const mode = options.mode ?? 'trigger';
  const first: IExecuteData = { node: source, data: { main: [[{ json: {} }]] }, source: null };
  const run = (await new core.WorkflowExecute(additionalDataOf(credentials, mode), mode, {
    startData: {},
    resultData: { runData: {} },
    executionData: {
      contextData: {},
      nodeExecutionStack: [first],
      metadata: {},
      waitingExecution: {},
      waitingExecutionSource: {},
    },
  } as unknown as IRunExecutionData).processRunExecutionData(workflow)) as IRun;
  const task = run.data.resultData.runData[node.name]?.[0];
  return {
    outputs: (task?.data?.main ?? []).map((items) => items ?? []),
    error: (task?.error ?? run.data.resultData.error) as Error | undefined,
    hints: (task?.hints ?? []).map(({ message }) => message),
  };
}

export interface TriggerRun {
  /** Every execution that the trigger started: a list of items for each output. */
  readonly executions: INodeExecutionData[][][];
  /** What the trigger recorded as failed executions. */
  readonly failures: Error[];
  /** How often the trigger gave itself up, which it never should. */
  readonly emittedErrors: Error[];
  /** What it gave n8n's logger, each with its level in front. */
  readonly logLines: string[];
  /** Resolves when `count` executions have been started. */
  executionsReached(count: number, timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
  readonly response: ITriggerResponse;
}

/** n8n's logger, with what it is given kept as well. */
function listenedTo(logger: Logger, lines: string[]): Logger {
  const listened = Object.create(logger) as Logger;
  for (const level of ['info', 'warn', 'error', 'debug'] as const)
    listened[level] = (message, metadata) => {
      lines.push(`${level} ${message}`);
      logger[level](message, metadata);
    };
  return listened;
}

/**
 * Starts a trigger node as n8n does when a workflow is activated, or, with mode `manual`, when someone tests it.
 * @param options.onExecution what the workflow does with each execution; it ends when the promise settles, with the run
 * that it may give
 */
export async function startTrigger(
  options: EngineOptions & {
    readonly type: string;
    readonly parameters: IDataObject;
    readonly mode?: 'manual' | 'trigger';
    readonly activation?: WorkflowActivateMode;
    readonly onExecution?: (outputs: INodeExecutionData[][]) => Promise<unknown>;
    /** Reported as soon as the trigger has answered n8n; a test by hand is still under way then and can be cancelled. */
    readonly onResponse?: (response: ITriggerResponse) => void;
  },
): Promise<TriggerRun> {
  const credentials = options.credentials ?? {};
  const mode = options.mode ?? 'trigger';
  const node: INode = {
    id: 'trigger',
    name: 'Trigger',
    type: options.type,
    typeVersion: 1,
    position: [0, 0],
    parameters: options.parameters as INode['parameters'],
    credentials: credentialNames(credentials),
  };
  const workflow = new Workflow({
    id: options.workflowId ?? 'w1',
    nodes: [node],
    connections: {},
    active: mode === 'trigger',
    nodeTypes: nodeTypesOf(options.nodes),
  });
  const executions: INodeExecutionData[][][] = [];
  const failures: Error[] = [];
  const emittedErrors: Error[] = [];
  const logLines: string[] = [];
  const waiting: Array<{ count: number; resolve: () => void }> = [];
  const record = (outputs: INodeExecutionData[][]) => {
    executions.push(outputs);
    for (const waiter of waiting) if (executions.length >= waiter.count) waiter.resolve();
  };
  const emit = (
    outputs: INodeExecutionData[][],
    _response?: unknown,
    done?: { resolve: (run: IRun) => void; reject: (error: Error) => void },
  ) => {
    record(outputs);
    void (options.onExecution?.(outputs) ?? Promise.resolve()).then(
      (run) => done?.resolve((run === undefined ? {} : run) as IRun),
      // As n8n does with one that was cancelled before it began.
      (error: Error) => done?.reject(error),
    );
  };
  const additionalData = additionalDataOf(credentials, mode);
  const newContext = () =>
    new core.TriggerContext(
      workflow,
      node,
      additionalData,
      mode,
      options.activation ?? (mode === 'manual' ? 'manual' : 'activate'),
      emit as never,
      (error) => void emittedErrors.push(error),
      (error) => void failures.push(error),
      {} as never,
    );
  const contextOf = () => {
    const context = newContext();
    // A context keeps its logger as soon as it is read: another one's is taken.
    Object.defineProperty(context, 'logger', { value: listenedTo(newContext().logger, logLines) });
    return context;
  };
  const response = await new core.TriggersAndPollers().runTriggerFunction(
    workflow,
    node,
    contextOf as never,
    additionalData,
    mode,
    options.activation ?? 'activate',
  );
  if (!response) throw new Error('the trigger gave no response');
  options.onResponse?.(response);
  if (mode === 'manual') {
    response.manualTriggerResponse?.then(
      (outputs) => record(outputs as INodeExecutionData[][]),
      (error: Error) => void failures.push(error),
    );
    await response.manualTriggerFunction?.();
  }
  return {
    executions,
    failures,
    emittedErrors,
    logLines,
    response,
    executionsReached: (count, timeoutMs = 15_000) =>
      new Promise((resolve, reject) => {
        if (executions.length >= count) return resolve();
        const timer = setTimeout(
          () => reject(new Error(`${executions.length} of ${count} executions within ${timeoutMs} ms`)),
          timeoutMs,
        );
        waiting.push({
          count,
          resolve: () => {
            clearTimeout(timer);
            resolve();
          },
        });
      }),
    close: async () => {
      await response.closeFunction?.();
    },
  };
}
