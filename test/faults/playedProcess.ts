import type { Exchange } from '../../exchange';
import { fastCodec } from '../../src/binance/wire/codec';
import { weightPool } from '../../src/binance/addresses';
import { createFeedRegistry } from '../../src/binance/feedRegistry';
import type { FeedLease, FeedRequest, SymbolStatus } from '../../src/feed/types';
import { SharedBudgets } from '../../src/limits/sharedBudgets';
import type { WeightBudget } from '../../src/limits/weightBudget';
import { BanShare } from '../../src/store/writers/banShare';
import type { SnapshotStore } from '../../src/store/types';
import { QUICK } from '../support/feedHarness';
import { wrongIn } from './scene';

export interface PlayedWorld {
  readonly exchange: Exchange;
  /** A handle of the shared Redis that the process may close. */
  readonly openStore: () => SnapshotStore;
  readonly keyPrefix: string;
  readonly weightPerMinute: number;
  /** The exchange's minute, shortened. */
  readonly minuteMs: number;
  readonly random: () => number;
  /** Every process that was ever started. */
  readonly processes: PlayedProcess[];
}

/**
 * What an n8n process has of the package, all of it new: budgets, feeds, and a share in the bans of others.
 * Many can be played in one real process, one after the other or side by side.
 */
export class PlayedProcess {
  readonly statuses: SymbolStatus[] = [];
  readonly wrong: string[] = [];
  logs = 0;
  private constructor(
    readonly budget: WeightBudget,
    private readonly bans: BanShare,
  ) {}

  lease: FeedLease | null = null;

  /** Starts as a trigger does: bans are read before anything is asked. */
  static async start(world: PlayedWorld, request: Partial<FeedRequest> = {}): Promise<PlayedProcess> {
    const { exchange, weightPerMinute, minuteMs, random } = world;
    const { host, pool } = weightPool(exchange.profile, exchange.restBaseUrl);
    const budgets = new SharedBudgets();
    const budget = budgets.budgetFor(host, {
      ...{ pool, weightPerMinute, minuteMs, random },
    });
    const bans = new BanShare(world.openStore(), world.keyPrefix, budgets);
    const played = new PlayedProcess(budget, bans);
    world.processes.push(played);
    await bans.add(host);
    const registry = createFeedRegistry({ codec: fastCodec(), timings: QUICK, random, budgets });
    played.lease = registry.acquire(
      {
        ...{ market: exchange.profile.id, symbols: [...exchange.feeds.keys()], updateSpeedMs: 100 },
        ...{ bookDepth: 'auto', levels: 20 },
        ...{ restBaseUrl: exchange.restBaseUrl, webSocketBaseUrl: exchange.webSocketBaseUrl },
        ...request,
      },
      {
        onBook: (view) => {
          const wrong = wrongIn(exchange, view);
          if (wrong !== null) played.wrong.push(wrong);
        },
        onStatus: (status) => void played.statuses.push(status),
        onLog: () => void played.logs++,
      },
    );
    return played;
  }

  get symbols(): number {
    return this.lease?.views.length ?? 0;
  }

  get liveSymbols(): number {
    return (this.lease?.views ?? []).filter((view) => view.status().state === 'live').length;
  }

  get allLive(): boolean {
    return this.liveSymbols === this.symbols;
  }

  /** The state of the first symbol that is not live, for a message. */
  get waiting(): string {
    const waiting = this.lease?.views.map((view) => view.status()).find(({ state }) => state !== 'live');
    return JSON.stringify(waiting ?? null);
  }

  /** Everything ends at once; what was not passed on yet is lost. */
  async end(): Promise<void> {
    await Promise.all([this.lease?.release({ immediately: true }), this.bans.close()]);
  }
}
