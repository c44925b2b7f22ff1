import type { IDataObject } from 'n8n-workflow';
import { startExchange, type Exchange } from '../../../exchange';
import { fastCodec } from '../../../src/binance/wire/codec';
import { createFeedRegistry } from '../../../src/binance/feedRegistry';
import type { FeedRegistry } from '../../../src/feed/types';
import { startTrigger } from '../../support/engine';
import { QUICK } from '../../support/feedHarness';
import { BinanceOrderBookTrigger } from '../../support/nodes';
import { credentialsOf } from '../../support/storeFixtures';
import { Random } from '../random';
import { must, type RunResult } from '../scenario';
import { agrees, pause, until } from '../scene';
import { noRedisConnectionLeft, sharedRedis } from '../sharedRedis';
import { endWriterGraces } from '../writerGrace';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
const ROUNDS = 5;
/** From before the first request goes out until long after the book is live, milliseconds. */
const MOMENTS = [0, 1, 2, 4, 8, 15, 30, 60, 120, 250];
const node = new BinanceOrderBookTrigger();

/** The registry that triggers find, with waits that fit into a run. */
const holder = globalThis as unknown as Record<symbol, FeedRegistry | undefined>;
const REGISTRY = Symbol.for('n8n-nodes-orderflow.feeds.v3');

const KEY_PREFIX = 'faults-activation/';

interface Book {
  readonly symbol: string;
  readonly lastUpdateId: number;
  readonly bids: ReadonlyArray<readonly [string, string]>;
  readonly asks: ReadonlyArray<readonly [string, string]>;
  readonly bidsComplete: boolean;
  readonly asksComplete: boolean;
}

/** A workflow with the trigger in n8n's engine, and what n8n may do to it. */
class Workflow {
  readonly wrong: string[] = [];
  items = 0;

  constructor(
    private readonly exchange: Exchange,
    private readonly random: Random,
    /** Null: the memory store. */
    private readonly credentials: Record<string, unknown> | null,
  ) {}

  /** @returns what ends it; nothing may be emitted once that has resolved */
  async activate(parameters: object): Promise<() => Promise<void>> {
    let closed = false;
    const trigger = await this.start(parameters, 'trigger', () => closed);
    return async () => {
      // n8n asks once; a second time changes nothing.
      await Promise.all([trigger.close(), trigger.close()]);
      closed = true;
      must(trigger.emittedErrors.length === 0, 'the trigger gave itself up');
    };
  }

  /** A test by hand, cancelled after a while if it is not over by then. */
  async testAndCancel(parameters: object, afterMs: number): Promise<void> {
    let cancel: (() => Promise<void>) | undefined;
    const run = this.start(
      parameters,
      'manual',
      () => false,
      (close) => (cancel = close),
    ).then(
      () => undefined,
      (error: Error) => must(/OF_[A-Z_]+/.test(error.message), () => `no coded error: ${error.message}`),
    );
    await pause(afterMs);
    await Promise.all([cancel?.(), cancel?.()]);
    await run;
    await cancel?.();
  }

  private start(
    parameters: object,
    mode: 'trigger' | 'manual',
    closed: () => boolean,
    onClose?: (close: () => Promise<void>) => void,
  ): ReturnType<typeof startTrigger> {
    const { restBaseUrl, webSocketBaseUrl } = this.exchange;
    return startTrigger({
      nodes: { trigger: node },
      type: 'trigger',
      mode,
      credentials: this.credentials === null ? {} : { orderFlowRedisApi: this.credentials as IDataObject },
      parameters: {
        ...{ emit: 'continuous', levels: this.random.pick([1, 5, 20]) },
        store: this.credentials === null ? 'memory' : 'redis',
        ...parameters,
        options: { restBaseUrl, webSocketBaseUrl, keyPrefix: KEY_PREFIX, bookDepth: 100 },
      },
      onResponse: (response) => onClose?.(async () => void (await response.closeFunction?.())),
      onExecution: async ([items]) => {
        if (closed()) this.wrong.push('an item after the end');
        for (const { json } of items) this.check(json as unknown as Book);
        await pause(this.random.whole(0, 20));
      },
    });
  }

  private check({ symbol, lastUpdateId, bids, asks, bidsComplete, asksComplete }: Book): void {
    this.items++;
    const truths = this.exchange.trueBooks(symbol, lastUpdateId, Math.max(bids.length, asks.length));
    const same = truths.some(
      (truth) => agrees(bids, truth.bids, bidsComplete) && agrees(asks, truth.asks, asksComplete),
    );
    if (!same) this.wrong.push(`the item of ${symbol} at ${lastUpdateId} is not the true book`);
  }
}

/** Row 16: activated, deactivated, edited, tested and cancelled at any moment, in n8n's engine. */
export async function activations(seed: number): Promise<RunResult> {
  const random = new Random(seed);
  // Of its own: when it is drawn from, the machine decides.
  const luck = new Random(-seed);
  const exchange = await startExchange({ seed, tickMs: 20, symbols: SYMBOLS });
  const before = holder[REGISTRY];
  const registry = createFeedRegistry({ codec: fastCodec(), timings: QUICK, random: () => luck.next() });
  holder[REGISTRY] = registry;
  const credentials = random.chance(0.5) ? credentialsOf(await sharedRedis()) : null;
  const workflow = new Workflow(exchange, random, credentials);
  const parameters = () => ({ symbols: random.chance(0.5) ? random.pick(SYMBOLS) : SYMBOLS.join() });
  const moment = () => pause(random.pick(MOMENTS));
  let close: (() => Promise<void>) | null = null;
  let recoverMs = 0;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const starting = workflow.activate(parameters());
      await moment();
      if (random.chance(0.3)) exchange.faults.add({ kind: 'close', code: 1001 });
      if (random.chance(0.2)) exchange.faults.add({ kind: 'rest', path: 'depth', delayMs: 100, times: 1 });
      if (random.chance(0.4)) await workflow.testAndCancel(parameters(), random.pick(MOMENTS));
      // Before the former has ended, in the middle of its end, or after it.
      if (random.chance(0.3)) await close?.();
      else void close?.();
      close = await starting;
      await moment();
      if (random.chance(0.4)) {
        await close();
        close = null;
      }
    }
    const begun = performance.now();
    const last = await workflow.activate({ symbols: SYMBOLS.join() });
    await close?.();
    close = last;
    const { items } = workflow;
    await until(() => workflow.items > items + 3, 'items of the last one');
    recoverMs = performance.now() - begun;
    await close();
    close = null;
    must(workflow.wrong.length === 0, () => workflow.wrong.slice(0, 3).join('; '));
    const left = () => Object.values(registry.inventory()).reduce((sum, count) => sum + count, 0);
    await until(
      () => left() === 0,
      () => `nothing left: ${JSON.stringify(registry.inventory())}`,
      3_000,
    );
    await until(() => exchange.stats.openConnections === 0, 'every socket gone', 2_000);
  } finally {
    await close?.();
    await endWriterGraces(credentials, KEY_PREFIX, SYMBOLS);
    await noRedisConnectionLeft();
    holder[REGISTRY] = before;
    await exchange.close();
  }
  must(workflow.wrong.length === 0, () => workflow.wrong.slice(0, 3).join('; '));
  return { recoverMs };
}
