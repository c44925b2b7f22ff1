/** The parts of n8n's workflow file that the scripts and tests touch. */
export interface WorkflowNode {
  id?: string;
  name: string;
  type: string;
  typeVersion: number;
  position: [x: number, y: number];
  parameters: Record<string, unknown>;
  credentials?: Record<string, { id: string; name: string }>;
  disabled?: boolean;
  onError?: 'stopWorkflow' | 'continueRegularOutput' | 'continueErrorOutput';
  [setting: string]: unknown;
}

export interface WorkflowTarget {
  node: string;
  type: string;
  index: number;
}

/** By source node's name and kind of output: for each output, the nodes it feeds. */
export type WorkflowConnections = Record<string, Record<string, Array<WorkflowTarget[] | null>>>;

export interface Workflow {
  id?: string;
  name: string;
  nodes: WorkflowNode[];
  connections: WorkflowConnections;
  settings?: Record<string, unknown>;
  [field: string]: unknown;
}

export interface SavedWorkflow extends Workflow {
  id: string;
  versionId: string;
  active: boolean;
}

/** An execution's own figures; `finished` statuses are success, error, crashed and canceled. */
export interface ExecutionSummary {
  readonly id: string;
  readonly status: string;
  readonly mode: string;
  readonly startedAt: string;
  readonly stoppedAt: string | null;
}

export interface ExecutionItem {
  readonly json: Record<string, unknown>;
}

export interface Execution extends ExecutionSummary {
  /** Items of each output of each node, in the order of the node's runs. */
  readonly outputs: (nodeName: string, kind?: string) => ExecutionItem[][];
  /** What failed the execution, or a node of it; null if nothing did. */
  readonly error: { readonly message: string; readonly description?: string; readonly node?: string } | null;
}
