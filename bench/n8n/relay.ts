import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Every chunk reaches the other side so much later: whatever is sent without waiting for a reply is sent by then. */
const DELAY_MS = 50;

/** Stands between a client and its server and counts how often the client waits for a reply before it goes on. */
export class Relay {
  roundTrips = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    targetPort: number,
  ) {
    server.on('connection', (client) => this.join(client, connect(targetPort, '127.0.0.1')));
  }

  static async start(targetPort: number): Promise<Relay> {
    const server = createServer();
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(0, '127.0.0.1', resolve),
    );
    return new Relay(server, targetPort);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private join(client: Socket, target: Socket): void {
    let answered = true;
    const pass = (from: Socket, to: Socket, onChunk: () => void) => {
      this.sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (chunk: Buffer) => {
        onChunk();
        setTimeout(() => to.write(chunk), DELAY_MS);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    };
    pass(client, target, () => {
      if (answered) this.roundTrips++;
      answered = false;
    });
    pass(target, client, () => (answered = true));
  }
}
