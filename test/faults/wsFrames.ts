import { createHash } from 'node:crypto';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameShape {
  readonly opcode?: number;
  /** False: more fragments follow. */
  readonly final?: boolean;
  /** The bit that says "compressed". */
  readonly compressed?: boolean;
  /** Only clients may. */
  readonly masked?: boolean;
  /** The length that the header states, where it is not the payload's. */
  readonly length?: number;
}

const LENGTH_16_BIT = 126;
const LENGTH_64_BIT = 127;

/** A WebSocket frame as bytes, also one that no server may send. */
export function wsFrame(payload: Buffer | string, shape: FrameShape = {}): Buffer {
  const { opcode = OPCODE.text, final = true, compressed = false, masked = false } = shape;
  const body = Buffer.from(payload);
  const length = shape.length ?? body.length;
  const first = (final ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode;
  const mask = masked ? 0x80 : 0;
  if (length < LENGTH_16_BIT) return Buffer.concat([Buffer.from([first, mask | length]), body]);
  if (length < 0x1_0000) {
    const head = Buffer.from([first, mask | LENGTH_16_BIT, 0, 0]);
    head.writeUInt16BE(length, 2);
    return Buffer.concat([head, body]);
  }
  const head = Buffer.alloc(10);
  head[0] = first;
  head[1] = mask | LENGTH_64_BIT;
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, body]);
}

const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The server's half of the opening handshake. */
export function handshakeReply(request: Buffer, headers: readonly string[] = []): Buffer {
  const key = /^sec-websocket-key: *(\S+)/im.exec(request.toString('latin1'))?.[1] ?? '';
  const accept = createHash('sha1')
    .update(key + ACCEPT_SUFFIX)
    .digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  return Buffer.from([...lines, `Sec-WebSocket-Accept: ${accept}`, ...headers, '', ''].join('\r\n'));
}
