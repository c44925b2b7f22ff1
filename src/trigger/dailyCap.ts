import { isOrderFlowError, type OrderFlowError, toOrderFlowError, withCode } from '../runtime/errors';
import { firstLines } from '../runtime/text';
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

const HELD_FIELDS = ['selling', 'buying', 'ended', 'noSignal'] as const;
type HeldBySymbol = ReadonlyMap<string, Readonly<Held>>;

/** A day that is over, and what was held back of it. */
interface PastDay {
  readonly day: string;
  readonly cap: number;
  readonly held: HeldBySymbol;
}

/** What the store keeps. */
export interface CapState {
  /** As the workflow's time zone has it, for example 2026-11-30. */
  readonly day: string;
  readonly sent: number;
  readonly held: HeldBySymbol;
  /** Until n8n has its summary. */
  readonly over: PastDay | null;
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

/** The time zone, or UTC where this Node does not know it: then days are not the user's, and the log says so. */
export function knownZone(timeZone: string, log: SessionHost['log']): string {
  try {
    dayOf(0, timeZone);
    return timeZone;
  } catch {
    log(
      'warn',
      `The time zone "${timeZone}" is not known here: days end by UTC. Set it in the workflow's settings.`,
    );
    return 'UTC';
  }
}

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
  private over: PastDay | null = null;
  /** What an earlier run left is not known yet. */
  private isUnread = false;
  private unlisten = (): void => undefined;
  private timer: NodeJS.Timeout | undefined;
  private saving: Promise<void> = Promise.resolve();
  private saveWanted = false;
  private troubled = false;

  /**
   * @param timeZone of the workflow
   * @param stored what an earlier run left; an error: it could not be read
   */
  constructor(
    private readonly cap: number,
    private readonly timeZone: string,
    private readonly place: CapPlace,
    private readonly log: SessionHost['log'],
    private readonly passOn: DeliverAlert,
    stored: CapState | OrderFlowError | null,
    private readonly nowMs: () => number = wallMs,
  ) {
    this.day = dayOf(nowMs(), timeZone);
    this.isUnread = isOrderFlowError(stored);
    if (isOrderFlowError(stored)) this.onWritten(stored);
    else if (stored !== null) this.goOnFrom(stored);
  }

  start(): void {
    if (this.over !== null) this.send(this.over);
    this.look();
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.unlisten = this.place.store.onReady(() => this.troubled && this.save());
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
    this.unlisten();
    if (this.troubled) this.save();
    await this.saving;
  }

  /**
   * Adds what was counted before this run, or before the store could be read.
   * @returns the day whose summary has to go out, if there is one
   */
  private goOnFrom({ day, sent, held, over }: CapState): PastDay[] {
    let past = over;
    if (day === this.day || this.sent + this.held.size === 0) {
      this.day = day;
      this.sent += sent;
      for (const [symbol, counts] of held) {
        const now = this.heldOf(symbol);
        for (const name of HELD_FIELDS) now[name] += counts[name];
      }
    } else if (held.size > 0) past = { day, cap: this.cap, held };
    if (past === null || this.over !== null) return [];
    this.over = past;
    return [past];
  }

  private look(): void {
    const day = dayOf(this.nowMs(), this.timeZone);
    if (day === this.day) return;
    const { held } = this;
    const over = this.day;
    Object.assign(this, { day, sent: 0, held: new Map<string, Held>() });
    if (held.size > 0) {
      this.over = { day: over, cap: this.cap, held };
      this.send(this.over);
    }
    this.save();
  }

  private send(past: PastDay): void {
    const onGone = () => {
      if (this.over === past) this.over = null;
      this.save();
    };
    const onTakenBack = () => {
      this.over ??= past;
      this.save();
    };
    this.passOn(summaryOf(past), { onGone, onTakenBack });
  }

  private hold({ symbol, signal, kind }: AlertJson): void {
    const counts = this.heldOf(String(symbol));
    if (kind === 'recovered' || signal === 'NEUTRAL') counts.ended++;
    else if (signal === 'SELLING') counts.selling++;
    else if (signal === 'BUYING') counts.buying++;
    else counts.noSignal++;
  }

  private heldOf(symbol: string): Held {
    const counts = this.held.get(symbol) ?? { selling: 0, buying: 0, ended: 0, noSignal: 0 };
    this.held.set(symbol, counts);
    return counts;
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
    const found: PastDay[] = [];
    await changeState(store, key, TTL_MS, (stored) => {
      const left = this.isUnread ? readCap(stored?.value) : null;
      this.isUnread = false;
      if (left !== null) found.push(...this.goOnFrom(left));
      const { day, sent, held, over } = this;
      return { day, sent, held: encodeHeld(held), over: over && { ...over, held: encodeHeld(over.held) } };
    });
    for (const past of found) this.send(past);
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

/** What is in the store; null where there is nothing of this kind, an error where that cannot be known. */
export async function loadCap({ store, key }: CapPlace): Promise<CapState | OrderFlowError | null> {
  const [stored] = await loadEach(store, [key]);
  return stored === null || isOrderFlowError(stored) ? stored : readCap(stored.value);
}

function readCap(value: unknown): CapState | null {
  const { day, sent, held, over } = (value ?? {}) as Partial<Record<keyof CapState, unknown>>;
  const known = readHeld(held);
  if (typeof day !== 'string' || typeof sent !== 'number' || known === null) return null;
  return { day, sent, held: known, over: readPastDay(over) };
}

function readPastDay(value: unknown): PastDay | null {
  const { day, cap, held } = (value ?? {}) as Partial<Record<keyof PastDay, unknown>>;
  const known = readHeld(held);
  return typeof day === 'string' && typeof cap === 'number' && known !== null
    ? { day, cap, held: known }
    : null;
}

/** Numbers alone: a state of a thousand symbols has to fit into what a store reads. */
function encodeHeld(held: HeldBySymbol) {
  return [...held].map(([symbol, counts]) => [symbol, HELD_FIELDS.map((name) => counts[name])]);
}

function readHeld(value: unknown): Map<string, Held> | null {
  if (!Array.isArray(value)) return null;
  const known = (value as unknown[]).flatMap((entry) => {
    const [symbol, counts] = Array.isArray(entry) ? (entry as unknown[]) : [];
    return typeof symbol === 'string' ? [[symbol, readCounts(counts)] as const] : [];
  });
  return new Map(known);
}

function readCounts(value: unknown): Held {
  const counts: readonly unknown[] = Array.isArray(value) ? value : [];
  const [selling, buying, ended, noSignal] = HELD_FIELDS.map((_, i) =>
    Number.isSafeInteger(counts[i]) ? (counts[i] as number) : 0,
  );
  return { selling, buying, ended, noSignal };
}

function summaryOf({ day, cap, held }: PastDay): AlertJson {
  const count = (one: Held) => HELD_FIELDS.reduce((sum, name) => sum + one[name], 0);
  const bySize = [...held].sort(([, one], [, other]) => count(other) - count(one));
  const total = bySize.reduce((sum, [, one]) => sum + count(one), 0);
  const lines = bySize.map(([symbol, one]) => `${symbol}: ${words(one)}`);
  const head = `${total} more alerts on ${day}, beyond Most Messages a Day (${cap}):`;
  return {
    symbol: bySize.map(([symbol]) => symbol).join(', '),
    signal: null,
    message: [head, ...firstLines(lines, NAMES_SHOWN, 'symbols')].join('\n'),
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
