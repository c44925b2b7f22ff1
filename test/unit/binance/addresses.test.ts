import { restBaseUrl, streamUrl, weightPool } from '../../../src/binance/addresses';
import { ENDPOINTS } from '../../../src/binance/endpoints';
import type { MarketId } from '../../../src/feed/markets';

const refused = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('was not refused');
};

describe('a REST base URL', () => {
  test.each<[MarketId, string | undefined, string]>([
    ['spot', undefined, 'https://api.binance.com'],
    ['spot', '', 'https://api.binance.com'],
    ['spot', 'https://data-api.binance.vision', 'https://data-api.binance.vision'],
    ['spot', 'https://api.binance.com/api/v3', 'https://api.binance.com'],
    ['spot', 'https://api.binance.com/api/v3/', 'https://api.binance.com'],
    ['spot', 'https://api.binance.com/api/v1', 'https://api.binance.com'],
    ['spot', 'https://api.binance.com/api/v3/depth', 'https://api.binance.com'],
    ['us', 'https://api.binance.us/api/v3', 'https://api.binance.us'],
    ['usdm', 'https://fapi.binance.com/fapi/v1', 'https://fapi.binance.com'],
    ['usdm', 'https://fapi.binance.com/fapi/v2', 'https://fapi.binance.com'],
    ['coinm', 'https://dapi.binance.com/dapi/v1', 'https://dapi.binance.com'],
    // A reverse proxy's own prefix stays, also where it looks a little like the exchange's.
    ['spot', 'https://proxy.example/binance', 'https://proxy.example/binance'],
    ['spot', 'https://proxy.example/binance/api/v3', 'https://proxy.example/binance'],
    ['usdm', 'https://proxy.example/fapi', 'https://proxy.example/fapi'],
    ['spot', 'https://proxy.example/api', 'https://proxy.example/api'],
    ['spot', 'https://proxy.example/my-api/v3', 'https://proxy.example/my-api/v3'],
    ['spot', 'https://api', 'https://api'],
  ])('of %s, %s, is %s', (market, given, url) => {
    expect(restBaseUrl(ENDPOINTS[market], given)).toBe(url);
  });

  test.each<[MarketId, string]>([
    ['usdm', 'https://api.binance.com/api/v3'],
    ['spot', 'https://fapi.binance.com/fapi/v1'],
    ['usdm', 'https://dapi.binance.com/dapi/v1'],
  ])('of %s with the path of another market is refused: %s', (market, given) => {
    const { code, message } = refused(() => restBaseUrl(ENDPOINTS[market], given));
    expect(code).toBe('OF_BASE_URL');
    expect(message).toContain('REST Base URL');
    expect(message).toContain(ENDPOINTS[market].depthPath.replace('/depth', ''));
  });
});

describe('a WebSocket base URL', () => {
  test.each<[MarketId, string | undefined, string]>([
    ['spot', undefined, 'wss://stream.binance.com:9443/stream'],
    ['spot', 'wss://stream.binance.com:9443/ws', 'wss://stream.binance.com:9443/stream'],
    ['spot', 'wss://stream.binance.com:9443/stream/', 'wss://stream.binance.com:9443/stream'],
    ['spot', 'wss://stream.binance.com/ws/btcusdt@depth@100ms', 'wss://stream.binance.com/stream'],
    ['spot', 'wss://stream.binance.com/ws/a@depth/b@depth', 'wss://stream.binance.com/stream'],
    ['coinm', 'wss://dstream.binance.com/ws', 'wss://dstream.binance.com/stream'],
    ['usdm', undefined, 'wss://fstream.binance.com/public/stream'],
    ['usdm', 'wss://fstream.binance.com/public', 'wss://fstream.binance.com/public/stream'],
    ['usdm', 'wss://fstream.binance.com/public/ws', 'wss://fstream.binance.com/public/stream'],
    ['usdm', 'wss://fstream.binance.com/public/stream', 'wss://fstream.binance.com/public/stream'],
    ['usdm', 'wss://fstream.binance.com/market/stream', 'wss://fstream.binance.com/public/stream'],
    ['usdm', 'wss://fstream.binance.com/ws', 'wss://fstream.binance.com/public/stream'],
    // A reverse proxy's own prefix stays, also where streams have no routes and it looks like one.
    ['usdm', 'wss://proxy.example/market', 'wss://proxy.example/market/public/stream'],
    ['usdm', 'wss://proxy.example/binance/public', 'wss://proxy.example/binance/public/stream'],
    ['spot', 'wss://proxy.example/public', 'wss://proxy.example/public/stream'],
    ['spot', 'wss://proxy.example/my-ws', 'wss://proxy.example/my-ws/stream'],
    ['spot', 'wss://ws', 'wss://ws/stream'],
    ['usdm', 'wss://public', 'wss://public/public/stream'],
  ])('of %s, %s, leads to %s', (market, given, url) => {
    expect(streamUrl(ENDPOINTS[market], given).href).toBe(url);
  });
});

test('USD-M and COIN-M are counted in one pool, where their hosts differ by no more than the market', () => {
  const pool = (market: MarketId, url = ENDPOINTS[market].restBaseUrl) => weightPool({ id: market }, url);
  expect(pool('coinm')).toEqual(pool('usdm'));
  expect(pool('coinm', 'https://demo-dapi.binance.com')).toEqual(
    pool('usdm', 'https://demo-fapi.binance.com'),
  );
  expect(pool('coinm', 'https://demo-dapi.binance.com')).not.toEqual(pool('usdm'));
  expect(pool('coinm', 'http://127.0.0.1:8080')).toEqual(pool('usdm', 'http://127.0.0.1:8080'));
  expect(pool('spot', 'http://127.0.0.1:8080')).not.toEqual(pool('usdm', 'http://127.0.0.1:8080'));
  expect(pool('us').host).toBe('api.binance.us');
});
