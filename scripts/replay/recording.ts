import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGunzip, gunzipSync } from 'node:zlib';
import { parseDepthReply, parseFrame } from '../../src/binance/wire';
import type { DepthReply, DepthUpdate } from '../../src/book/types';
import { OrderFlowError } from '../../src/runtime/errors';

/** Longer than any real event. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/** A recording: depth events a line, one REST reply, and after which line the reply came. Each file `.gz` or not. */
export interface Recording {
  readonly reply: DepthReply;
  /** The reply is joined after so many lines; 0 = before the first. */
  readonly replyAfterLine: number;
  /** Reads the events one by one, from the start at each call. */
  events(): AsyncGenerator<RecordedEvent>;
}

export interface RecordedEvent {
  /** From 1. */
  readonly line: number;
  readonly update: DepthUpdate;
}

/**
 * @param requirePrevious futures: every event names the one before
 * @throws OrderFlowError OF_RECORDING
 */
export function openRecording(folder: string, requirePrevious: boolean): Recording {
  const events = findFile(folder, 'events.ndjson') ?? fail(`no events.ndjson in ${folder}`);
  const snapshot = findFile(folder, 'snapshot.json') ?? fail(`no snapshot.json in ${folder}`);
  return {
    reply: readReply(snapshot),
    replyAfterLine: readReplyAfterLine(folder),
    events: () => readEvents(events, requirePrevious),
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

async function* readEvents(path: string, requirePrevious: boolean): AsyncGenerator<RecordedEvent> {
  let number = 0;
  for await (const text of readLines(path)) {
    number++;
    if (text === '') continue;
    yield { line: number, update: parseEvent(text, number, requirePrevious) };
  }
}

function parseEvent(text: string, number: number, requirePrevious: boolean): DepthUpdate {
  try {
    const message = parseFrame(text, requirePrevious);
    if (message.kind === 'depth') return message.update;
    return fail(`line ${number} is no depth event`);
  } catch (error) {
    if (error instanceof OrderFlowError && error.code === 'OF_RECORDING') throw error;
    return fail(`line ${number}: ${detailOf(error)}`, error);
  }
}

/** Splits a file into lines as it is read, so that a recording of any length fits into memory. */
async function* readLines(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const source = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  if (source !== file) file.on('error', (error) => source.destroy(error));
  source.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of source as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE_CHARACTERS) fail('a line is longer than any real event');
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    }
  } catch (error) {
    if (error instanceof OrderFlowError) throw error;
    fail(`the events cannot be read: ${detailOf(error)}`, error);
  } finally {
    file.destroy();
    source.destroy();
  }
  if (rest !== '') yield rest;
}

function detailOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
