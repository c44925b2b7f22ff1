import type { Ban, BanBoard } from '../feed/bans';
import { processShared } from '../runtime/processShared';
import { monotonicMs } from '../runtime/time';
import { HostPause } from './hostPause';
import { isBanCode } from './refusals';
import { type BudgetOptions, WeightBudget } from './weightBudget';

export interface PoolOptions extends Omit<BudgetOptions, 'pause'> {
  /** Requests of one host and pool are counted together. */
  readonly pool: string;
}

interface Host {
  readonly pause: HostPause;
  readonly budgets: Map<string, WeightBudget>;
}

/**
 * The budgets of one process; tests make one for each process they play. Pools count a weight of their own, also where
 * one host serves several; a refusal is the address's and holds for every pool of the host.
 */
export class SharedBudgets implements BanBoard {
  private readonly hosts = new Map<string, Host>();
  private readonly listeners = new Set<(host: string) => void>();

  /** The host's budget for a pool. The first caller's options make it. */
  budgetFor(name: string, { pool, ...options }: PoolOptions): WeightBudget {
    const { pause, budgets } = this.hostOf(name, options.random);
    let budget = budgets.get(pool);
    if (!budget) budgets.set(pool, (budget = new WeightBudget({ ...options, pause })));
    return budget;
  }

  ownBan(host: string): Ban | null {
    return this.hosts.get(host)?.pause.ownBan(monotonicMs()) ?? null;
  }

  apply(host: string, ban: Ban): void {
    this.hostOf(host).pause.apply(monotonicMs(), ban);
  }

  onBan(listener: (host: string) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private hostOf(name: string, random?: () => number): Host {
    const known = this.hosts.get(name);
    if (known) return known;
    const host: Host = { pause: new HostPause(random), budgets: new Map() };
    this.hosts.set(name, host);
    host.pause.onRefused((code) => {
      // What a firewall refuses one process need not hold for the others.
      if (isBanCode(code)) this.listeners.forEach((listener) => listener(name));
    });
    return host;
  }
}

/** The budgets and bans of this process, one for all of it whatever copy of this package asks. */
export function sharedBudgets(): SharedBudgets {
  return processShared('weight-budgets', 3, () => new SharedBudgets());
}
