import { MARKETS } from '../../../src/feed/markets';
import { bookOfFeedKey, storeKeys } from '../../../src/store/keys';

test.each(Object.values(MARKETS))(
  '$id: the key of a feed names its market and symbol',
  ({ id, contracts }) => {
    const symbol = contracts === 'inverse' ? 'BTCUSD_PERP' : 'BTCUSDT';
    for (const prefix of ['', 'examples/', 'usdm-']) {
      const { feed, orderbook } = storeKeys(prefix, id, symbol);
      expect(bookOfFeedKey(prefix, feed)).toEqual({ market: id, symbol });
      expect(bookOfFeedKey(prefix, orderbook)).toBeNull();
    }
  },
);
