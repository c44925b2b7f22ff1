import { DELISTED } from '../feed/listing';
import { isOrderFlowError } from '../runtime/errors';
import { storeKeys } from '../store/keys';
import type { ReadResult, SnapshotStore, StoredBook } from '../store/types';
import { emptied, noteSeen, seenAgoMs } from './seenRecords';
import { type BookAnswer, type BookRequest, failedBook, notTradingBook, withoutBook } from './bookAnswer';

/** A feed renews its record each second; one that is younger than this has a feed at work. Milliseconds. */
const FRESH_MS = 15_000;

/** Reads any number of books in one round trip. A record that cannot be used answers with its reason. */
export async function booksFromStore(
  store: SnapshotStore,
  keyPrefix: string,
  requests: readonly BookRequest[],
): Promise<BookAnswer[]> {
  const keys = requests.map(({ market, symbol }) => storeKeys(keyPrefix, market, symbol).orderbook);
  const results = await store.readBooks(keys);
  results.forEach((result, i) => {
    if (result === null) return;
    const fresh = !isOrderFlowError(result) && result.record.state === 'live' && result.ageMs < FRESH_MS;
    noteSeen(store, keys[i], fresh);
  });
  const answers = requests.map((request, i) => toAnswer(request, keys[i], results[i]));
  await askFeeds(store, keyPrefix, answers);
  return answers;
}

/** What the errors that end a feed say of its symbol. */
const ENDED: { readonly [code in string]?: string } = {
  OF_UNKNOWN_SYMBOL: DELISTED,
  OF_CONTRACT_CLOSED: 'CLOSE',
};

/**
 * Where a record does not say enough, the status of its feed may: a symbol that was delisted has stopped it for good, and
 * a store without record and status was emptied where this process has seen both.
 */
async function askFeeds(store: SnapshotStore, keyPrefix: string, answers: BookAnswer[]): Promise<void> {
  const doubtful = [...answers.entries()].flatMap(([i, { market, symbol, trust }]) =>
    symbol !== null && (trust.kind === 'syncing' || trust.kind === 'missing')
      ? { i, market, symbol, keys: storeKeys(keyPrefix, market, symbol) }
      : [],
  );
  if (doubtful.length === 0) return;
  // A user with the right to read books only gets the answers as they are.
  const statuses = await store.readFeedStatus(doubtful.map(({ keys }) => keys.feed)).catch(() => []);
  doubtful.forEach(({ i, market, symbol, keys }, at) => {
    const status = statuses[at];
    if (status === undefined || isOrderFlowError(status)) return;
    if (status === null) {
      const agoMs = answers[i].trust.kind === 'missing' ? seenAgoMs(store, keys.orderbook) : null;
      if (agoMs !== null)
        answers[i] = withoutBook({ market, symbol }, 'missing', emptied(keys.orderbook, agoMs));
      return;
    }
    const { record } = status;
    if (record.market !== market || record.symbol !== symbol) return;
    const ended = ENDED[record.errorCode ?? ''] ?? (record.notTrading === DELISTED ? DELISTED : undefined);
    if (ended !== undefined) answers[i] = notTradingBook(answers[i], ended);
    else if (answers[i].trust.kind === 'missing' && record.state === 'live' && status.ageMs < FRESH_MS)
      answers[i] = withoutBook(
        { market, symbol },
        'missing',
        `there is no record at "${keys.orderbook}" yet. Its feed is live and writes it within seconds`,
      );
  });
}

function toAnswer(request: BookRequest, key: string, result: ReadResult<StoredBook>): BookAnswer {
  if (result === null) {
    return withoutBook(
      request,
      'missing',
      `there is no record at "${key}". Publish a workflow with a Binance Order Book Trigger for this symbol, market, store and key prefix`,
    );
  }
  if (isOrderFlowError(result)) return failedBook(request, result);
  const { record, ageMs } = result;
  if (record.market !== request.market || record.symbol !== request.symbol) {
    return withoutBook(request, 'error', `the record at "${key}" is of ${record.market} ${record.symbol}`);
  }
  const { bids, asks, bidsComplete, asksComplete, lastUpdateId, epoch, eventTimeMs, receivedAtMs, flow } =
    record;
  const trust =
    record.state === 'live'
      ? ({ kind: 'ok', ageMs } as const)
      : ({
          kind: 'syncing',
          detail: record.state === 'stopped' ? 'the feed was stopped' : 'the feed is fetching the book again',
        } as const);
  const { contractSize, tradingStatus } = record;
  const answer: BookAnswer = {
    ...{ exchange: 'binance', market: record.market, symbol: record.symbol },
    ...{ bids, asks, bidsComplete, asksComplete, lastUpdateId, epoch, eventTimeMs, receivedAtMs, flow },
    resyncCount: record.resyncs,
    keptLevels: record.levels,
    trust,
    contractSize,
  };
  // A record without a writer does not know what the exchange does now.
  const known = record.state === 'live' || tradingStatus === DELISTED;
  return tradingStatus !== undefined && known ? notTradingBook(answer, tradingStatus) : answer;
}
