import type { MarketId } from '../profiles';
import type { Connection } from './connection';
import type { Counters } from './stats';
import { encodeWrapped } from '../wire/encode';

/** A stream's name may ask for microseconds by the connection, so frames are written once for each form asked for. */
export interface Frame {
  /** The event's JSON; `microseconds` where the connection asked for that. */
  body(microseconds: boolean): string;
}

/** Which connections listen to which stream, and the sending to all of them. */
export class Hub {
  private readonly listeners = new Map<string, Set<Connection>>();
  readonly connections = new Set<Connection>();

  constructor(
    readonly market: MarketId,
    private readonly counters: Counters,
    private readonly onFirstListener: (stream: string) => void,
  ) {}

  subscribe(connection: Connection, stream: string): void {
    let set = this.listeners.get(stream);
    if (set === undefined) this.listeners.set(stream, (set = new Set()));
    set.add(connection);
    this.onFirstListener(stream);
  }

  unsubscribe(connection: Connection, stream: string): void {
    const set = this.listeners.get(stream);
    if (set?.delete(connection) && set.size === 0) this.listeners.delete(stream);
  }

  add(connection: Connection): void {
    this.connections.add(connection);
  }

  remove(connection: Connection): void {
    this.connections.delete(connection);
    for (const stream of connection.streams) this.unsubscribe(connection, stream);
  }

  listens(stream: string): boolean {
    return this.listeners.has(stream);
  }

  /** Sends to every listener that is not on a silent route; `each` sees them before. */
  publish(stream: string, frame: Frame, each?: (connection: Connection) => void): void {
    const set = this.listeners.get(stream);
    if (set === undefined) return;
    const written = new Map<string, Buffer>();
    for (const connection of set) {
      const { silent, microseconds } = connection.setup;
      if (silent) continue;
      each?.(connection);
      const form = `${connection.combined}/${microseconds}`;
      let bytes = written.get(form);
      if (bytes === undefined) {
        const body = frame.body(microseconds);
        bytes = Buffer.from(connection.combined ? encodeWrapped(stream, body) : body);
        written.set(form, bytes);
      }
      connection.send(bytes);
      this.counters.eventsSent++;
    }
  }

  publishBytes(stream: string, bytes: Buffer, binary: boolean): void {
    for (const connection of this.listeners.get(stream) ?? []) {
      if (!connection.setup.silent) connection.send(bytes, binary);
    }
  }

  /** Most open connections that share a diff stream. */
  mostListeners(): number {
    let most = 0;
    for (const [stream, set] of this.listeners) {
      if (/@depth(@\d+ms)?$/.test(stream)) most = Math.max(most, set.size);
    }
    return most;
  }
}
