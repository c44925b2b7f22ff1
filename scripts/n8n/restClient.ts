import { request } from 'node:http';
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
// n8n tries a trigger that refuses five times, with pauses in between.
const PUBLICATION_TIMEOUT_MS = 120_000;
const REMOVE_TIMEOUT_MS = 20_000;
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

interface PublicationStatus {
  readonly status: 'in_progress' | 'not_published' | 'published' | 'partial' | 'failed';
  readonly triggers: ReadonlyArray<{ readonly errorMessage: string | null }>;
}

/** n8n 2.0 starts triggers within the request itself, and has nothing to ask for. */
function withoutPublications(error: unknown): PublicationStatus {
  if (error instanceof N8nRequestError && error.status === 404) return { status: 'published', triggers: [] };
  throw error;
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
    return await this.request<SavedWorkflow>('POST', '/rest/workflows', {
      settings: {},
      active: false,
      ...workflow,
    });
  }

  async getWorkflow(id: string): Promise<SavedWorkflow> {
    return await this.request<SavedWorkflow>('GET', `/rest/workflows/${id}`);
  }

  /** Saves changes, as the editor's Save does; what runs changes with the next `activate`. */
  async updateWorkflow(id: string, changes: Partial<Workflow>): Promise<SavedWorkflow> {
    return await this.request<SavedWorkflow>('PATCH', `/rest/workflows/${id}`, changes);
  }

  /**
   * Publishes the saved version and waits until its triggers run. Rejects with the trigger's own message if one
   * refuses; n8n then goes on trying for a while by itself.
   */
  async activate(id: string): Promise<SavedWorkflow> {
    const { versionId } = await this.getWorkflow(id);
    const body = { versionId, name: '', description: '' };
    const saved = await this.request<SavedWorkflow>('POST', `/rest/workflows/${id}/activate`, body);
    const { status, triggers } = await this.publicationSettled(id, ['in_progress', 'not_published']);
    if (status === 'published') return saved;
    const messages = triggers.flatMap(({ errorMessage }) => errorMessage ?? []);
    throw new N8nRequestError(400, messages.join('\n') || `workflow ${id} is ${status}`);
  }

  /** Waits until its triggers have ended. */
  async deactivate(id: string): Promise<void> {
    await this.request('POST', `/rest/workflows/${id}/deactivate`, {});
    await this.publicationSettled(id, ['in_progress']);
  }

  /**
   * n8n starts and ends triggers in the background; this waits until it has done so. It looks at the work and at its
   * result side by side, so what ends in between is for a moment neither under way nor published.
   */
  private async publicationSettled(
    id: string,
    unsettled: ReadonlyArray<PublicationStatus['status']>,
  ): Promise<PublicationStatus> {
    const deadline = performance.now() + PUBLICATION_TIMEOUT_MS;
    for (;;) {
      const found = await this.request<PublicationStatus>(
        'GET',
        `/rest/workflows/${id}/publication-status`,
      ).catch(withoutPublications);
      if (!unsettled.includes(found.status)) return found;
      if (performance.now() > deadline) throw new Error(`Workflow ${id} is still being published`);
      await delay(POLL_MS);
    }
  }

  /** Deactivates, archives and deletes, as n8n asks for; waits while n8n still takes the workflow down. */
  async removeWorkflow(id: string): Promise<void> {
    await this.deactivate(id);
    await this.request('POST', `/rest/workflows/${id}/archive`, {});
    const deadline = performance.now() + REMOVE_TIMEOUT_MS;
    for (;;) {
      try {
        return await this.request('DELETE', `/rest/workflows/${id}`);
      } catch (error) {
        const busy = error instanceof N8nRequestError && error.status === 409;
        if (!busy || performance.now() > deadline) throw error;
        await delay(POLL_MS);
      }
    }
  }

  /**
   * A manual run from the named trigger, as the editor's button starts it. Returns the execution's id at once.
   * @param items what the trigger is to have given, in place of waiting for it
   */
  async runManually(id: string, trigger: string, items?: ReadonlyArray<{ json: object }>): Promise<string> {
    const ran = { startTime: Date.now(), executionTime: 0, executionStatus: 'success', source: [] };
    const data = items && { ...ran, data: { main: [items] } };
    // Older versions run what they are sent, newer ones what they have saved.
    const workflowData = await this.getWorkflow(id);
    const body = { workflowData, triggerToStartFrom: { name: trigger, data } };
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
    const { status, text, cookies } = await send(new URL(path, this.url), method, this.cookie, body);
    for (const cookie of cookies) {
      if (cookie.startsWith('n8n-auth=')) this.cookie = cookie.split(';')[0];
    }
    if (status < 200 || status > 299) {
      const message = /"message":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text.slice(0, 500);
      throw new N8nRequestError(status, `${method} ${path}: ${status} ${message}`);
    }
    return text ? (JSON.parse(text) as { data: T }).data : (undefined as T);
  }
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly cookies: readonly string[];
}

/** A connection for each request: a kept one may be closed by n8n at the moment it is used again. */
function send(url: URL, method: string, cookie: string, body: unknown): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = {
      method,
      agent: false,
      headers: { 'content-type': 'application/json', ...(cookie && { cookie }) },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    };
    const sent = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
          cookies: response.headers['set-cookie'] ?? [],
        }),
      );
    });
    sent.once('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
