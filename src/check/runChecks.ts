import type { MarketId } from '../binance/markets';
import { type OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { storeKeys, storeTopics } from '../store/keys';
import type { SnapshotStore } from '../store/types';
import { type BookAnswer, failedBook } from './bookAnswer';
import { type CheckItem, checkItem } from './checkItem';
import { bookFromItem } from './fromItem';
import { judgeMean } from './judgeMean';
import { booksFromStore } from './fromStore';
import type { CheckMemory } from './memory';
import type { CheckSettings } from './settings';

/** How long a stored result stands, milliseconds. */
export const RESULT_TTL_MS = 3_600_000;
/** REST requests under way at once for one run of the node. */
const PARALLEL_REQUESTS = 8;

/** One incoming item with what it asks for. */
export interface CheckJob {
  readonly itemIndex: number;
  readonly settings: CheckSettings;
  readonly json: Record<string, unknown>;
}

export interface CheckResult {
  readonly itemIndex: number;
  readonly item: CheckItem;
}

export interface CheckFailure {
  readonly itemIndex: number;
  readonly error: OrderFlowError;
}

/** What a run of checks may touch. */
export interface CheckWorld {
  readonly store: SnapshotStore;
  readonly memory: CheckMemory;
  readonly wallMs: () => number;
  readonly fetchBook: (market: MarketId, symbol: string, settings: CheckSettings) => Promise<BookAnswer>;
}

/** A result with the job that asked for it. */
interface Judged extends CheckResult {
  readonly job: CheckJob;
}

/** One book to be judged for one job. */
interface Inquiry {
  readonly job: CheckJob;
  answer: BookAnswer | null;
  error: OrderFlowError | null;
}

/**
 * Checks every book that the jobs ask for: all of the store's in one round trip. Results come in the order of the jobs
 * and their symbols; a job that fails as a whole is in `failures`.
 */
export async function runChecks(
  jobs: readonly CheckJob[],
  world: CheckWorld,
): Promise<{ results: CheckResult[]; failures: CheckFailure[] }> {
  const inquiries = (
    await Promise.all([askStore(jobs, world), askExchange(jobs, world), askItems(jobs, world)])
  ).flat();
  inquiries.sort((a, b) => a.job.itemIndex - b.job.itemIndex);
  const failures: CheckFailure[] = [];
  const judged: Judged[] = [];
  for (const { job, answer, error } of inquiries) {
    if (error !== null) failures.push({ itemIndex: job.itemIndex, error });
    if (answer === null) continue;
    judged.push({ itemIndex: job.itemIndex, item: judge(job, answer), job });
  }
  const { results, failed } = await world.memory.filter(judged, ({ job }) => job.settings);
  // What the others have to say is noted as told: a failure of the whole run would lose it.
  const unremembered: CheckResult[] = [];
  for (const [{ itemIndex, item, job }, error] of failed) {
    if (results.length === 0) failures.push({ itemIndex, error });
    else unremembered.push({ itemIndex, item: judge(job, failedBook(item, error)) });
  }
  await publish(results, world);
  const all = [...results, ...unremembered].sort((a, b) => a.itemIndex - b.itemIndex);
  return { results: all, failures: firstOfEach(failures) };
}

function judge(job: CheckJob, answer: BookAnswer): CheckItem {
  const { settings } = job;
  const asked = checkItem(answer, settings.parameters, settings.source);
  const item = settings.judgeMean ? judgeMean(asked) : asked;
  if (!settings.includeLevels) return item;
  const { levels } = settings.parameters;
  return { ...item, bids: answer.bids.slice(0, levels), asks: answer.asks.slice(0, levels) };
}

async function askStore(jobs: readonly CheckJob[], world: CheckWorld): Promise<Inquiry[]> {
  const byPrefix = new Map<string, Array<{ job: CheckJob; symbol: string }>>();
  for (const job of jobs) {
    if (job.settings.source !== 'store') continue;
    const asked = byPrefix.get(job.settings.keyPrefix) ?? [];
    for (const symbol of job.settings.symbols) asked.push({ job, symbol });
    byPrefix.set(job.settings.keyPrefix, asked);
  }
  const groups = [...byPrefix].map(async ([keyPrefix, asked]): Promise<Inquiry[]> => {
    const requests = asked.map(({ job, symbol }) => ({ market: job.settings.market, symbol }));
    try {
      const answers = await booksFromStore(world.store, keyPrefix, requests);
      return asked.map(({ job }, i) => ({ job, answer: answers[i], error: null }));
    } catch (error) {
      const failure = toOrderFlowError(error);
      return asked.map(({ job }) => ({ job, answer: null, error: failure }));
    }
  });
  return (await Promise.all(groups)).flat();
}

async function askExchange(jobs: readonly CheckJob[], world: CheckWorld): Promise<Inquiry[]> {
  const waiting: Array<{ inquiry: Inquiry; symbol: string }> = [];
  for (const job of jobs) {
    if (job.settings.source !== 'exchange') continue;
    for (const symbol of job.settings.symbols)
      waiting.push({ inquiry: { job, answer: null, error: null }, symbol });
  }
  const inquiries = waiting.map(({ inquiry }) => inquiry);
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift())
      await fetchOne(next.inquiry, next.symbol, world);
  };
  await Promise.all(Array.from({ length: PARALLEL_REQUESTS }, worker));
  return inquiries;
}

async function fetchOne(inquiry: Inquiry, symbol: string, world: CheckWorld): Promise<void> {
  const { settings } = inquiry.job;
  try {
    inquiry.answer = await world.fetchBook(settings.market, symbol, settings);
  } catch (error) {
    const failure = toOrderFlowError(error);
    // What passes by itself is a book that is not to be had now; the rest the user has to mend.
    if (failure.retryable) inquiry.answer = failedBook({ market: settings.market, symbol }, failure);
    else inquiry.error = failure;
  }
}

function askItems(jobs: readonly CheckJob[], world: CheckWorld): Inquiry[] {
  return jobs
    .filter(({ settings }) => settings.source === 'item')
    .map((job): Inquiry => {
      try {
        return { job, answer: bookFromItem(job.json, world.wallMs()), error: null };
      } catch (error) {
        return { job, answer: null, error: toOrderFlowError(error) };
      }
    });
}

/** Stores and publishes the results where asked. A signal is not lost because its copy could not be written. */
async function publish(results: readonly Judged[], world: CheckWorld): Promise<void> {
  if (world.store.kind !== 'redis') return;
  await Promise.all(
    results.map(async ({ item, job: { settings } }) => {
      if (!settings.publish || item.lastUpdateId === null) return;
      try {
        // Before anything is under way: nobody would wait for it should this throw.
        const text = JSON.stringify(item);
        await Promise.all([
          world.store.setJson(
            storeKeys(settings.keyPrefix, item.market, item.symbol).imbalance,
            item,
            RESULT_TTL_MS,
          ),
          world.store.publish(storeTopics(settings.topicPrefix, item.market, item.symbol).imbalance, text),
        ]);
      } catch (error) {
        const { message, code } = toOrderFlowError(error);
        item.warning = `The result was not published: ${message} [${code}]`;
      }
    }),
  );
}

/** A node reports one error an item. */
function firstOfEach(failures: readonly CheckFailure[]): CheckFailure[] {
  const seen = new Set<number>();
  return failures.filter(({ itemIndex }) => !seen.has(itemIndex) && seen.add(itemIndex));
}
