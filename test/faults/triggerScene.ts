import { randomUUID } from 'node:crypto';
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { type Exchange, type ExchangeOptions, startExchange } from '../../exchange';
import { feedRegistry } from '../../src/binance/feedRegistry';
import type { FeedLease, FeedListener, SymbolView } from '../../src/feed/types';
import type { SessionLimits } from '../../src/trigger/triggerSession';
import { startTrigger, type TriggerRun } from '../support/engine';
import { limitedTrigger } from '../support/limitedTrigger';
import { Random } from './random';
import { must, type RunResult } from './scenario';
import { noRedisConnectionLeft } from './sharedRedis';
import { endWriterGraces } from './writerGrace';
import { isTrue, type ShownBook } from './truth';

/** An item of the trigger, as far as the checks read it. */
export interface TriggerItem {
  readonly symbol: string;
  readonly lastUpdateId: number;
  readonly receivedAtMs: number;
  readonly passedOver: number;
  readonly bids: ShownBook['bids'];
  readonly asks: ShownBook['asks'];
  readonly bidsComplete: boolean;
  readonly asksComplete: boolean;
  readonly [field: string]: unknown;
}

export interface TriggerSceneOptions {
  readonly seed: number;
  readonly exchange?: ExchangeOptions;
  readonly parameters: IDataObject;
  /** The symbols that the parameters name. */
  readonly symbols: readonly string[];
  readonly limits?: SessionLimits;
  /** Credentials where the parameters keep the books in Redis. */
  readonly redis?: Record<string, unknown> | null;
  /** What the workflow does; the execution ends when the promise settles. */
  readonly onExecution?: (items: readonly TriggerItem[]) => Promise<void>;
}

/** Of the records that a scene's trigger stores. */
export const KEY_PREFIX = 'faults/';
/** What the trigger shows where its parameters do not say. */
const DEFAULT_LEVELS = 20;

/**
 * The trigger node in n8n's own engine on a stand-in exchange. Each book in an item is compared with the true one.
 */
export class TriggerScene {
  readonly random: Random;
  trigger!: TriggerRun;
  /** As in Scene: set while a fault takes the price out of what is covered. */
  mayShrink = false;
  private readonly wrong: string[] = [];
  private readonly leases: FeedLease[] = [];

  private constructor(
    readonly exchange: Exchange,
    private readonly options: TriggerSceneOptions,
  ) {
    this.random = new Random(options.seed);
  }

  static async play(
    options: TriggerSceneOptions,
    act: (scene: TriggerScene) => Promise<number | null>,
  ): Promise<RunResult> {
    const exchange = await startExchange({ seed: options.seed, tickMs: 20, ...options.exchange });
    const scene = new TriggerScene(exchange, options);
    try {
      scene.trigger = await scene.start();
      const recoverMs = await act(scene);
      must(scene.trigger.emittedErrors.length === 0, 'the trigger gave itself up');
      await scene.end();
      must(scene.wrong.length === 0, () => scene.wrong.slice(0, 3).join('; '));
      return { recoverMs };
    } finally {
      await scene.end();
      await exchange.close();
    }
  }

  /** Watches the feed that the trigger uses. */
  watch(listener: FeedListener = {}): readonly SymbolView[] {
    const { restBaseUrl, webSocketBaseUrl, profile } = this.exchange;
    const { symbols } = this.options;
    const request = {
      market: profile.id,
      symbols,
      updateSpeedMs: 100,
      bookDepth: 'auto',
      levels: 20,
    } as const;
    const lease = feedRegistry().acquire({ ...request, restBaseUrl, webSocketBaseUrl }, listener);
    this.leases.push(lease);
    return lease.views;
  }

  private start(): Promise<TriggerRun> {
    const { parameters, symbols, limits, onExecution, redis } = this.options;
    const { restBaseUrl, webSocketBaseUrl } = this.exchange;
    const options = {
      restBaseUrl,
      webSocketBaseUrl,
      keyPrefix: KEY_PREFIX,
      ...(parameters.options as object),
    };
    return startTrigger({
      nodes: { trigger: limitedTrigger(limits ?? {}) },
      type: 'trigger',
      credentials: redis ? { orderFlowRedisApi: redis as IDataObject } : {},
      // Its own, so that it does not go on with another run's alerts.
      workflowId: randomUUID(),
      parameters: { symbols: symbols.join(), ...parameters, options },
      onExecution: (outputs) => {
        const items = itemsOf(outputs);
        for (const item of items) this.check(item);
        return onExecution?.(items) ?? Promise.resolve();
      },
    });
  }

  private check(item: TriggerItem): void {
    const { symbol, lastUpdateId, bids, signal } = item;
    if (lastUpdateId === undefined && (signal ?? null) !== null)
      this.wrong.push(`the item of ${symbol} has a signal and no book`);
    // An alert that there is no signal any more may have no book.
    if (lastUpdateId === undefined || bids === undefined) return;
    const { levels = DEFAULT_LEVELS } = this.options.parameters as { levels?: number };
    if (!isTrue(this.exchange, item, { levels, mayShrink: this.mayShrink }))
      this.wrong.push(`the item of ${symbol} at ${lastUpdateId} is not the true book`);
  }

  /** Ends the trigger and, at once, what it keeps for a while in case it comes back. Idempotent. */
  private async end(): Promise<void> {
    await this.trigger?.close();
    // Whoever takes a share and gives it back without a grace ends the grace of those before.
    this.watch();
    await Promise.all(this.leases.splice(0).map((lease) => lease.release({ immediately: true })));
    const { redis = null, symbols } = this.options;
    await endWriterGraces(redis, KEY_PREFIX, symbols, this.exchange.profile.id);
    await noRedisConnectionLeft();
    const left = feedRegistry().inventory();
    must(
      left.connections + left.symbols + left.leases === 0,
      `left: ${left.connections} sockets, ${left.symbols} symbols, ${left.leases} leases`,
    );
  }
}

const itemsOf = (outputs: INodeExecutionData[][]): TriggerItem[] =>
  outputs[0].map(({ json }) => json as unknown as TriggerItem);
