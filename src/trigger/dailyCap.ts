import { isOrderFlowError, toOrderFlowError, withCode } from '../runtime/errors';
import { wallMs } from '../runtime/time';
import { changeState, loadEach } from '../store/states';
import type { SnapshotStore } from '../store/types';
import type { AlertJson, DeliverAlert } from './alertMemory';
import type { ItemFate, SessionHost } from './host';

/** What was held back of one symbol, by what its alerts said. */
interface Held {
  selling: number;
  buying: number;
  ended: number;
  noSignal: number;
}

/** What the store keeps of a day. */
export interface CapState {
  /** As the workflow's time zone has it, for example 2026-11-30. */
  readonly day: string;
  readonly sent: number;
  readonly held: ReadonlyArray<readonly [symbol: string, counts: Held]>;
  /** The summary of a day that is over, until n8n has it. */
  readonly summary: AlertJson | null;
}

export interface CapPlace {
  readonly store: SnapshotStore;
  readonly key: string;
}

/** How often it is looked whether the day is over, milliseconds. */
const LOOK_EVERY_MS = 15_000;
/** A state is of no use after the day that follows it. */
const TTL_MS = 3 * 86_400_000;
/** A summary names this many symbols; the others are counted. */
const NAMES_SHOWN = 20;

/** The calendar day of a moment. @throws RangeError for a time zone that there is not */
export function dayOf(timeMs: number, timeZone: string): string {
  const form = new Intl.DateTimeFormat('en-CA', {
    ...{ timeZone, calendar: 'gregory', numberingSystem: 'latn' },
    ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
  } as const);
  const parts = Object.fromEntries(form.formatToParts(timeMs).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day}`;
}

/**
 * Lets so many messages a day through. What comes after them is counted, and reported in one summary when the day is
 * over. The store keeps the count, so that a restart neither begins the day again nor loses the summary.
 */
export class DailyCap {
  private day: string;
  private sent = 0;
  private held = new Map<string, Held>();
  private summary: AlertJson | null = null;
  private timer: NodeJS.Timeout | undefined;
  private saving: Promise<void> = Promise.resolve();
  private saveWanted = false;
  private troubled = false;

  /**
   * @param timeZone of the workflow
   * @param stored what an earlier run left
   */
  constructor(
    private readonly cap: number,
    private readonly timeZone: string,
    private readonly place: CapPlace,
    private readonly log: SessionHost['log'],
    private readonly passOn: DeliverAlert,
    stored: CapState | null,
    private readonly nowMs: () => number = wallMs,
  ) {
    this.day = stored?.day ?? dayOf(nowMs(), timeZone);
    if (stored === null) return;
    this.sent = stored.sent;
    this.held = new Map(stored.held.map(([symbol, counts]) => [symbol, { ...counts }]));
    this.summary = stored.summary;
  }

  start(): void {
    if (this.summary !== null) this.send(this.summary);
    this.look();
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  /** One message, made of these alerts. */
  push(alerts: readonly AlertJson[], message: AlertJson, fate: ItemFate): void {
    this.look();
    if (this.sent < this.cap) {
      this.sent++;
      this.passOn(message, fate);
    } else {
      if (this.held.size === 0)
        this.log(
          'info',
          `All messages of today have gone out (${this.cap}); a summary of the others follows when the day is over.`,
        );
      for (const alert of alerts) this.hold(alert);
      // In the summary they are reported.
      fate.onGone();
    }
    this.save();
  }

  /** Idempotent; resolves when the store has what there is to keep. Never rejects. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.saving;
  }

  private look(): void {
    const day = dayOf(this.nowMs(), this.timeZone);
    if (day === this.day) return;
    const { held } = this;
    const over = this.day;
    Object.assign(this, { day, sent: 0, held: new Map<string, Held>() });
    if (held.size > 0) {
      this.summary = summaryOf(over, this.cap, held);
      this.send(this.summary);
    }
    this.save();
  }

  private send(summary: AlertJson): void {
    const onGone = () => {
      if (this.summary === summary) this.summary = null;
      this.save();
    };
    const onTakenBack = () => {
      this.summary ??= summary;
      this.save();
    };
    this.passOn(summary, { onGone, onTakenBack });
  }

  private hold({ symbol, signal, kind }: AlertJson): void {
    const name = String(symbol);
    const counts = this.held.get(name) ?? { selling: 0, buying: 0, ended: 0, noSignal: 0 };
    this.held.set(name, counts);
    if (kind === 'recovered' || signal === 'NEUTRAL') counts.ended++;
    else if (signal === 'SELLING') counts.selling++;
    else if (signal === 'BUYING') counts.buying++;
    else counts.noSignal++;
  }

  /** One write at a time; what changes meanwhile goes with the next. */
  private save(): void {
    if (this.saveWanted) return;
    this.saveWanted = true;
    this.saving = this.saving.then(() => {
      this.saveWanted = false;
      return this.write().then(
        () => this.onWritten(null),
        (error: unknown) => this.onWritten(error),
      );
    });
  }

  private async write(): Promise<void> {
    const { store, key } = this.place;
    await changeState(store, key, TTL_MS, (): CapState => {
      const { day, sent, summary } = this;
      return { day, sent, held: [...this.held], summary };
    });
  }

  private onWritten(error: unknown): void {
    if (error !== null && !this.troubled)
      this.log(
        'warn',
        `The store cannot keep how many messages went out today: ${withCode(toOrderFlowError(error))}.`,
      );
    this.troubled = error !== null;
  }
}

/** What is in the store, if it is a state of this kind; null where there is none, or it cannot be read. */
export async function loadCap({ store, key }: CapPlace): Promise<CapState | null> {
  const [stored] = await loadEach(store, [key]);
  if (stored === null || isOrderFlowError(stored)) return null;
  const { day, sent, held, summary } = (stored.value ?? {}) as Partial<Record<keyof CapState, unknown>>;
  if (typeof day !== 'string' || typeof sent !== 'number' || !Array.isArray(held)) return null;
  const known = (held as unknown[]).flatMap((entry) => {
    const [symbol, counts] = Array.isArray(entry) ? (entry as unknown[]) : [];
    return typeof symbol === 'string' ? [[symbol, heldOf(counts)] as const] : [];
  });
  return { day, sent, held: known, summary: summary instanceof Object ? (summary as AlertJson) : null };
}

function heldOf(value: unknown): Held {
  const counts = (value ?? {}) as Partial<Record<keyof Held, unknown>>;
  const count = (name: keyof Held) => (Number.isSafeInteger(counts[name]) ? (counts[name] as number) : 0);
  return {
    selling: count('selling'),
    buying: count('buying'),
    ended: count('ended'),
    noSignal: count('noSignal'),
  };
}

function summaryOf(day: string, cap: number, held: ReadonlyMap<string, Held>): AlertJson {
  const count = (one: Held) => one.selling + one.buying + one.ended + one.noSignal;
  const bySize = [...held].sort(([, one], [, other]) => count(other) - count(one));
  const total = bySize.reduce((sum, [, one]) => sum + count(one), 0);
  const lines = bySize.slice(0, NAMES_SHOWN).map(([symbol, one]) => `${symbol}: ${words(one)}`);
  const more = bySize.length - lines.length;
  const rest = more > 0 ? [`and ${more} more symbols`] : [];
  return {
    symbol: bySize.map(([symbol]) => symbol).join(', '),
    signal: null,
    message: [`${total} more alerts on ${day}, beyond Most Messages a Day (${cap}):`, ...lines, ...rest].join(
      '\n',
    ),
    ...{ exchange: 'binance', kind: 'summary', day, count: total },
    held: bySize.map(([symbol, counts]) => ({ symbol, ...counts })),
  };
}

function words({ selling, buying, ended, noSignal }: Held): string {
  const parts = [
    [selling, 'selling'],
    [buying, 'buying'],
    [ended, 'ended'],
    [noSignal, 'without a signal'],
  ] as const;
  return parts.flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`])).join(', ');
}
