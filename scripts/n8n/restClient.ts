import { setTimeout as delay } from 'node:timers/promises';
import { parseFlatted } from './flatted';
import type { Execution, ExecutionItem, ExecutionSummary, SavedWorkflow, Workflow } from './workflowTypes';

/** The login that the scripts create in an n8n of their own; it listens on loopback only and lives as long as they do. */
export const OWNER = {
  email: 'demo@orderflow.example',
  password: 'Orderflow-demo-1',
  firstName: 'Order',
  lastName: 'Flow',
} as const;

const REQUEST_TIMEOUT_MS = 60_000;
const POLL_MS = 100;
const ENDED = new Set(['success', 'error', 'crashed', 'canceled']);

/** n8n answered a request with an error. */
export class N8nRequestError extends Error {
  override readonly name = 'N8nRequestError';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

interface RunData {
  readonly resultData?: {
    readonly runData?: Record<
      string,
      Array<{ data?: Record<string, Array<ExecutionItem[] | null>>; error?: RunError }>
    >;
    readonly error?: RunError;
  };
}

interface RunError {
  readonly message: string;
  readonly description?: string;
  readonly node?: { readonly name?: string };
}

/** What the editor in the browser uses, called directly. One login. */
export class N8nRestClient {
  private cookie = '';

  constructor(readonly url: string) {}

  /** Creates the owner on a new n8n and logs in; logs in on one that has it. */
  async login(): Promise<void> {
    const settings = await this.request<{ userManagement: { showSetupOnFirstLoad: boolean } }>(
      'GET',
      '/rest/settings',
    );
    if (settings.userManagement.showSetupOnFirstLoad) await this.request('POST', '/rest/owner/setup', OWNER);
    else
      await this.request('POST', '/rest/login', {
        emailOrLdapLoginId: OWNER.email,
        password: OWNER.password,
      });
  }

  async createWorkflow(workflow: Workflow): Promise<SavedWorkflow> {
    return await this.request<SavedWorkflow>('POST', '/rest/workflows', { settings: {}, ...workflow });
  }

  async getWorkflow(id: string): Promise<SavedWorkflow> {
    return await this.request<SavedWorkflow>('GET', `/rest/workflows/${id}`);
  }

  /** Saves changes, as the editor's Save does; what runs changes with the next `activate`. */
  async updateWorkflow(id: string, changes: Partial<Workflow>): Promise<SavedWorkflow> {
    return await this.request<SavedWorkflow>('PATCH', `/rest/workflows/${id}`, changes);
  }

  /** Publishes the saved version: its triggers run from now on. Rejects with the trigger's message if one refuses. */
  async activate(id: string): Promise<SavedWorkflow> {
    const { versionId } = await this.getWorkflow(id);
    return await this.request<SavedWorkflow>('POST', `/rest/workflows/${id}/activate`, {
      versionId,
      name: '',
      description: '',
    });
  }

  async deactivate(id: string): Promise<void> {
    await this.request('POST', `/rest/workflows/${id}/deactivate`, {});
  }

  /** Deactivates, archives and deletes, as n8n asks for. */
  async removeWorkflow(id: string): Promise<void> {
    await this.deactivate(id);
    await this.request('POST', `/rest/workflows/${id}/archive`, {});
    await this.request('DELETE', `/rest/workflows/${id}`);
  }

  /** A manual run from the named trigger, as the editor's button starts it. Returns the execution's id at once. */
  async runManually(id: string, trigger: string): Promise<string> {
    const body = { triggerToStartFrom: { name: trigger } };
    const { executionId } = await this.request<{ executionId?: string }>(
      'POST',
      `/rest/workflows/${id}/run`,
      body,
    );
    if (!executionId) throw new Error(`n8n did not start workflow ${id}`);
    return executionId;
  }

  /** Newest first. */
  async executions(workflowId: string, limit = 100): Promise<ExecutionSummary[]> {
    const filter = encodeURIComponent(JSON.stringify({ workflowId }));
    const page = await this.request<{ results: ExecutionSummary[] }>(
      'GET',
      `/rest/executions?filter=${filter}&limit=${limit}`,
    );
    return page.results;
  }

  async execution(id: string): Promise<Execution> {
    const found = await this.request<ExecutionSummary & { data: string }>('GET', `/rest/executions/${id}`);
    // An execution that has just begun has no data yet.
    const data = parseFlatted(found.data) as RunData | undefined;
    const runs = data?.resultData?.runData ?? {};
    const nodeError = Object.entries(runs).flatMap(([node, list]) =>
      list.flatMap(({ error }) =>
        error ? [{ message: error.message, description: error.description, node }] : [],
      ),
    )[0];
    const error = data?.resultData?.error;
    return {
      ...found,
      outputs: (nodeName, kind = 'main') => {
        const outputs: ExecutionItem[][] = [];
        for (const { data: byKind } of runs[nodeName] ?? []) {
          (byKind?.[kind] ?? []).forEach((items, index) => (outputs[index] ??= []).push(...(items ?? [])));
        }
        return outputs;
      },
      error: error
        ? { message: error.message, description: error.description, node: error.node?.name }
        : (nodeError ?? null),
    };
  }

  /** Waits until the execution has ended, well or not. */
  async waitForExecution(id: string, timeoutMs: number): Promise<Execution> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const execution = await this.execution(id).catch((error: unknown) => {
        if (error instanceof N8nRequestError && error.status === 404) return null;
        throw error;
      });
      if (execution && ENDED.has(execution.status)) return execution;
      if (performance.now() > deadline) {
        throw new Error(`Execution ${id} is ${execution?.status ?? 'unknown'} after ${timeoutMs} ms`);
      }
      await delay(POLL_MS);
    }
  }

  async stopExecution(id: string): Promise<void> {
    await this.request('POST', `/rest/executions/${id}/stop`, {});
  }

  async createCredential(
    name: string,
    type: string,
    data: Record<string, unknown>,
  ): Promise<{ id: string; name: string }> {
    return await this.request<{ id: string; name: string }>('POST', '/rest/credentials', {
      name,
      type,
      data,
    });
  }

  /** What the credential dialog shows after Save: `OK` or `Error`, with its message. */
  async testCredential(
    credential: { readonly id: string; readonly name: string },
    type: string,
    data: Record<string, unknown>,
  ): Promise<{ status: string; message: string }> {
    return await this.request('POST', '/rest/credentials/test', {
      credentials: { ...credential, type, data },
    });
  }

  /** Any other request of the editor's; `data` of the reply. */
  async request<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(this.cookie && { cookie: this.cookie }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    for (const cookie of response.headers.getSetCookie()) {
      if (cookie.startsWith('n8n-auth=')) this.cookie = cookie.split(';')[0];
    }
    const text = await response.text();
    if (!response.ok) {
      const message = /"message":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text.slice(0, 500);
      throw new N8nRequestError(response.status, `${method} ${path}: ${response.status} ${message}`);
    }
    return text ? (JSON.parse(text) as { data: T }).data : (undefined as T);
  }
}
