import { randomUUID } from 'node:crypto';
import type { IDataObject } from 'n8n-workflow';
import { startExchange } from '../../../exchange';
import { feedRegistry } from '../../../src/binance/feedRegistry';
import type { FeedLease, FeedRequest, SymbolView } from '../../../src/feed/types';
import { signalOf } from '../../../src/signal/rule';
import { exactOf } from '../../../src/signal/exact';
import { startTrigger } from '../../support/engine';
import { BinanceOrderBookTrigger } from '../../support/nodes';
import { credentialsOf } from '../../support/storeFixtures';
import { Random } from '../random';
import { pause, until } from '../scene';
import { must, type RunResult, type Scenario } from '../scenario';
import { noRedisConnectionLeft, sharedRedis } from '../sharedRedis';
import { endWriterGraces } from '../writerGrace';

const SYMBOL = 'BTCUSDT';
const KEY_PREFIX = 'faults-restarts/';
const RESTARTS = 50;
const MIN_ALERTS = 10;
const COOLDOWN_MS = 60;
/** A wall clock counts in whole milliseconds, and its reading is a little later than the one it is compared with. */
const CLOCK_MS = 3;
/** No tie with quantities of a few thousand steps. */
const THRESHOLDS = [4.87, 7.31, 12.13];
const node = new BinanceOrderBookTrigger();

interface Reported {
  readonly kind: string;
  readonly signal: string | null;
  readonly previousSignal: string | null;
  readonly since: string;
  readonly warning?: string;
}

/** What n8n was given over all the restarts, each held against the one before it. */
class Chain {
  readonly all: Reported[] = [];
  readonly wrong: string[] = [];
  private lastAlertMs = -Infinity;

  take(item: Reported): void {
    const before = this.all.at(-1);
    const { kind, signal, previousSignal, since } = item;
    this.all.push(item);
    const step = `${before?.signal ?? 'the start'} → ${previousSignal ?? 'null'} → ${signal ?? 'null'}`;
    if (signal === previousSignal || signal === before?.signal) this.wrong.push(`repeated: ${step}`);
    if (previousSignal !== (before?.signal ?? 'NEUTRAL')) this.wrong.push(`one is lost: ${step}`);
    if (kind !== 'alert') return;
    const atMs = Date.parse(since);
    const apartMs = atMs - this.lastAlertMs;
    if (apartMs < COOLDOWN_MS - CLOCK_MS) this.wrong.push(`an alert ${apartMs} ms after another`);
    this.lastAlertMs = atMs;
  }
}

/** What the rule says of the best prices; null where the book is not live. */
function ruleOn(view: SymbolView, threshold: number): string | null {
  const book = view.read(1);
  return book && signalOf(exactOf(book.bids[0][1]), exactOf(book.asks[0][1]), threshold);
}

/** Row 29: a workflow with alerts is restarted, edited and republished at random moments, in the middle of executions too. */
async function restarts(seed: number): Promise<RunResult> {
  const random = new Random(seed);
  const exchange = await startExchange({ seed, tickMs: 10, symbols: [SYMBOL] });
  const credentials = seed % 2 === 0 ? credentialsOf(await sharedRedis()) : null;
  const workflowId = randomUUID();
  const chain = new Chain();
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  const feed: FeedRequest = {
    ...{ market: 'spot' as const, symbols: [SYMBOL], updateSpeedMs: 100, bookDepth: 'auto' as const },
    ...{ levels: 20, restBaseUrl, webSocketBaseUrl },
  };
  let lease: FeedLease | null = null;
  const start = (threshold: number) =>
    startTrigger({
      ...{ nodes: { trigger: node }, type: 'trigger', workflowId },
      credentials: credentials === null ? {} : { orderFlowRedisApi: credentials as IDataObject },
      parameters: {
        ...{ symbols: SYMBOL, emit: 'signalChange', measure: 'queue', threshold },
        store: credentials === null ? 'memory' : 'redis',
        alerts: {
          ...{ pendingPeriod: 0, smoothingHalfLife: 0, keepFiringFor: 0, recoveryThreshold: threshold },
          ...{ cooldown: COOLDOWN_MS / 1000, noSignalAfter: 3600 },
        },
        options: { restBaseUrl, webSocketBaseUrl, keyPrefix: KEY_PREFIX, includeLevels: false },
      },
      onExecution: async ([items]) => {
        for (const { json } of items) chain.take(json as unknown as Reported);
        await pause(random.whole(0, 300));
      },
    });
  try {
    for (let i = 0; i < RESTARTS || (chain.all.length < MIN_ALERTS && i < 4 * RESTARTS); i++) {
      const trigger = await start(random.pick(THRESHOLDS));
      await pause(random.whole(0, 200));
      await trigger.close();
      must(trigger.emittedErrors.length === 0, 'the trigger gave itself up');
    }
    const [threshold] = THRESHOLDS;
    const last = await start(threshold);
    lease = feedRegistry().acquire(feed, {});
    const [view] = lease.views;
    await until(() => view.read(1) !== null, 'a live book');
    exchange.pause();
    await pause(2 * COOLDOWN_MS);
    const settled = () => (chain.all.at(-1)?.signal ?? 'NEUTRAL') === ruleOn(view, threshold);
    await until(settled, () => `${chain.all.at(-1)?.signal} is not ${ruleOn(view, threshold)}`);
    await pause(2 * COOLDOWN_MS);
    must(settled(), 'what was reported last is not so');
    await last.close();
    must(chain.wrong.length === 0, () => chain.wrong.slice(0, 3).join('; '));
    must(chain.all.length >= MIN_ALERTS, `only ${chain.all.length} alerts`);
    reported.push(chain.all.length);
    delayed.push(chain.all.filter(({ warning }) => warning !== undefined).length);
    return { recoverMs: null };
  } finally {
    // Whoever takes a share and gives it back without a grace ends the grace of those before.
    lease ??= feedRegistry().acquire(feed, {});
    await lease.release({ immediately: true });
    await endWriterGraces(credentials, KEY_PREFIX, [SYMBOL]);
    await noRedisConnectionLeft();
    await exchange.close();
  }
}

const reported: number[] = [];
const delayed: number[] = [];
const sum = (of: readonly number[]): number => of.reduce((all, one) => all + one, 0);

export const alertRestartRows: readonly Scenario[] = [
  {
    id: 29,
    name: 'alerts through restarts',
    what: 'a workflow with alerts restarted and edited 50 times at random moments, in the middle of executions too; half of the runs with Redis',
    expected: 'none repeated within its cooldown, none lost, what was reported last is so',
    maxRuns: 20,
    variants: 2,
    prepare: async () => void (await sharedRedis()),
    run: restarts,
    figures: () => [
      `${sum(reported)} alerts and ends through ${reported.length * RESTARTS} restarts, ${sum(delayed)} of them held up by one`,
    ],
  },
];
