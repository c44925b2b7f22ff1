import type { Exchange } from '../../exchange';
import { trueSignal } from '../e2e/trueSignal';

export const SYMBOL = 'BTCUSDT';
export const LEVELS = 20;
/** No tie with quantities of a few decimals, so that every way to compute it decides the same. */
export const THRESHOLD = 7.31;
/** Of the market, milliseconds: the pace of the exchange's events. */
const TICK_MS = 100;

type Signal = 'SELLING' | 'BUYING' | 'NEUTRAL';

/** What arrives from a workflow, as far as it is looked at. */
export interface Item {
  readonly lastUpdateId?: number | null;
  readonly bids?: unknown;
  readonly asks?: unknown;
  readonly signal?: Signal | null;
  readonly previousSignal?: Signal | null;
  readonly reason?: string | null;
  readonly message?: string;
  readonly warning?: string;
  readonly receivedAtMs?: number | null;
  /** n8n's number of the execution that sent it, and its place among the items of that. */
  readonly execution?: string;
  readonly place?: number;
}

export interface Alert extends Item {
  readonly lastUpdateId: number;
  readonly signal: Signal;
}

/** What the rule says of the book at one update id. */
interface RuledSignal {
  readonly id: number;
  readonly signal: Signal;
}

/** When the market had it, milliseconds since 1970. */
interface TimedSignal extends RuledSignal {
  readonly atMs: number;
}

/** Update ids. */
type Span = readonly [from: number, to: number];

/** The market, one event after the other, and what has to be said of each. */
export class Truth {
  /** By the event's last update id, in the market's order. */
  private readonly signals: TimedSignal[] = [];
  private timer: NodeJS.Timeout;
  /** Update ids between which nothing watched the market. */
  private readonly blind: Span[] = [];

  constructor(private readonly exchange: Exchange) {
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  get nowId(): number {
    return this.exchange.lastUpdateId(SYMBOL);
  }

  /** When the rule changed first after a moment: before, there is nothing to report. Both milliseconds since 1970. */
  changedAfter(ms: number): number {
    const { signals } = this;
    const changed = signals.find(({ atMs, signal }, i) => atMs > ms && signal !== signals[i - 1]?.signal);
    return changed?.atMs ?? Infinity;
  }

  noteBlind(from: number, to: number): void {
    this.blind.push([from, to]);
  }

  /** Is its book the exchange's? */
  isTrue({ lastUpdateId, bids, asks }: Item): boolean {
    const truth = this.exchange.trueBook(SYMBOL, Number(lastUpdateId), LEVELS);
    return JSON.stringify([truth?.bids, truth?.asks]) === JSON.stringify([bids, asks]);
  }

  /** What is wrong with these alerts, which came after `before`. */
  faultsOf(alerts: readonly Alert[], before: Alert | null): string[] {
    return alertFaults(this.signals, this.blind, alerts, before);
  }

  end(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    this.exchange.tick();
    const id = this.nowId;
    const book = this.exchange.trueBook(SYMBOL, id, LEVELS);
    if (book === null) return;
    const { signal } = trueSignal(book, LEVELS, THRESHOLD, null);
    this.signals.push({ id, signal, atMs: Date.now() });
  }
}

/**
 * What is wrong with the alerts that came after `before`: each change of the rule has to be among them, once. One that says
 * that it may be a repeat may be older than `before`, too.
 * @param signals of every event, in the market's order
 * @param blind where nothing watched the market
 */
export function alertFaults(
  signals: readonly RuledSignal[],
  blind: readonly Span[],
  alerts: readonly Alert[],
  before: Alert | null,
): string[] {
  const faults: string[] = [];
  let previous = before;
  for (const alert of [...alerts].sort((a, b) => a.lastUpdateId - b.lastUpdateId)) {
    const { lastUpdateId: id, signal, previousSignal } = alert;
    const truth = signals.find((one) => one.id === id)?.signal;
    if (truth !== signal) faults.push(`at ${id} ${signal} was reported where the rule says ${truth}`);
    if (previous !== null && id <= previous.lastUpdateId) {
      const allowed = isRepeated(alert) || (id === previous.lastUpdateId && isRepeated(previous));
      if (!allowed) faults.push(`the alert at ${id} came twice`);
      continue;
    }
    if (previous !== null && previous.signal !== previousSignal)
      faults.push(`at ${id} an alert after ${previousSignal}, and the one before it said ${previous.signal}`);
    else if (previous !== null) faults.push(...unreported(signals, blind, previous, id));
    previous = alert;
  }
  return faults;
}

/** The first change of the rule between an alert and the next one. */
function unreported(
  signals: readonly RuledSignal[],
  blind: readonly Span[],
  { lastUpdateId: from, signal: held }: Alert,
  to: number,
): string[] {
  if (blind.some(([start, end]) => start < to && end > from)) return [];
  const missed = signals.find(({ id, signal }) => id > from && id < to && signal !== held);
  return missed === undefined ? [] : [`no alert at ${missed.id}, where ${held} became ${missed.signal}`];
}

/** The trigger cannot know whether it was reported, and says so. */
export const isRepeated = ({ warning = '' }: Item): boolean => /may have been reported/.test(warning);

/**
 * What came behind a newer alert, a sentence for each. n8n's HTTP Request node sends the items of one execution side by
 * side: among these the order is the trigger's, whatever arrived first.
 */
export function disordered(arrived: readonly Alert[]): string[] {
  const byExecution: Alert[][] = [];
  for (const alert of arrived) {
    const last = byExecution.at(-1);
    if (last?.[0].execution === alert.execution) last?.push(alert);
    else byExecution.push([alert]);
  }
  const inOrder = byExecution.flatMap((items) => items.sort((a, b) => Number(a.place) - Number(b.place)));
  const named = ({ lastUpdateId, execution }: Alert) => `${lastUpdateId} of execution ${execution}`;
  return inOrder.flatMap((alert, i) =>
    i > 0 && alert.lastUpdateId < inOrder[i - 1].lastUpdateId
      ? [`the alert at ${named(alert)} came behind the one at ${named(inOrder[i - 1])}`]
      : [],
  );
}
