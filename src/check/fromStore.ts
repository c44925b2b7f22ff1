import { isOrderFlowError } from '../runtime/errors';
import { storeKeys } from '../store/keys';
import type { ReadResult, SnapshotStore, StoredBook } from '../store/types';
import { type BookAnswer, type BookRequest, failedBook, withoutBook } from './bookAnswer';

/** Reads any number of books in one round trip. A record that cannot be used answers with its reason. */
export async function booksFromStore(
  store: SnapshotStore,
  keyPrefix: string,
  requests: readonly BookRequest[],
): Promise<BookAnswer[]> {
  const keys = requests.map(({ market, symbol }) => storeKeys(keyPrefix, market, symbol).orderbook);
  const results = await store.readBooks(keys);
  return requests.map((request, i) => toAnswer(request, keys[i], results[i]));
}

function toAnswer(request: BookRequest, key: string, result: ReadResult<StoredBook>): BookAnswer {
  if (result === null) {
    return withoutBook(
      request,
      'missing',
      `nothing stands at "${key}". Activate a workflow with a Binance Order Book Trigger for this symbol, market, store and key prefix`,
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
          detail: record.state === 'stopped' ? 'the feed was stopped' : 'the feed is fetching the book anew',
        } as const);
  return {
    ...{ exchange: 'binance', market: record.market, symbol: record.symbol },
    ...{ bids, asks, bidsComplete, asksComplete, lastUpdateId, epoch, eventTimeMs, receivedAtMs, flow },
    resyncCount: record.resyncs,
    trust,
  };
}
