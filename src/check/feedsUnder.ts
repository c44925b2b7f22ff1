import { isOrderFlowError, OrderFlowError } from '../runtime/errors';
import { bookOfFeedKey } from '../store/keys';
import { MAX_FEEDS, type SnapshotStore, type StoredFeedStatus } from '../store/types';
import type { BookRequest } from './bookAnswer';

export interface KnownFeed {
  readonly book: BookRequest;
  readonly status: StoredFeedStatus | OrderFlowError;
}

/**
 * Every feed that reports under a prefix, by market and symbol.
 * @throws OrderFlowError OF_PARAMETER where there are too many for one look
 */
export async function feedsUnder(store: SnapshotStore, keyPrefix: string): Promise<KnownFeed[]> {
  const keys = await store.feedKeys(keyPrefix);
  if (keys.length > MAX_FEEDS)
    throw new OrderFlowError('OF_PARAMETER', `Key Prefix "${keyPrefix}" has more than ${MAX_FEEDS} feeds`, {
      subject: 'Key Prefix',
    });
  const named = keys.flatMap((key) => {
    const book = bookOfFeedKey(keyPrefix, key);
    return book === null ? [] : [{ key, book }];
  });
  const statuses = await store.readFeedStatus(named.map(({ key }) => key));
  return named.flatMap(({ book }, i) => {
    const status = statuses[i];
    // Gone since, or of a longer prefix that looks like a symbol from here.
    if (status === null || (!isOrderFlowError(status) && status.record.symbol !== book.symbol)) return [];
    return [{ book, status }];
  });
}
