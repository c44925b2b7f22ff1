import type { IDataObject } from 'n8n-workflow';
import type { Exchange } from '../../../exchange';
import type { Fault } from '../../../exchange/server/faults';
import type { MarketId } from '../../../src/feed/markets';
import { MAX_IN_FLIGHT } from '../../../src/limits/weightBudget';
import type { Random } from '../random';
import { EVERY_RUN, must, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { pause, until } from '../scene';
import { TriggerScene } from '../triggerScene';

const COUNT = 4;
const BASES = [...'ABCDEFGHIJ'];
/** Between two looks at the list, in place of an hour. */
const EVERY_MS = 300;
const CHANGES = 8;
/** An item of each symbol comes this often; one that has come since then is watched. */
const INTERVAL_MS = 100;
const SHOWN_MS = 8 * INTERVAL_MS;
const SETTLED_MS = 20_000;

/** What troubles the list, or the connection, while symbols come and go. */
interface Trouble {
  readonly name: string;
  readonly market: MarketId;
  /** None of it makes a book be fetched again: no symbol may lose an update. */
  readonly sparesBooks: boolean;
  fault(random: Random): Fault | null;
  /** Refusals in a row are answered with pauses that grow. */
  readonly once?: boolean;
}

const list = (path: 'exchangeInfo' | 'ticker/24hr', over: object): Fault => ({ kind: 'rest', path, ...over });
const PATHS = ['exchangeInfo', 'ticker/24hr'] as const;
const NO_LIST = ['{}', '[]', 'null', '<html>502</html>', '{"symbols":"all"}', '{"symbols":[]}', '[{"a":1}]'];

const TROUBLES: readonly Trouble[] = [
  { name: 'none', market: 'spot', sparesBooks: true, fault: () => null },
  {
    ...{ name: 'connections cut', market: 'usdm', sparesBooks: false },
    fault: (random) => ({ kind: random.pick(['reset', 'cut'] as const) }),
  },
  {
    ...{ name: 'connections closed', market: 'coinm', sparesBooks: false },
    fault: (random) => ({ kind: 'close', code: random.pick([1000, 1001, 1008]) }),
  },
  {
    ...{ name: 'no list', market: 'spot', sparesBooks: true },
    fault: (random) =>
      list(random.pick(PATHS), {
        ...random.pick([{ status: 500 }, { mode: 'reset' }, { mode: 'truncated' }, { mode: 'empty' }]),
        times: random.whole(1, 3),
      }),
  },
  {
    ...{ name: 'a list that is none', market: 'usdm', sparesBooks: true },
    fault: (random) =>
      list(random.pick(PATHS), { body: random.pick(NO_LIST), status: 200, times: random.whole(1, 3) }),
  },
  {
    ...{ name: 'too many requests', market: 'coinm', sparesBooks: true, once: true },
    fault: () => ({ kind: 'rateLimited', retryAfterSeconds: 1 }),
  },
];

/** Row 33: symbols by rule that come and go. */
function comeAndGo(seed: number): Promise<RunResult> {
  const { name, market, sparesBooks, fault, once } = TROUBLES[seed % TROUBLES.length];
  const symbols = BASES.map((base) => base + (market === 'coinm' ? 'USD_PERP' : 'USDT'));
  const seenAt = new Map<string, number>();
  const rule = { everyMs: EVERY_MS, retryMs: EVERY_MS, haltMs: EVERY_MS, listAgeMs: EVERY_MS / 2 };
  return TriggerScene.play(
    {
      ...{ seed, symbols, limits: { rule } },
      exchange: {
        ...{ market, weightPerMinute: 100_000 },
        symbols: symbols.map((symbol, i) => ({
          ...{ symbol, activity: 0.3, levels: 120, quoteVolume: 1e6 * (BASES.length - i) },
        })),
      },
      parameters: {
        ...{ market, symbolsBy: 'rule', ruleCount: COUNT, interval: INTERVAL_MS / 1_000 },
        options: { feedStatus: true },
      },
      onExecution: (items) => {
        for (const { symbol, lastUpdateId } of items)
          if (lastUpdateId !== undefined) seenAt.set(symbol, performance.now());
        return Promise.resolve();
      },
    },
    async (scene) => {
      const { exchange, random } = scene;
      const shown = () =>
        symbols.filter((symbol) => (seenAt.get(symbol) ?? -Infinity) > performance.now() - SHOWN_MS);
      const settled = () =>
        until(
          () => shown().join() === wanted(exchange).join(),
          () => `${name}: ${shown().join()} are watched, and not ${wanted(exchange).join()}`,
          SETTLED_MS,
        );
      await settled();
      for (let i = 0; i < CHANGES; i++) {
        change(exchange, random);
        const isTime = once ? i === CHANGES / 2 : random.chance(0.5);
        const trouble = isTime ? fault(random) : null;
        if (trouble !== null) exchange.faults.add(trouble);
        await pause(random.whole(0, 2 * EVERY_MS));
      }
      exchange.faults.clear();
      const tookMs = await settled();
      const { closes, bans, earlyRequests, connections } = exchange.stats;
      must(closes['1008 Too many requests'] === undefined, 'sent more messages than a connection may');
      // Those that are on their way when the first of them is refused.
      const asked = once ? MAX_IN_FLIGHT : 0;
      must(bans === 0 && earlyRequests <= asked, `${bans} bans, ${earlyRequests} requests before their time`);
      must(scene.trigger.failures.length === 0, () => String(scene.trigger.failures[0]));
      if (sparesBooks) must(connections.length === 1 && refetched(scene) === '', () => refetched(scene));
      return tookMs;
    },
  );
}

const ENDED = {
  spot: ['BREAK', 'HALT', 'DELISTED'],
  usdm: ['SETTLING', 'CLOSE', 'DELISTED'],
  coinm: ['PRE_DELIVERING', 'DELIVERING', 'DELISTED'],
};

/** A symbol trades more or less than before, stops trading or trades again, is delisted or listed. */
function change(exchange: Exchange, random: Random): void {
  const symbol = random.pick([...exchange.feeds.keys()]);
  const { status } = exchange.feed(symbol);
  if (status !== 'TRADING') exchange.setStatus(symbol, 'TRADING');
  else if (random.chance(0.3)) exchange.setStatus(symbol, random.pick(ENDED[exchange.profile.kind]));
  else exchange.setQuoteVolume(symbol, (1 + 20 * random.next()) * 1e6);
}

/** What the rule has to take, by the exchange's own numbers. */
function wanted(exchange: Exchange): string[] {
  const trading = [...exchange.feeds.values()].filter(({ status }) => status === 'TRADING');
  const first = trading.sort((a, b) => b.quoteVolume - a.quoteVolume).slice(0, COUNT);
  return first.map(({ symbol }) => symbol).sort();
}

/** Which book was fetched again; empty where none was. */
function refetched(scene: TriggerScene): string {
  const statuses = scene.trigger.executions.flatMap((outputs) => outputs[1] ?? []);
  const again = statuses.map(({ json }) => json as IDataObject).filter(({ resyncs }) => resyncs !== 0);
  return [...new Set(again.map(({ symbol }) => String(symbol)))].join();
}

export const ruleRows: readonly Scenario[] = [
  {
    id: 33,
    name: 'symbols by rule',
    what: 'symbols that overtake, stop trading, are delisted and come back at random moments, while connections are cut, the list cannot be had or is none, or too many requests are refused; on spot, USD-M and COIN-M',
    expected:
      'what the rule takes is watched soon; every book true and no other one fetched again, within the message limit; no request before its time',
    maxRuns: REAL_RUNS,
    variants: TROUBLES.length,
    recovers: EVERY_RUN,
    run: comeAndGo,
  },
];
