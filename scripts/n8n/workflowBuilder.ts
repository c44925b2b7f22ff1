import type { Workflow, WorkflowNode } from './workflowTypes';
import { packageName } from './communityPackage';

/** Our node types as n8n names them once the package is installed. */
export function nodeTypes(): { trigger: string; imbalance: string; data: string } {
  const prefix = packageName();
  return {
    trigger: `${prefix}.binanceOrderBookTrigger`,
    imbalance: `${prefix}.orderFlowImbalance`,
    data: `${prefix}.orderFlowData`,
  };
}

/** Symbols as the nodes' field holds them: text, or an expression that gives text or a list. */
export function symbolsValue(value: string): Record<string, unknown> {
  return { __rl: true, mode: 'name', value };
}

type Credentials = WorkflowNode['credentials'];

export function triggerNode(parameters: Record<string, unknown>, credentials?: Credentials): WorkflowNode {
  const type = nodeTypes().trigger;
  return { name: 'Trigger', type, typeVersion: 1, position: [0, 0], credentials, parameters };
}

export function imbalanceNode(parameters: Record<string, unknown>, credentials?: Credentials): WorkflowNode {
  const type = nodeTypes().imbalance;
  return { name: 'Imbalance', type, typeVersion: 1, position: [200, 0], credentials, parameters };
}

/** Posts each item, as it is, to a URL. */
export function postNode(name: string, url: string, position: [number, number]): WorkflowNode {
  return {
    name,
    type: 'n8n-nodes-base.httpRequest',
    typeVersion: 4.2,
    position,
    parameters: {
      method: 'POST',
      url,
      sendBody: true,
      specifyBody: 'json',
      jsonBody: '={{ JSON.stringify($json) }}',
      options: {},
    },
  };
}

/** For a workflow's settings as its error workflow: posts what n8n gives it. */
export function errorWorkflow(url: string): Workflow {
  const trigger: WorkflowNode = {
    ...{ name: 'Error Trigger', type: 'n8n-nodes-base.errorTrigger', typeVersion: 1 },
    position: [0, 0],
    parameters: {},
  };
  return {
    name: 'failed',
    settings: {},
    nodes: [trigger, postNode('Post', url, [200, 0])],
    connections: connect(['Error Trigger', 0, 'Post']),
  };
}

/** Starts the workflow once a second. */
export function everySecondNode(position: [number, number]): WorkflowNode {
  return {
    name: 'Schedule',
    type: 'n8n-nodes-base.scheduleTrigger',
    typeVersion: 1.2,
    position,
    parameters: { rule: { interval: [{ field: 'seconds', secondsInterval: 1 }] } },
  };
}

export function stickyNote(
  name: string,
  content: string,
  position: [number, number],
  size: [width: number, height: number],
  color = 7,
): WorkflowNode {
  const [width, height] = size;
  return {
    name,
    type: 'n8n-nodes-base.stickyNote',
    typeVersion: 1,
    position,
    parameters: { content, width, height, color },
  };
}

/** Lines between nodes: `[from, output, to]`, all of the main kind. */
export function connect(
  ...lines: ReadonlyArray<readonly [from: string, output: number, to: string]>
): Workflow['connections'] {
  const connections: Workflow['connections'] = {};
  for (const [from, output, to] of lines) {
    const outputs = ((connections[from] ??= {}).main ??= []);
    while (outputs.length <= output) outputs.push([]);
    (outputs[output] ??= []).push({ node: to, type: 'main', index: 0 });
  }
  return connections;
}

/** @throws Error where the workflow has no such node */
export function nodeNamed(workflow: Workflow, name: string): WorkflowNode {
  const found = workflow.nodes.find((node) => node.name === name);
  if (!found) throw new Error(`no node ${name} in ${workflow.name}`);
  return found;
}
