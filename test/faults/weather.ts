import type { Exchange } from '../../exchange';
import type { Fault } from '../../exchange/server/faults';
import type { FaultProxy } from './proxy';
import type { Random } from './random';

type Maker = (random: Random, exchange: Exchange, symbol: string) => Fault;

const few = (random: Random): number => random.whole(1, 3);

const ON_EVENTS = ['drop', 'duplicate', 'swap', 'merge', 'overlap'] as const;
const ON_FUTURES_EVENTS = [...ON_EVENTS, 'brokenPrevious'] as const;

/** What happens to one symbol. */
const TO_A_SYMBOL: readonly Maker[] = [
  (random, { profile }, symbol) => ({
    kind: random.pick(profile.kind === 'spot' ? ON_EVENTS : ON_FUTURES_EVENTS),
    symbol,
    times: few(random),
  }),
  (random, _exchange, symbol) => ({ kind: 'delay', ms: random.whole(5, 100), symbol, times: few(random) }),
  (_random, _exchange, symbol) => ({ kind: 'freeze', symbol }),
  (random, _exchange, symbol) => ({ kind: 'replaceEvent', text: garbage(random, symbol), symbol, times: 1 }),
  // Far above the market: one that the price could reach within an event would be a lie that nobody can see.
  (_random, exchange, symbol) => ({
    ...{ kind: 'extraLevel', side: 'bid', quantity: '1', symbol, times: 1 },
    price: (Number(bestAsk(exchange, symbol)) * 1.01).toFixed(2),
  }),
  (random, _exchange, symbol) => ({
    kind: random.pick(['locked', 'crossed', 'emptyBook'] as const),
    symbol,
  }),
  (random, _exchange, symbol) => ({ kind: 'emptySide', side: random.pick(['bid', 'ask'] as const), symbol }),
  (random, _exchange, symbol) => ({ kind: 'jump', bps: random.pick([-300, -40, 40, 300]), symbol }),
  (random, _exchange, symbol) => ({ kind: 'resetIds', to: random.whole(1_000, 1_000_000), symbol }),
];

/** What happens to requests. A fetch is caused along with it, by an event that is lost. */
const TO_REQUESTS: readonly Maker[] = [
  (random) => ({ kind: 'staleSnapshot', times: few(random) }),
  (random) => ({
    kind: 'straddle',
    at: random.pick(['before', 'inside', 'end'] as const),
    times: few(random),
  }),
  (random) => ({
    ...{ kind: 'rest', path: 'depth', times: few(random) },
    mode: random.pick(['truncated', 'empty', 'hang', 'reset'] as const),
  }),
  (random) => ({
    kind: random.pick(['serverError', 'backendTimeout', 'wrongSchema'] as const),
    times: few(random),
  }),
];

/** What happens to the connection, and so to every symbol. */
const TO_ALL: readonly Maker[] = [
  (random) => ({ kind: 'close', code: random.pick([1000, 1001, 1006, 1008]) }),
  (random) => ({ kind: random.pick(['reset', 'cut'] as const) }),
  () => ({ kind: 'halfOpen' }),
  () => ({ kind: 'serverShutdown', closeAfterMs: 300 }),
  (random) => ({ kind: 'rawFrame', text: random.pick(['{', '[]', 'null', '{"e":"depthUpdate"}', '\u0000']) }),
  // Others behind the address have used up its weight: the next request is refused until the window ends.
  (_random, exchange) => ({ kind: 'useWeight', weight: exchange.weight.limit }),
];

/** How long what lasts until it is cleared goes on, milliseconds. */
const LASTS_MS = 200;

/** Does one thing, or a few, that may happen on any day. Needs the exchange's own clock only to end what lasts. */
export function strikeAtRandom(exchange: Exchange, random: Random): void {
  const symbol = random.pick([...exchange.feeds.keys()]);
  const dice = random.next();
  const makers = dice < 0.75 ? TO_A_SYMBOL : dice < 0.96 ? TO_REQUESTS : TO_ALL;
  const fault = random.pick(makers)(random, exchange, symbol);
  const id = exchange.faults.add(fault);
  if (makers === TO_REQUESTS) exchange.faults.add({ kind: 'drop', symbol, times: 1 });
  exchange.later(LASTS_MS, () => exchange.faults.clear(id));
}

type Toxic = (proxy: FaultProxy, random: Random) => void;

/** What happens between a writer and its Redis. */
const TO_REDIS: readonly Toxic[] = [
  (proxy) => proxy.reset(),
  (proxy, random) => proxy.set({ latencyMs: random.whole(20, 300), jitterMs: 50 }),
  (proxy, random) => proxy.set({ sliceBytes: random.whole(1, 200) }),
  (proxy, random) => proxy.cutAfter(random.pick(['up', 'down'] as const), random.whole(1, 4_000), 'reset'),
  // Open connections receive nothing any more, and new ones do not either.
  (proxy) => {
    proxy.silence();
    proxy.blackHole();
  },
];

/** Does one thing that may happen to a connection with Redis; `clear` of the proxy ends what lasts. */
export function troubleRedis(proxy: FaultProxy, random: Random): void {
  random.pick(TO_REDIS)(proxy, random);
}

function bestAsk(exchange: Exchange, symbol: string): string {
  return exchange.trueBook(symbol, exchange.lastUpdateId(symbol), 1)?.asks[0]?.[0] ?? '1';
}

function garbage(random: Random, symbol: string): string {
  const event = { e: 'depthUpdate', E: 1, s: symbol, U: 1, u: 2, b: [['1', '1']], a: [] };
  return random.pick([
    '{"e":"depthUpdate"',
    JSON.stringify({ ...event, u: 'x' }),
    JSON.stringify({ ...event, b: [['NaN', '1']] }),
    JSON.stringify({ ...event, b: [['-1', '1']] }),
    JSON.stringify({ ...event, s: '__proto__' }),
  ]);
}
