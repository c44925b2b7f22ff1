import type { Direction } from './proxy';

/** A write of the whole record, as it left the package. */
export interface SeenSave {
  readonly atMs: number;
  readonly lastUpdateId: number;
}

interface Wire {
  sent: Buffer;
  received: Buffer;
  /** For each unanswered command: does it write the record? */
  readonly unanswered: boolean[];
}

/** `EVALSHA sha 1 key role epoch id …`: only a save has this many arguments. */
const SAVE_ARGUMENTS = 14;
const KEY_AT = 3;
const ID_AT = 6;

/**
 * Reads along on the way to Redis: which writes of one record are on their way without an answer, and of which book.
 * It looks at the protocol's frames only, so that nothing of the package can deceive it.
 */
export class RedisWire {
  readonly saves: SeenSave[] = [];
  /** Most writes of the record that waited for an answer at the same time. */
  mostInFlight = 0;
  private readonly wires = new Map<number, Wire>();

  constructor(private readonly key: string) {}

  readonly onBytes = (connection: number, direction: Direction, bytes: Buffer): void => {
    const wire = this.wires.get(connection) ?? { sent: NOTHING, received: NOTHING, unanswered: [] };
    this.wires.set(connection, wire);
    if (direction === 'up') {
      wire.sent = Buffer.concat([wire.sent, bytes]);
      for (let read = command(wire.sent); read !== null; read = command(wire.sent)) {
        wire.sent = wire.sent.subarray(read.end);
        this.onCommand(wire, read.parts);
      }
      return;
    }
    wire.received = Buffer.concat([wire.received, bytes]);
    for (let end = replyEnd(wire.received, 0); end > 0; end = replyEnd(wire.received, 0)) {
      wire.received = wire.received.subarray(end);
      wire.unanswered.shift();
    }
  };

  /** The package has given the connection up: it waits for nothing there any more. */
  readonly onLeft = (connection: number): void => void this.wires.delete(connection);

  private onCommand(wire: Wire, parts: readonly Buffer[]): void {
    const name = parts[0].toString().toUpperCase();
    const writes = /^EVAL(SHA)?$/.test(name) && parts[KEY_AT]?.toString() === this.key;
    wire.unanswered.push(writes);
    if (!writes) return;
    if (parts.length === SAVE_ARGUMENTS)
      this.saves.push({ atMs: performance.now(), lastUpdateId: Number(parts[ID_AT]) });
    let inFlight = 0;
    for (const { unanswered } of this.wires.values()) inFlight += unanswered.filter(Boolean).length;
    this.mostInFlight = Math.max(this.mostInFlight, inFlight);
  }
}

const NOTHING = Buffer.alloc(0);

function line(bytes: Buffer, at: number): { readonly text: string; readonly end: number } | null {
  const end = bytes.indexOf('\r\n', at);
  return end < 0 ? null : { text: bytes.toString('latin1', at, end), end: end + 2 };
}

/** A whole command at the start of the bytes, null where it has not all come. */
function command(bytes: Buffer): { readonly parts: Buffer[]; readonly end: number } | null {
  const head = line(bytes, 0);
  if (head === null) return null;
  const parts: Buffer[] = [];
  let at = head.end;
  for (let left = Number(head.text.slice(1)); left > 0; left--) {
    const length = line(bytes, at);
    if (length === null) return null;
    const end = length.end + Number(length.text.slice(1));
    if (bytes.length < end + 2) return null;
    parts.push(bytes.subarray(length.end, end));
    at = end + 2;
  }
  return { parts, end: at };
}

/** Where the reply that begins at `at` ends; -1 where it has not all come. */
function replyEnd(bytes: Buffer, at: number): number {
  const head = line(bytes, at);
  if (head === null) return -1;
  const count = Number(head.text.slice(1));
  switch (head.text[0]) {
    case '$':
    case '=':
    case '!':
      return count < 0 ? head.end : head.end + count + 2 <= bytes.length ? head.end + count + 2 : -1;
    case '*':
    case '~':
    case '%': {
      let end = head.end;
      for (let left = head.text[0] === '%' ? 2 * count : count; left > 0 && end > 0; left--)
        end = replyEnd(bytes, end);
      return end;
    }
    default:
      return head.end;
  }
}
