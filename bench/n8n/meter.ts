import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A book that an execution began with: event time, receipt, books passed over; milliseconds since 1970. */
export type StartedBook = readonly [
  eventTimeMs: number | null,
  receivedAtMs: number | null,
  passedOver: number | null,
];

/** What the probe and the hooks in n8n say. All times are of one machine's clock. */
export type Reported =
  | {
      readonly kind: 'started';
      readonly workflow: string;
      readonly atMs: number;
      readonly books: readonly StartedBook[];
    }
  | { readonly kind: 'taken' | 'ended'; readonly workflow: string; readonly atMs: number };

/** Records what n8n reports, line by line, in order. */
export class Meter {
  readonly reported: Reported[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => this.take(socket));
  }

  static async start(): Promise<Meter> {
    const server = createServer();
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(0, '127.0.0.1', resolve),
    );
    return new Meter(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** What was reported of a workflow within a period. */
  of(workflow: string, fromMs: number, toMs: number): Reported[] {
    return this.reported.filter(
      (reported) => reported.workflow === workflow && reported.atMs >= fromMs && reported.atMs < toMs,
    );
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private take(socket: Socket): void {
    this.sockets.add(socket);
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.reported.push(JSON.parse(line) as Reported);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
  }
}
