import { processShared } from '../runtime/processShared';
import { monotonicMs } from '../runtime/time';
import type { MarketId } from './markets';
import { type Ban, type BudgetOptions, type Pause, WeightBudget } from './weightBudget';

/** What must be told to the other processes behind this address, and taken from them. Hosts are REST hosts. */
export interface BanBoard {
  /** The ban that this process was told itself by the host, with what is left of it. */
  told(host: string): Ban | null;
  /** A ban that another process was told. */
  apply(host: string, ban: Ban): void;
  /** Hears when this process is told one. Returns the way out. */
  onBan(listener: (host: string) => void): () => void;
}

interface Foretold {
  readonly code: Ban['code'];
  /** Monotonic. */
  readonly until: number;
}

export interface MarketBudgetOptions extends BudgetOptions {
  readonly market: MarketId;
}

/**
 * The budgets of one process; tests make one for each process they play. Each market counts a weight of its own, also
 * where one host serves several; a refusal is the address's and holds for every market of the host.
 */
export class SharedBudgets implements BanBoard {
  private readonly byHost = new Map<string, Map<MarketId, WeightBudget>>();
  private readonly listeners = new Set<(host: string) => void>();
  /** Bans heard of for hosts that nobody has asked yet. */
  private readonly foretold = new Map<string, Foretold>();

  budgetFor(host: string, options: MarketBudgetOptions): WeightBudget {
    const markets = this.byHost.get(host) ?? new Map<MarketId, WeightBudget>();
    this.byHost.set(host, markets);
    const known = markets.get(options.market);
    if (known) return known;
    const budget = new WeightBudget(options);
    budget.onRefused((pause) => this.refused(host, budget, pause));
    for (const { pause } of markets.values()) if (pause) budget.applyBan(pause);
    markets.set(options.market, budget);
    const ban = this.foretold.get(host);
    this.foretold.delete(host);
    if (ban) budget.applyBan({ code: ban.code, forMs: ban.until - monotonicMs() });
    return budget;
  }

  told(host: string): Ban | null {
    const bans = this.budgetsOf(host).flatMap(({ told }) => told ?? []);
    return bans.sort((one, other) => other.forMs - one.forMs)[0] ?? null;
  }

  apply(host: string, ban: Ban): void {
    const budgets = this.budgetsOf(host);
    for (const budget of budgets) budget.applyBan(ban);
    if (budgets.length === 0) this.foretold.set(host, { code: ban.code, until: monotonicMs() + ban.forMs });
  }

  onBan(listener: (host: string) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private budgetsOf(host: string): WeightBudget[] {
    return [...(this.byHost.get(host)?.values() ?? [])];
  }

  private refused(host: string, by: WeightBudget, pause: Pause): void {
    for (const budget of this.budgetsOf(host)) if (budget !== by) budget.applyBan(pause);
    // What a firewall refuses one process need not hold for the others.
    if (pause.code !== 'OF_FIREWALL') this.listeners.forEach((listener) => listener(host));
  }
}

/**
 * The budgets and bans of this process, one for all of it whatever copy of this package asks. What copies call of it
 * is the same as in those that kept one budget for a host, so both share it.
 */
export function sharedBudgets(): SharedBudgets {
  return processShared('weight-budgets', 2, () => new SharedBudgets());
}

/** The budget of a market at a REST host in this process. */
export function weightBudgetFor(host: string, options: MarketBudgetOptions): WeightBudget {
  return sharedBudgets().budgetFor(host, options);
}
