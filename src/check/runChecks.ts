import { type SymbolFacts, UNKNOWN_FACTS } from '../feed/listing';
import type { MarketId } from '../feed/markets';
import { isSymbol } from '../feed/symbols';
import type { CheckSettings } from './settings';
import type { Venue } from '../feed/venue';
import type { ErrorCode } from '../runtime/errorCatalogue';
import { about, type OrderFlowError, toOrderFlowError, withCode } from '../runtime/errors';
import { storeKeys, storeTopics } from '../store/keys';
import type { SnapshotStore } from '../store/types';
import { type BookAnswer, failedBook, notTradingBook, withoutBook } from './bookAnswer';
import { type CheckItem, checkItem } from './checkItem';
import { fetchBookFromExchange } from './fromExchange';
import { bookFromItem } from './fromItem';
import { judgeMean } from './judgeMean';
import { booksFromStore } from './fromStore';
import type { CheckMemory } from './memory';
import { symbolsOfExchange, symbolsOfStore } from './ruleSymbols';
import { itemOfTestRun, pretends } from './testRun';
import { byPlace, type CheckFailure, type CheckJob, type CheckResult } from './types';

/** How long a stored result is kept, milliseconds. */
const RESULT_TTL_MS = 3_600_000;
/** REST requests under way at once for one run of the node. */
const PARALLEL_REQUESTS = 8;

/**
 * The exchange answers, and says how long to wait. Where a failure ends the run, this is a result without a signal: else
 * a scheduled workflow would fail again and again until a ban ends, and the other symbols would go without their results.
 */
const ASKS_TO_WAIT: ReadonlySet<ErrorCode> = new Set(['OF_RATE_LIMITED', 'OF_BANNED', 'OF_WEIGHT_EXHAUSTED']);

/** What a run of checks may touch. */
export interface CheckWorld {
  readonly store: SnapshotStore;
  readonly memory: CheckMemory;
  readonly wallMs: () => number;
  readonly venueOf: (market: MarketId) => Venue;
  /** One failure ends the run: nothing is reported then, so nothing is noted as reported. */
  readonly stopsAtError?: boolean;
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

export interface Checked {
  readonly results: readonly CheckResult[];
  readonly failures: readonly CheckFailure[];
  /** Of every book, whether it has something to report or not; and how many could not be judged at all. */
  readonly all: { readonly judged: readonly CheckItem[]; readonly failed: number };
}

/**
 * Checks every book that the jobs ask for: all of the store's in one round trip. Results come in the order of the jobs
 * and their symbols; a job that fails as a whole is in `failures`.
 */
export async function runChecks(asked: readonly CheckJob[], world: CheckWorld): Promise<Checked> {
  const { jobs, unanswered } = await chooseSymbols(asked, world);
  const inquiries = [
    unanswered,
    ...(await Promise.all([askStore(jobs, world), askExchange(jobs, world), askItems(jobs, world)])),
  ].flat();
  inquiries.sort((a, b) => a.job.itemIndex - b.job.itemIndex);
  const failures: CheckFailure[] = [];
  const judged: Judged[] = [];
  const nameMarket = new Set(inquiries.flatMap(({ answer }) => answer?.market ?? [])).size > 1;
  for (const [position, { job: of, answer, error }] of inquiries.entries()) {
    const place = { itemIndex: of.itemIndex, position };
    if (error !== null) failures.push({ ...place, error });
    if (answer === null) continue;
    const job = { ...of, settings: { ...of.settings, nameMarket } };
    judged.push({ ...place, item: itemOf(job, answer), job });
  }
  const all = { judged: judged.map(({ item }) => item), failed: failures.length };
  if (world.stopsAtError && failures.length > 0) return { results: [], failures: firstOfEach(failures), all };
  const { results, failed } = await world.memory.filter(judged, ({ job }) => job.settings);
  // The reports of the others are already noted as sent: a failure of the whole run would lose them.
  const unremembered: CheckResult[] = [];
  for (const [{ itemIndex, position, item, job }, error] of failed) {
    if (results.length === 0) failures.push({ itemIndex, position, error });
    else unremembered.push({ itemIndex, position, item: judge(job, failedBook(item, error)) });
  }
  await publish(results, world);
  return { results: [...results, ...unremembered].sort(byPlace), failures: firstOfEach(failures), all };
}

function itemOf(job: CheckJob, answer: BookAnswer): CheckItem {
  const parameters = { ...job.settings.parameters, maxAgeMs: 0 };
  const atAnyAge = () => judge({ ...job, settings: { ...job.settings, parameters } }, answer);
  return itemOfTestRun(judge(job, answer), job, atAnyAge);
}

function judge(job: CheckJob, answer: BookAnswer): CheckItem {
  const { settings } = job;
  const { parameters, source, nameMarket } = settings;
  const asked = checkItem(answer, parameters, source, nameMarket);
  const item = settings.judgeMean ? judgeMean(asked, nameMarket) : asked;
  if (!settings.includeLevels) return item;
  const { levels } = parameters;
  return { ...item, bids: answer.bids.slice(0, levels), asks: answer.asks.slice(0, levels) };
}

/** Jobs with a rule get their symbols; where there are none, the answer says why. */
async function chooseSymbols(
  asked: readonly CheckJob[],
  world: CheckWorld,
): Promise<{ jobs: CheckJob[]; unanswered: Inquiry[] }> {
  const unanswered: Inquiry[] = [];
  const choose = async (job: CheckJob): Promise<CheckJob> => {
    const { settings } = job;
    const { rule, market, keyPrefix } = settings;
    if (rule === null) return job;
    const without = (answer: BookAnswer | null, error: OrderFlowError | null = null) => {
      unanswered.push({ job, answer, error });
      return job;
    };
    try {
      const symbols =
        settings.source === 'store'
          ? await symbolsOfStore(world.store, settings, rule)
          : await symbolsOfExchange(settings, rule, world.venueOf);
      if (symbols.length > 0) return { ...job, settings: { ...settings, symbols } };
      const detail = `the rule finds none: no feed keeps a book of this market under the key prefix "${keyPrefix}". Publish a workflow with a Binance Order Book Trigger: a test run of one keeps its books for checks of named symbols only`;
      return without(withoutBook({ market, symbol: null }, 'missing', detail));
    } catch (error) {
      const failure = toOrderFlowError(error);
      if (world.stopsAtError && ASKS_TO_WAIT.has(failure.code))
        return without(failedBook({ market, symbol: null }, failure));
      return without(null, failure);
    }
  };
  return { jobs: await Promise.all(asked.map(choose)), unanswered };
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
  const inquiries: Array<Inquiry & { readonly symbol: string }> = [];
  for (const job of jobs) {
    if (job.settings.source !== 'exchange') continue;
    for (const symbol of job.settings.symbols) inquiries.push({ job, symbol, answer: null, error: null });
  }
  const waiting = [...inquiries];
  const facts = factsOfExchange(jobs, world);
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift())
      await fetchOne(next, next.symbol, world, facts);
  };
  await Promise.all(Array.from({ length: PARALLEL_REQUESTS }, worker));
  return world.stopsAtError ? inquiries.map((one) => withoutStop(one, inquiries)) : inquiries;
}

/** Of hundreds of symbols that a rule takes, one that fails is a result without a signal, and no stop for the others. */
function withoutStop(inquiry: Inquiry & { readonly symbol: string }, all: readonly Inquiry[]): Inquiry {
  const { job, symbol, error } = inquiry;
  if (error === null || job.settings.rule === null) return inquiry;
  if (!all.some((other) => other.job === job && other.answer !== null)) return inquiry;
  return { ...inquiry, answer: failedBook({ market: job.settings.market, symbol }, error), error: null };
}

type FactsOf = (settings: CheckSettings) => Promise<ReadonlyMap<string, SymbolFacts>>;

/** One question to each list for all the symbols of a run. */
function factsOfExchange(jobs: readonly CheckJob[], world: CheckWorld): FactsOf {
  const asked = new Map<string, Set<string>>();
  const keyOf = ({ market, restBaseUrl }: CheckSettings) => JSON.stringify([market, restBaseUrl]);
  for (const { settings } of jobs) {
    if (settings.source !== 'exchange') continue;
    const symbols = asked.get(keyOf(settings)) ?? new Set();
    asked.set(keyOf(settings), symbols);
    for (const symbol of settings.symbols) symbols.add(symbol);
  }
  const answers = new Map<string, ReturnType<FactsOf>>();
  return (settings) => {
    const key = keyOf(settings);
    const { market, restBaseUrl } = settings;
    const answer =
      answers.get(key) ?? world.venueOf(market).facts({ market, restBaseUrl }, [...(asked.get(key) ?? [])]);
    answers.set(key, answer);
    return answer;
  };
}

async function fetchOne(
  inquiry: Inquiry,
  symbol: string,
  world: CheckWorld,
  factsOf: FactsOf,
): Promise<void> {
  const { settings } = inquiry.job;
  try {
    const { market } = settings;
    // The book is asked for first: where the weight suffices for one request only, it is the one that matters.
    const [book, facts] = await Promise.all([
      fetchBookFromExchange(world.venueOf(market), { market, symbol }, settings),
      factsOf(settings),
    ]);
    const { contractSize, notTrading } = facts.get(symbol) ?? UNKNOWN_FACTS;
    const answer = { ...book, contractSize };
    inquiry.answer = notTrading === null ? answer : notTradingBook(answer, notTrading);
  } catch (error) {
    const failure = about(toOrderFlowError(error), symbol);
    if (world.stopsAtError && ASKS_TO_WAIT.has(failure.code))
      inquiry.answer = failedBook({ market: settings.market, symbol }, failure);
    else inquiry.error = failure;
  }
}

function askItems(jobs: readonly CheckJob[], world: CheckWorld): Inquiry[] {
  return jobs
    .filter(({ settings }) => settings.source === 'item')
    .map((job): Inquiry => {
      try {
        return { job, answer: bookFromItem(job.json, world.wallMs(), job.settings.market), error: null };
      } catch (error) {
        return { job, answer: null, error: toOrderFlowError(error) };
      }
    });
}

/** Stores and publishes the results where asked. A signal is not lost because its copy could not be written. */
async function publish(results: readonly Judged[], world: CheckWorld): Promise<void> {
  await Promise.all(
    results.map(async ({ item, job: { settings } }) => {
      const { symbol } = item;
      // A signal that a test run pretends is nobody else's.
      if (!settings.publish || item.lastUpdateId === null || pretends(settings)) return;
      if (symbol === null || !isSymbol(symbol)) {
        if (world.store.kind === 'memory') return;
        warn(
          item,
          `The result was not published: ${symbol ?? 'an item without a symbol'} has no key in the store`,
        );
        return;
      }
      try {
        // Before anything is under way: if this throws, nothing is left running.
        const text = JSON.stringify(item);
        await Promise.all([
          world.store.setJson(
            storeKeys(settings.keyPrefix, item.market, symbol).imbalance,
            item,
            RESULT_TTL_MS,
          ),
          world.store.publish(storeTopics(settings.topicPrefix, item.market, symbol).imbalance, text),
        ]);
      } catch (error) {
        warn(item, `The result was not published: ${withCode(toOrderFlowError(error))}`);
      }
    }),
  );
}

function warn(item: CheckItem, warning: string): void {
  item.warning = item.warning === undefined ? warning : `${item.warning} ${warning}`;
}

/** Each message once for each item: symbols that fail for the same reason share one error. */
function firstOfEach(failures: readonly CheckFailure[]): CheckFailure[] {
  const seen = new Set<string>();
  return failures.filter(({ itemIndex, error }) => {
    const key = `${itemIndex} ${error.message}`;
    return !seen.has(key) && seen.add(key);
  });
}
