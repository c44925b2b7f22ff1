import { restBaseUrl, streamUrl } from '../../../src/binance/addresses';
import { depthLimit, depthStream, depthWeight, ENDPOINTS } from '../../../src/binance/endpoints';
import { MARKETS, type MarketId } from '../../../src/feed/markets';

const markets = Object.values(ENDPOINTS);

test('every market has endpoints, and they keep its identity', () => {
  expect(Object.keys(ENDPOINTS).sort()).toEqual(Object.keys(MARKETS).sort());
  for (const market of markets) expect(market).toMatchObject(MARKETS[market.id]);
});

const ASKED: { readonly [id in MarketId]: readonly [rest: string, path: string, streams: string] } = {
  spot: ['https://api.binance.com', '/api/v3', 'wss://stream.binance.com:9443/stream'],
  spotData: ['https://data-api.binance.vision', '/api/v3', 'wss://data-stream.binance.vision/stream'],
  us: ['https://api.binance.us', '/api/v3', 'wss://stream.binance.us:9443/stream'],
  spotTestnet: ['https://testnet.binance.vision', '/api/v3', 'wss://stream.testnet.binance.vision/stream'],
  spotDemo: ['https://demo-api.binance.com', '/api/v3', 'wss://demo-stream.binance.com:9443/stream'],
  usdm: ['https://fapi.binance.com', '/fapi/v1', 'wss://fstream.binance.com/public/stream'],
  usdmDemo: ['https://demo-fapi.binance.com', '/fapi/v1', 'wss://fstream.binancefuture.com/stream'],
  coinm: ['https://dapi.binance.com', '/dapi/v1', 'wss://dstream.binance.com/stream'],
  coinmDemo: ['https://demo-dapi.binance.com', '/dapi/v1', 'wss://dstream.binancefuture.com/stream'],
};

test.each(markets)('$id asks its own addresses, and subscribes at its own', (market) => {
  const [rest, path, streams] = ASKED[market.id];
  expect(restBaseUrl(market)).toBe(rest);
  expect([market.depthPath, market.exchangeInfoPath, market.tickerPath]).toEqual([
    ...[`${path}/depth`, `${path}/exchangeInfo`, `${path}/ticker/24hr`],
  ]);
  expect(streamUrl(market).href).toBe(streams);
});

test.each<[MarketId, number, string]>([
  ['spot', 100, 'btcusdt@depth@100ms'],
  ['spot', 1_000, 'btcusdt@depth'],
  ['usdm', 100, 'btcusdt@depth@100ms'],
  ['usdm', 250, 'btcusdt@depth'],
  ['usdm', 500, 'btcusdt@depth@500ms'],
])('the stream of BTCUSDT on %s every %i ms is %s', (id, speedMs, name) => {
  expect(depthStream(ENDPOINTS[id], 'BTCUSDT', speedMs)).toBe(name);
});

test.each<[MarketId, wanted: number[], limits: number[], weights: number[]]>([
  [
    'spot',
    [0, 1, 100, 101, 500, 501, 1_000, 1_001, 9_000],
    [1, 1, 100, 101, 500, 501, 1_000, 1_001, 5_000],
    [5, 5, 5, 25, 25, 50, 50, 250, 250],
  ],
  [
    'us',
    [0, 5, 6, 11, 21, 51, 101, 501, 1_001, 9_000],
    [5, 5, 10, 20, 50, 100, 500, 1_000, 5_000, 5_000],
    [1, 1, 1, 1, 1, 1, 5, 10, 50, 50],
  ],
  [
    'usdm',
    [0, 5, 6, 11, 21, 51, 101, 501, 9_000],
    [5, 5, 10, 20, 50, 100, 500, 1_000, 1_000],
    [2, 2, 2, 2, 2, 5, 10, 20, 20],
  ],
])('%s: whoever wants %j levels asks for %j, for a weight of %j', (id, wanted, limits, weights) => {
  const market = ENDPOINTS[id];
  expect(wanted.map((levels) => depthLimit(market, levels))).toEqual(limits);
  expect(limits.map((limit) => depthWeight(market, limit))).toEqual(weights);
});

test('a market’s limits end with the deepest book that users may ask for', () => {
  for (const market of markets) expect(market.depthWeights.at(-1)?.[0]).toBe(market.maxDepth);
});

test('a limit beyond the listed ones weighs as much as the last', () => {
  expect(depthWeight(ENDPOINTS.spot, 9_000)).toBe(250);
});
