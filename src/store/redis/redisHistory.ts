import { type AppendOutcome, mostSamples } from '../../history/appendRule';
import { decodeSample, encodeSample, formatOf, HISTORY_FIELD, HISTORY_FORMAT } from '../../history/encoding';
import type { HistorySample } from '../../history/sample';
import { monotonicMs } from '../../runtime/time';
import {
  type AppendRequest,
  type HistoryRange,
  type HistoryStore,
  MAX_HISTORY_READ,
  type StoredHistory,
} from '../historyTypes';
import { APPEND_HISTORY } from './historyScript';
import type { RedisNode } from './redisConnection';
import { clockMs } from './redisSession';
import type { StoreScript } from './scripts';

/** What the histories need of their store. */
export interface HistoryAccess {
  /** Does something with the server that holds the key. */
  at<T>(key: string, act: (node: RedisNode) => Promise<T>): Promise<T>;
  script(node: RedisNode, script: StoreScript, key: string, args: readonly string[]): Promise<unknown>;
  /** Sends a command about a key; an error names it. */
  command(node: RedisNode, key: string, args: readonly string[]): Promise<unknown>;
  /** Reads a script's reply, and learns the server's clock from it. @throws OrderFlowError OF_RECORD_INVALID, OF_RECORD_VERSION */
  outcome(node: RedisNode, reply: unknown, key: string): string;
}

/** Histories in Redis: a stream for each symbol. */
export class RedisHistory implements HistoryStore {
  constructor(private readonly access: HistoryAccess) {}

  append(key: string, { epoch, sample, ageMs, forMs }: AppendRequest): Promise<AppendOutcome> {
    const from = monotonicMs();
    return this.access.at(key, async (node) => {
      const timeMs = Math.round(node.serverTimeMs() - ageMs - (monotonicMs() - from));
      const args = [epoch, timeMs, forMs, mostSamples(forMs, sample.everyMs)].map(String);
      const reply = await this.access.script(node, APPEND_HISTORY, key, [...args, encodeSample(sample)]);
      return this.access.outcome(node, reply, key) as AppendOutcome;
    });
  }

  read(key: string, { fromMs, toMs, lastMs, limit }: HistoryRange): Promise<StoredHistory> {
    return this.access.at(key, async (node) => {
      const end = toMs ?? clockMs(await node.command(['TIME']));
      const start = Math.max(0, fromMs ?? end - lastMs);
      const count = Math.min(limit, MAX_HISTORY_READ);
      // One more shows whether there are older ones.
      const words = ['XREVRANGE', key, String(Math.max(0, end)), String(start), 'COUNT', String(count + 1)];
      const entries = (await this.access.command(node, key, words)) as Entry[];
      const given = entries.slice(0, count).reverse().map(readEntry);
      return {
        samples: given.filter((one): one is HistorySample => typeof one === 'object' && one !== null),
        fromMs: start,
        toMs: end,
        cut: entries.length > count,
        unreadable: given.filter((one) => typeof one !== 'object' || one === null).length,
        unknownVersion: given.find((one): one is number => typeof one === 'number') ?? null,
      };
    });
  }
}

type Entry = readonly [id: string, fields: readonly string[]];

/** The sample; else the version that the entry names, or null where it names none that is unknown. */
function readEntry([id, [field, text = '']]: Entry): HistorySample | number | null {
  if (field !== HISTORY_FIELD) return null;
  const sample = decodeSample(Number(id.split('-')[0]), text);
  if (sample !== null) return sample;
  const version = formatOf(text);
  return version === HISTORY_FORMAT ? null : version;
}
