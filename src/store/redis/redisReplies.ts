import { OrderFlowError } from '../../runtime/errors';
import { decodeJson } from '../recordFormat';
import { MAX_LEAD_MS } from '../saveRule';
import type { StoredState, WriteOutcome, WriteReply } from '../types';
import type { RedisNode } from './redisConnection';
import { clockMs } from './redisSession';

/** What a script says of a write; the server's clock, where it is in it, is noted. */
export function writeReply(node: RedisNode, reply: unknown, key: string): WriteReply {
  const parsed = parseReply(reply, key);
  node.sawServerTime(parsed.serverMs);
  return { outcome: parsed.outcome, epoch: parsed.epoch };
}

interface ScriptReply extends WriteReply {
  /** The server's clock; 0 where the script did not ask for it. */
  readonly serverMs: number;
}

/** `outcome:epoch`, with the server's seconds and microseconds where the script knows them. */
export function parseReply(reply: unknown, key: string): ScriptReply {
  const [outcome, number, seconds = '0', micros = '0'] = String(reply).split(':');
  if (outcome === 'foreign') {
    throw new OrderFlowError('OF_RECORD_INVALID', `${key} (it is left as it is)`, { subject: key });
  }
  if (outcome === 'version') {
    throw new OrderFlowError('OF_RECORD_VERSION', `${key} has version ${number}`, { subject: key });
  }
  const serverMs = clockMs([seconds, micros]);
  return { outcome: outcome as WriteOutcome, epoch: Number(number), serverMs };
}

/** A stored state. @param nowMs the server's clock @throws OrderFlowError OF_RECORD_INVALID */
export function decodeState(text: string, nowMs: number, key: string): StoredState {
  const record = decodeJson(text, key);
  const fields = (typeof record === 'object' && record !== null ? record : {}) as Readonly<
    Record<string, unknown>
  >;
  const { format, version, writtenAtMs, value } = fields;
  // The script reads the version from the head: one that says something else further on could never be replaced.
  const head = `{"format":1,"version":${String(version)},"writtenAtMs":${String(writtenAtMs)},"value":`;
  if (
    format !== 1 ||
    !Number.isSafeInteger(version) ||
    (version as number) > nowMs + MAX_LEAD_MS ||
    !Number.isSafeInteger(writtenAtMs) ||
    value === undefined ||
    !text.startsWith(head)
  ) {
    throw new OrderFlowError('OF_RECORD_INVALID', `${key} (it is not a stored state)`, { subject: key });
  }
  return { value, version: version as number, ageMs: Math.max(0, nowMs - (writtenAtMs as number)) };
}
