import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that a workflow made, as it arrived. */
export interface Received {
  /** The path without its leading slash, for example `selling`. */
  readonly path: string;
  readonly body: unknown;
  readonly atMs: number;
}

const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * A web server on loopback that takes what the HTTP Request nodes of a workflow post, in order. It is how rows leave
 * n8n: what arrives here has been through n8n's engine and the workflow's branches.
 */
export class Collector {
  readonly received: Received[] = [];
  private readonly waiting = new Set<() => void>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
    private readonly onReceived?: (received: Received) => void,
  ) {
    server.on(
      'request',
      (request: IncomingMessage, response: ServerResponse) => void this.take(request, response),
    );
  }

  static async start(onReceived?: (received: Received) => void): Promise<Collector> {
    const server = createServer();
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(0, '127.0.0.1', resolve),
    );
    return new Collector(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, onReceived);
  }

  /** What has arrived at `path`. */
  at(path: string): Received[] {
    return this.received.filter((received) => received.path === path);
  }

  /** Waits until `enough` says yes about what has arrived so far. */
  async until(
    enough: (received: readonly Received[]) => boolean,
    timeoutMs: number,
    what = 'requests',
  ): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const check = () => {
        if (!enough(this.received)) return;
        clearTimeout(timer);
        this.waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        reject(
          new Error(`Not seen within ${timeoutMs} ms: ${what} (${this.received.length} requests arrived)`),
        );
      }, timeoutMs);
      this.waiting.add(check);
      check();
    });
  }

  clear(): void {
    this.received.length = 0;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of request as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > MAX_BODY_BYTES) return void response.writeHead(413).end();
        chunks.push(chunk);
      }
      const bytes = Buffer.concat(chunks);
      const path = (request.url ?? '/').slice(1).split('?')[0];
      // A form with files, or a file, is kept as it came.
      const isFile = /^(multipart\/form-data|image\/)/.test(request.headers['content-type'] ?? '');
      const body = isFile ? bytes : bytes.length > 0 ? (JSON.parse(bytes.toString('utf8')) as unknown) : null;
      const received = { path, body, atMs: Date.now() };
      this.received.push(received);
      this.onReceived?.(received);
      // As services answer: some nodes of n8n read the reply.
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
      for (const check of [...this.waiting]) check();
    } catch {
      response.writeHead(400).end();
    }
  }
}
