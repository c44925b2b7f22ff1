import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an execution that is held has asked with. */
export interface Held {
  readonly workflow: string;
  readonly execution: string;
}

/** A web server that workflows ask as their last step: it answers at once, unless a test wants to hold an execution. */
export class Holds {
  /** Milliseconds that each execution of a workflow takes. */
  readonly takes = new Map<string, number>();
  private wanted: { workflow: string; found: (held: Held) => void } | null = null;
  private readonly held = new Set<ServerResponse>();

  private constructor(private readonly server: Server) {
    server.on('request', ({ url = '/' }, response) => {
      const [workflow, execution] = url.slice(1).split('/');
      if (this.wanted?.workflow !== workflow)
        return void setTimeout(() => response.end('ok'), this.takes.get(workflow) ?? 0);
      this.held.add(response);
      this.wanted.found({ workflow, execution });
      this.wanted = null;
    });
  }

  static async start(): Promise<Holds> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Holds(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Resolves when an execution of the workflow waits for its answer. */
  next(workflow: string): Promise<Held> {
    return new Promise((found) => (this.wanted = { workflow, found }));
  }

  release(): void {
    this.wanted = null;
    for (const response of this.held) response.end('ok');
    this.held.clear();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
