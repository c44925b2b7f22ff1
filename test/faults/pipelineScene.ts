import type { IDataObject } from 'n8n-workflow';
import { type Exchange, startExchange } from '../../exchange';
import type { MarketId } from '../../exchange/profiles';
import { fastCodec, plainCodec } from '../../src/binance/wire/codec';
import { createFeedRegistry } from '../../src/binance/feedRegistry';
import type { FeedLease, FeedRegistry, SymbolView } from '../../src/feed/types';
import { storeKeys } from '../../src/store/keys';
import { openStore } from '../../src/store/openStore';
import { writerInventory } from '../../src/store/writers/snapshotWriter';
import type { OrderBookRecord, SnapshotStore } from '../../src/store/types';
import { startTrigger, type TriggerRun } from '../support/engine';
import { QUICK } from '../support/feedHarness';
import { BinanceOrderBookTrigger } from '../support/nodes';
import { credentialsOf } from '../support/storeFixtures';
import { Random } from './random';
import { RecordWatch } from './recordWatch';
import { must } from './scenario';
import { agrees, PATIENT, until } from './scene';
import { noRedisConnectionLeft, sharedRedis } from './sharedRedis';
import { endWriterGrace } from './writerGrace';

export type PipelineMarket = Extract<MarketId, 'spot' | 'usdm' | 'coinm'>;

const SYMBOLS: { readonly [market in PipelineMarket]: readonly string[] } = {
  spot: ['BTCUSDT', 'ETHUSDT'],
  usdm: ['BTCUSDT', 'ETHUSDT'],
  coinm: ['BTCUSD_PERP', 'ETHUSD_PERP'],
};
const LEVELS = 20;
const SAVE_EVERY_S = 0.1;

/** Nobody finds the record of a run before. */
let plays = 0;

/** The registry that triggers find, with waits that fit into a run. */
const holder = globalThis as unknown as Record<symbol, FeedRegistry | undefined>;
const REGISTRY = Symbol.for('n8n-nodes-orderflow.feeds.v3');
const node = new BinanceOrderBookTrigger();

interface Item {
  readonly symbol: string;
  readonly lastUpdateId: number;
  readonly bids: OrderBookRecord['bids'];
  readonly asks: OrderBookRecord['asks'];
  readonly bidsComplete: boolean;
  readonly asksComplete: boolean;
}

/** One symbol on its way through the pipeline. */
export interface Followed {
  readonly symbol: string;
  readonly view: SymbolView;
  readonly record: RecordWatch;
  /** Id of the newest item. */
  itemId: number;
}

export interface PipelineCounts {
  readonly items: number;
  readonly records: number;
}

/**
 * All that lies between the exchange's socket and what a user sees: the trigger node in n8n's engine, the feed, and a
 * record in a real Redis for each symbol. Each item and each record is held against the true book, and an item has to be
 * the book that can be read at the moment at which it is emitted.
 */
export class PipelineScene {
  readonly followed: Followed[] = [];
  private readonly wrong: string[] = [];
  private counts = { items: 0, records: 0 };
  private lease!: FeedLease;
  private trigger!: TriggerRun;

  private constructor(
    readonly exchange: Exchange,
    readonly random: Random,
    private readonly registry: FeedRegistry,
    private readonly store: SnapshotStore,
    private readonly keyPrefix: string,
  ) {}

  static async play(
    seed: number,
    market: PipelineMarket,
    act: (scene: PipelineScene) => Promise<void>,
  ): Promise<PipelineCounts> {
    const credentials = credentialsOf(await sharedRedis());
    const exchange = await startExchange({ seed, tickMs: 20, market, symbols: SYMBOLS[market] });
    const common = { timings: { ...QUICK, ...PATIENT } };
    // The plain form of the hot path and the fast one in turn.
    const registry =
      Math.floor(seed / 2) % 2 === 0
        ? createFeedRegistry({ codec: plainCodec, ...common })
        : createFeedRegistry({ codec: fastCodec(), ...common });
    const before = holder[REGISTRY];
    holder[REGISTRY] = registry;
    const keyPrefix = `pipeline-${process.pid}-${plays++}/`;
    const store = openStore({ kind: 'redis', credentials });
    const scene = new PipelineScene(exchange, new Random(seed), registry, store, keyPrefix);
    try {
      await scene.start(credentials);
      await act(scene);
    } finally {
      await scene.end();
      holder[REGISTRY] = before;
      await exchange.close();
    }
    must(scene.wrong.length === 0, () => scene.wrong.slice(0, 3).join('; '));
    return scene.counts;
  }

  get allLive(): boolean {
    return this.followed.every(({ view }) => view.status().state === 'live');
  }

  /** Waits until an item and a record show this book of the symbol or a newer one. */
  async shown({ symbol, record }: Followed, id: number): Promise<void> {
    const follow = this.followed.find((one) => one.symbol === symbol) as Followed;
    await until(
      () => follow.itemId >= id,
      () => `an item of ${symbol} from ${id} on, the last is of ${follow.itemId}`,
    );
    await record.until(
      ({ state, lastUpdateId }) => state === 'live' && lastUpdateId >= id,
      `a live record of ${symbol} from ${id} on`,
    );
  }

  private async start(credentials: Record<string, unknown>): Promise<void> {
    const { exchange, store, keyPrefix } = this;
    const { restBaseUrl, webSocketBaseUrl, profile } = exchange;
    const market = profile.id;
    const symbols = [...exchange.feeds.keys()];
    const options = { restBaseUrl, webSocketBaseUrl, keyPrefix, saveEvery: SAVE_EVERY_S };
    this.trigger = await startTrigger({
      nodes: { trigger: node },
      type: 'trigger',
      parameters: {
        market,
        symbols: symbols.join(),
        emit: 'continuous',
        levels: LEVELS,
        store: 'redis',
        options,
      },
      credentials: { orderFlowRedisApi: credentials as IDataObject },
      onExecution: ([items]) => {
        for (const { json } of items) this.onItem(json as unknown as Item);
        return new Promise((resolve) => setTimeout(resolve, this.random.whole(0, 10)));
      },
    });
    const speed = { updateSpeedMs: 100, bookDepth: 'auto', levels: LEVELS } as const;
    this.lease = this.registry.acquire({ market, symbols, ...speed, restBaseUrl, webSocketBaseUrl }, {});
    for (const view of this.lease.views) {
      const { orderbook } = storeKeys(keyPrefix, market, view.symbol);
      const record = new RecordWatch(store, orderbook, (found) => this.wrongInRecord(found));
      this.followed.push({ symbol: view.symbol, view, record, itemId: 0 });
    }
    await until(() => this.allLive, 'live');
  }

  private onItem(item: Item): void {
    const { symbol, lastUpdateId } = item;
    const followed = this.followed.find((one) => one.symbol === symbol);
    this.counts.items++;
    if (!this.isTrue(item, LEVELS))
      this.wrong.push(`the item of ${symbol} at ${lastUpdateId} is not the true book`);
    if (followed === undefined) return;
    followed.itemId = lastUpdateId;
    const { state, lastUpdateId: readable } = followed.view.status();
    if (state !== 'live' || readable !== lastUpdateId)
      this.wrong.push(`an item of ${symbol} at ${lastUpdateId} while the feed is ${state} at ${readable}`);
  }

  private wrongInRecord(record: OrderBookRecord): string | null {
    this.counts.records++;
    const { symbol, lastUpdateId } = record;
    return this.isTrue(record, record.levels) ? null : `of ${symbol} at ${lastUpdateId} is not the true book`;
  }

  private isTrue(shown: Item, levels: number): boolean {
    return this.exchange
      .trueBooks(shown.symbol, shown.lastUpdateId, levels)
      .some(
        ({ bids, asks }) =>
          agrees(shown.bids, bids, shown.bidsComplete) && agrees(shown.asks, asks, shown.asksComplete),
      );
  }

  /** Nothing of it may be left. */
  private async end(): Promise<void> {
    await this.trigger?.close();
    if (this.trigger?.emittedErrors.length > 0) this.wrong.push('the trigger gave itself up');
    const ends = await Promise.allSettled(this.followed.map(({ record }) => record.end()));
    await this.lease?.release({ immediately: true });
    for (const { symbol } of this.followed)
      await endWriterGrace(this.store, this.keyPrefix, this.exchange.profile.id, symbol);
    await this.store.close();
    await noRedisConnectionLeft();
    await until(
      () => Object.values(this.registry.inventory()).every((count) => count === 0),
      () => `nothing left: ${JSON.stringify(this.registry.inventory())}`,
    );
    must(writerInventory() === 0, `${writerInventory()} writers are left`);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
}
