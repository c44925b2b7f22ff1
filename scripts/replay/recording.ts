import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGunzip, gunzipSync } from 'node:zlib';
import { parseDepthReply } from '../../src/binance/wire/jsonReader';
import type { DepthReply } from '../../src/book/types';
import { OrderFlowError } from '../../src/runtime/errors';

/** Longer than any real event. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** A recording: depth events a line, one REST reply, and after which line the reply came. Each file `.gz` or not. */
export interface Recording {
  readonly reply: DepthReply;
  /** The reply is joined after this many lines; 0 = before the first. */
  readonly replyAfterLine: number;
  /** Reads the events one by one, from the start at each call. */
  events(): AsyncGenerator<RecordedFrame>;
}

/** An event as it came over the wire. */
export interface RecordedFrame {
  /** From 1. */
  readonly line: number;
  readonly bytes: Buffer;
}

/** @throws OrderFlowError OF_RECORDING */
export function openRecording(folder: string): Recording {
  const events = findFile(folder, 'events.ndjson') ?? fail(`no events.ndjson in ${folder}`);
  const snapshot = findFile(folder, 'snapshot.json') ?? fail(`no snapshot.json in ${folder}`);
  return {
    reply: readReply(snapshot),
    replyAfterLine: readReplyAfterLine(folder),
    events: () => readEvents(events),
  };
}

function fail(detail: string, cause?: unknown): never {
  throw new OrderFlowError('OF_RECORDING', detail, { cause });
}

function findFile(folder: string, name: string): string | null {
  const plain = join(folder, name);
  return [plain, `${plain}.gz`].find((path) => existsSync(path)) ?? null;
}

function readReply(path: string): DepthReply {
  try {
    return parseDepthReply(readText(path));
  } catch (error) {
    return fail(`the REST reply: ${detailOf(error)}`, error);
  }
}

/** The recorder noted "<receive time> after_event_line <count>"; without a note the reply comes first. */
function readReplyAfterLine(folder: string): number {
  for (const note of ['snapshot.recv_ns.txt', 'snapshot.recv_s.txt']) {
    const path = findFile(folder, note);
    const match = path === null ? null : /after_event_line (\d+)/.exec(readText(path));
    if (match) return Number(match[1]);
  }
  return 0;
}

function readText(path: string): string {
  const bytes = readFileSync(path);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

async function* readEvents(path: string): AsyncGenerator<RecordedFrame> {
  let line = 0;
  for await (const bytes of readLines(path)) {
    line++;
    if (bytes.length > 0) yield { line, bytes };
  }
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Splits a file into lines as it is read, so that a recording of any length fits into memory. */
async function* readLines(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  const source = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  if (source !== file) file.on('error', (error) => source.destroy(error));
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
        yield bytes.subarray(start, bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end);
        start = end + 1;
      }
      rest = bytes.subarray(start);
      if (rest.length > MAX_LINE_BYTES) fail('a line is longer than any real event');
    }
  } catch (error) {
    if (error instanceof OrderFlowError) throw error;
    fail(`the events cannot be read: ${detailOf(error)}`, error);
  } finally {
    file.destroy();
    source.destroy();
  }
  if (rest.length > 0) yield rest;
}

function detailOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
