import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Where Node tells of every socket that this process opens. */
const CHANNEL = 'net.client.socket';

/**
 * The client sockets that this process opens from now on. What each has read is counted where it is read: what is let
 * go again counts too, what only the kernel holds does not. The owner ends it.
 */
export class ClientSockets {
  private readonly sockets: Array<{ readonly socket: Socket; port: number | undefined }> = [];

  constructor() {
    subscribe(CHANNEL, this.onSocket);
  }

  /** Bytes read by each, in the order in which they were opened; `port`: only of those that lead there. */
  bytesRead(port?: number): number[] {
    return this.sockets
      .filter((one) => port === undefined || one.port === port)
      .map(({ socket }) => socket.bytesRead);
  }

  end(): void {
    unsubscribe(CHANNEL, this.onSocket);
  }

  private readonly onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    const one = { socket, port: undefined as number | undefined };
    // Asked later it would not know any more.
    socket.once('connect', () => (one.port = socket.remotePort));
    this.sockets.push(one);
  };
}
