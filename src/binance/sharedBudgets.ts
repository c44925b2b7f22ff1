import { processShared } from '../runtime/processShared';
import { monotonicMs } from '../runtime/time';
import { type Ban, type BudgetOptions, WeightBudget } from './weightBudget';

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

/** The budgets of one process; tests make one for each process they play. */
export class SharedBudgets implements BanBoard {
  private readonly byHost = new Map<string, WeightBudget>();
  private readonly listeners = new Set<(host: string) => void>();
  /** Bans heard of for hosts that nobody has asked yet. */
  private readonly foretold = new Map<string, Foretold>();

  budgetFor(host: string, options: BudgetOptions): WeightBudget {
    let budget = this.byHost.get(host);
    if (budget) return budget;
    this.byHost.set(host, (budget = new WeightBudget(options)));
    budget.onBan(() => this.listeners.forEach((listener) => listener(host)));
    const ban = this.foretold.get(host);
    this.foretold.delete(host);
    if (ban) budget.applyBan({ code: ban.code, forMs: ban.until - monotonicMs() });
    return budget;
  }

  told(host: string): Ban | null {
    return this.byHost.get(host)?.told ?? null;
  }

  apply(host: string, ban: Ban): void {
    const budget = this.byHost.get(host);
    if (budget) budget.applyBan(ban);
    else this.foretold.set(host, { code: ban.code, until: monotonicMs() + ban.forMs });
  }

  onBan(listener: (host: string) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}

/** The budgets and bans of this process, one for all of it whatever copy of this package asks. */
export function sharedBudgets(): SharedBudgets {
  return processShared('weight-budgets', 2, () => new SharedBudgets());
}

/** The budget of a REST host in this process. */
export function weightBudgetFor(host: string, options: BudgetOptions): WeightBudget {
  return sharedBudgets().budgetFor(host, options);
}
