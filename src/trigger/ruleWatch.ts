import type { ListedSymbol } from '../feed/listing';
import { chooseSymbols, type SymbolRule, whyLeft } from '../feed/symbolRule';
import { explained, OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { listed } from '../runtime/text';
import { monotonicMs } from '../runtime/time';
import type { SessionHost } from './host';

/** When a rule looks at the exchange's list, milliseconds. */
export interface RuleTimes {
  readonly everyMs: number;
  /** After a look that failed. */
  readonly retryMs: number;
  /** After a symbol has stopped trading: a short halt is no reason to change symbols. */
  readonly haltMs: number;
  /** A list that another trigger asked for is taken where it is no older than this; the venue's own limit where not given. */
  readonly listAgeMs?: number;
}

const RULE_TIMES: RuleTimes = {
  everyMs: 3_600_000,
  retryMs: 5 * 60_000,
  haltMs: 5 * 60_000,
};

/** Up to this part earlier, at random, so that triggers that begin together do not ask together ever after. */
const JITTER_PART = 0.1;

/** Of a symbol that begins again, for a sentence. */
const LISTED_AGAIN = 'the exchange did not list it, and lists it again';

/** One that is in both begins again. */
export interface SymbolChange {
  readonly entered: readonly string[];
  /** Each with its reason, for a sentence. */
  readonly left: ReadonlyMap<string, string>;
}

/** What a rule's watch needs of the session whose symbols it chooses. */
export interface RuleUser extends Pick<SessionHost, 'log'> {
  rank(signal: AbortSignal): Promise<readonly ListedSymbol[]>;
  present(): ReadonlySet<string>;
  /** Of these, those whose feeds have ended because the exchange did not list them. */
  ended(): ReadonlySet<string>;
  change(change: SymbolChange): Promise<void>;
}

/** Looks at the exchange's list now and then, and changes the symbols of a running trigger where its rule says so. */
export class RuleWatch {
  private readonly times: RuleTimes;
  private readonly abort = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private dueAt = Infinity;
  private looking: Promise<void> = Promise.resolve();
  private failing = false;

  constructor(
    private readonly rule: SymbolRule,
    private readonly user: RuleUser,
    times: Partial<RuleTimes> = {},
    private readonly random: () => number = Math.random,
  ) {
    this.times = { ...RULE_TIMES, ...times };
    this.wakeIn(this.usualMs());
  }

  /** A symbol that is watched does not trade or is not listed: its place goes to another one if that lasts. */
  onHalted(): void {
    this.wakeIn(this.times.haltMs);
  }

  /** Idempotent; resolves when no change is under way. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.abort.abort(new OrderFlowError('OF_INTERNAL', 'closed'));
    await this.looking;
  }

  /** The nearest of the times that were asked for counts. */
  private wakeIn(ms: number): void {
    const at = monotonicMs() + ms;
    if (this.abort.signal.aborted || at >= this.dueAt) return;
    clearTimeout(this.timer);
    this.dueAt = at;
    this.timer = setTimeout(() => {
      this.dueAt = Infinity;
      this.looking = this.looking.then(() => this.look());
    }, ms).unref();
  }

  private usualMs(): number {
    return this.times.everyMs * (1 - JITTER_PART * this.random());
  }

  private async look(): Promise<void> {
    const { signal } = this.abort;
    if (signal.aborted) return;
    try {
      const ranked = await this.user.rank(signal);
      if (signal.aborted) return;
      const present = this.user.present();
      const chosen = new Set(chooseSymbols(ranked, this.rule, present));
      if (chosen.size === 0) return this.onFailed('the rule takes no symbol that trades now');
      await this.changeTo(chosen, present, ranked);
      if (this.failing) this.user.log('info', 'The symbols follow the rule again.');
      this.failing = false;
      this.wakeIn(this.usualMs());
    } catch (error) {
      if (!signal.aborted) this.onFailed(explained(toOrderFlowError(error)));
    }
  }

  private async changeTo(
    chosen: ReadonlySet<string>,
    present: ReadonlySet<string>,
    ranked: readonly ListedSymbol[],
  ): Promise<void> {
    const ended = this.user.ended();
    const entered = [...chosen].filter((symbol) => !present.has(symbol) || ended.has(symbol));
    const gone = [...present].filter((symbol) => !chosen.has(symbol) || ended.has(symbol));
    if (entered.length === 0 && gone.length === 0) return;
    const why = (symbol: string) => (chosen.has(symbol) ? LISTED_AGAIN : whyLeft(symbol, ranked, this.rule));
    const left = new Map(gone.map((symbol) => [symbol, why(symbol)]));
    await this.user.change({ entered, left });
    this.user.log('info', changeText(entered, left));
  }

  /** What is watched goes on being watched. */
  private onFailed(why: string): void {
    if (!this.failing) this.user.log('warn', `The symbols stay as they are: ${why}`);
    this.failing = true;
    this.wakeIn(this.times.retryMs);
  }
}

/** A line names this many symbols of each kind; the others are counted. */
const NAMES_SHOWN = 10;

function changeText(entered: readonly string[], left: ReadonlyMap<string, string>): string {
  const reasons = [...left].map(([symbol, why]) => `${symbol} (${why})`);
  const parts = [
    entered.length === 0 ? '' : `now watched: ${listed(entered, NAMES_SHOWN)}`,
    left.size === 0 ? '' : `not watched any more: ${listed(reasons, NAMES_SHOWN)}`,
  ];
  return `Symbols by rule: ${parts.filter((part) => part !== '').join('; ')}.`;
}
