import { median, quantile } from '../lib/stats';
import type { LiveCase, Watched } from './live';
import type { StartedBook } from './meter';

/** What a workflow was seen to do. Times in milliseconds; NaN where there was nothing to measure. */
export interface LiveFigures {
  readonly mode: LiveCase['mode'];
  readonly symbols: number;
  readonly eventsPerSecond: number;
  readonly executionsPerSecond: number;
  readonly executions: number;
  readonly books: number;
  /** Frame received → the execution's first node after the trigger runs, of each book. */
  readonly ageMedianMs: number;
  readonly ageP99Ms: number;
  /** The same from the moment the exchange made the event. */
  readonly eventAgeP99Ms: number;
  /** From n8n's taking an execution on to its end. */
  readonly ownMedianMs: number;
  readonly ownP99Ms: number;
  /** Age less the own time of the very execution that began with the book. */
  readonly beyondOwnP99Ms: number;
  /** Signal changes: from the end of the execution in flight, or the frame if that came later, to n8n's taking it on. */
  readonly beyondInFlightP99Ms: number;
  /** Books that gave way to newer ones. */
  readonly passedOver: number;
  /** Events for one execution: what was looked at so that one workflow had to run. */
  readonly eventsPerExecution: number;
}

interface Execution {
  readonly takenMs: number;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly books: readonly StartedBook[];
}

export function analyse(test: LiveCase, { reported, fromMs, toMs, eventsPerSecond }: Watched): LiveFigures {
  const seconds = (toMs - fromMs) / 1e3;
  const started = reported.filter((line) => line.kind === 'started');
  const books = started.flatMap(({ atMs, books }) => books.map((book) => ({ atMs, book })));
  const ages = books.map(({ atMs, book }) => atMs - (book[1] ?? NaN));
  const eventAges = books.flatMap(({ atMs, book }) => (book[0] === null ? [] : [atMs - book[0]]));
  // Where executions overlap, the outside does not show which of them ended.
  const executions = test.mode === 'naive' ? [] : executionsOf(reported);
  const own = executions.map(({ takenMs, endedMs }) => endedMs - takenMs);
  return {
    ...{ mode: test.mode, symbols: test.symbols, eventsPerSecond },
    executionsPerSecond: started.length / seconds,
    executions: started.length,
    books: books.length,
    ageMedianMs: middle(ages),
    ageP99Ms: late(ages),
    eventAgeP99Ms: late(eventAges),
    ownMedianMs: middle(own),
    ownP99Ms: late(own),
    beyondOwnP99Ms: late(
      executions.flatMap(({ startedMs, books }, i) =>
        books.map((book) => startedMs - (book[1] ?? NaN) - own[i]),
      ),
    ),
    beyondInFlightP99Ms: test.mode === 'signalChange' ? late(waits(executions)) : NaN,
    passedOver: books.reduce((sum, { book }) => sum + (book[2] ?? 0), 0),
    eventsPerExecution: (eventsPerSecond * seconds) / started.length,
  };
}

/** One execution in flight, so reports come in threes. */
function executionsOf(reported: Watched['reported']): Execution[] {
  const executions: Execution[] = [];
  for (let i = 2; i < reported.length; i++) {
    const [taken, started, ended] = [reported[i - 2], reported[i - 1], reported[i]];
    if (taken.kind === 'taken' && started.kind === 'started' && ended.kind === 'ended')
      executions.push({
        ...{ takenMs: taken.atMs, startedMs: started.atMs, endedMs: ended.atMs },
        books: started.books,
      });
  }
  return executions;
}

function waits(executions: readonly Execution[]): number[] {
  return executions.slice(1).flatMap(({ takenMs, books }, i) =>
    // `i` is the execution before, because of the slice.
    books.map((book) => takenMs - Math.max(book[1] ?? NaN, executions[i].endedMs)),
  );
}

/** Median age of the books that executions began with in each second. */
export function ageBySecond({ reported, fromMs }: Watched): Array<readonly [second: number, ms: number]> {
  const bySecond = new Map<number, number[]>();
  for (const line of reported) {
    if (line.kind !== 'started') continue;
    const second = Math.floor((line.atMs - fromMs) / 1e3) + 1;
    const ages = bySecond.get(second) ?? [];
    bySecond.set(second, ages);
    for (const book of line.books) ages.push(line.atMs - (book[1] ?? NaN));
  }
  return [...bySecond].map(([second, ages]) => [second, median(ages)] as const);
}

function middle(values: readonly number[]): number {
  return values.length === 0 ? NaN : median(values);
}

function late(values: readonly number[]): number {
  return values.length === 0 ? NaN : quantile(values, 0.99);
}
