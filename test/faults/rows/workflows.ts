import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ManualExecutionCancelledError } from 'n8n-workflow';
import { MAX_WAITING_ALERTS, Outbox } from '../../../src/trigger/outbox';
import { pause, until } from '../scene';
import { must, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { type TriggerItem, TriggerScene } from '../triggerScene';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
/** In place of the minute that the package waits for an execution, so that a run can see its end. */
const MAX_WAIT_MS = 250;
/** What a busy machine may add to any wait before it is a failure. */
const SLACK_MS = 1_500;
/** Node counts a wait from the beginning of the event loop's turn, which may lie as far back. */
const EARLY_MS = 100;
/** Older than the execution before it took, by no more than this; the speed issue's bound for 99 of 100. */
const AGE_MS = 150;
const STALL_LOOK_MS = 10;
const CAP = 5;
const MIN_CHANGES = 6;
/** No tie with quantities of a few thousand steps, so that doubles decide as exact numbers do. */
const THRESHOLD = 7.31;

const ages: number[] = [];
const growths: number[] = [];

/** Row 12: what an execution does, and what must not come of it. */
const CASES: ReadonlyArray<(seed: number) => Promise<RunResult>> = [
  slowWorkflow,
  neverSettling,
  slowAlerts,
  alertsBehindOneThatHangs,
  flood,
  refusedAlerts,
];

type Ending = 'slow' | 'at once' | 'fails' | 'hangs' | 'late';

/** Sees to it that one execution is in flight at a time, bar those that were waited for long enough. */
class Executions {
  private startedAt = -Infinity;
  private open = false;
  hungAt: number | null = null;
  count = 0;
  lastTookMs = 0;
  wrong: string | null = null;

  constructor(private readonly next: () => readonly [Ending, number]) {}

  start(): Promise<void> {
    const now = performance.now();
    const sinceMs = now - this.startedAt;
    this.count++;
    if (this.open && sinceMs < MAX_WAIT_MS - EARLY_MS)
      this.wrong ??= `another execution after ${sinceMs.toFixed(0)} ms beside one in flight`;
    if (sinceMs < Infinity) this.lastTookMs = sinceMs;
    this.startedAt = now;
    this.open = true;
    const [ending, ms] = this.next();
    const ended = (): void => {
      if (this.startedAt === now) this.open = false;
    };
    switch (ending) {
      case 'at once':
        ended();
        return Promise.resolve();
      case 'slow':
        return pause(ms).then(ended);
      case 'fails':
        return pause(ms).then(() => {
          ended();
          throw new ManualExecutionCancelledError('1');
        });
      case 'late':
        this.hungAt ??= now;
        return pause(MAX_WAIT_MS + ms);
      case 'hangs':
        this.hungAt ??= now;
        return new Promise(() => undefined);
    }
  }
}

/** How long this process, the exchange in it, stood still: no fault of the trigger's. */
class Stalls {
  private lastMs = performance.now();
  private worstMs = 0;
  private readonly timer = setInterval(() => this.look(), STALL_LOOK_MS);

  /** Milliseconds, since it was last asked. */
  take(): number {
    this.look();
    const worst = this.worstMs;
    this.worstMs = 0;
    return worst;
  }

  end(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const now = performance.now();
    this.worstMs = Math.max(this.worstMs, now - this.lastMs - STALL_LOOK_MS);
    this.lastMs = now;
  }
}

/** Holds each item against the feed: its newest book, and every book that was due in between counted. */
class Newest {
  private readonly seen = new Map<string, number>();
  private readonly atLastItem = new Map<string, number>();
  private views: ReturnType<TriggerScene['watch']> = [];
  private readonly stalls = new Stalls();
  late = 0;
  items = 0;
  wrong: string | null = null;

  begin(scene: TriggerScene): void {
    this.views = scene.watch({
      onBook: ({ symbol }) => void this.seen.set(symbol, (this.seen.get(symbol) ?? 0) + 1),
    });
  }

  end(): void {
    this.stalls.end();
  }

  look(items: readonly TriggerItem[], tookMs: number): void {
    const allowedMs = tookMs + AGE_MS + this.stalls.take();
    for (const { symbol, lastUpdateId, passedOver, receivedAtMs } of items) {
      const newest = this.views.find((view) => view.symbol === symbol)?.read(1)?.lastUpdateId;
      if (newest !== undefined && newest !== lastUpdateId)
        this.wrong ??= `${symbol} at ${lastUpdateId} where ${newest} was known`;
      const seen = this.seen.get(symbol) ?? 0;
      const before = this.atLastItem.get(symbol);
      if (before !== undefined && seen - before !== passedOver + 1)
        this.wrong ??= `${symbol}: ${passedOver} passed over of ${seen - before} books`;
      // The first items come before or while the watch begins.
      if (seen > 1) this.atLastItem.set(symbol, seen);
      const ageMs = Date.now() - receivedAtMs;
      ages.push(ageMs);
      this.items++;
      if (ageMs > allowedMs) this.late++;
    }
  }
}

/** Runs the trigger continuously with executions that end so, and checks every item. */
async function continuously(
  seed: number,
  next: (scene: TriggerScene) => readonly [Ending, number],
  act: (scene: TriggerScene, executions: Executions) => Promise<number | null>,
): Promise<RunResult> {
  const newest = new Newest();
  let running: TriggerScene | null = null;
  const executions = new Executions(() => (running === null ? ['at once', 0] : next(running)));
  return TriggerScene.play(
    {
      ...{ seed, symbols: SYMBOLS, exchange: { symbols: SYMBOLS }, limits: { maxWaitMs: MAX_WAIT_MS } },
      parameters: { emit: 'continuous' },
      onExecution: (items) => {
        const ended = executions.start();
        newest.look(items, executions.lastTookMs);
        return ended;
      },
    },
    async (scene) => {
      newest.begin(scene);
      await until(() => executions.count > 2, 'executions');
      running = scene;
      const recoverMs = await act(scene, executions);
      must(newest.wrong === null && executions.wrong === null, () => `${newest.wrong ?? executions.wrong}`);
      // One late moment may be the machine's.
      must(newest.late <= 1 + newest.items / 100, () => `${newest.late} of ${newest.items} books too old`);
      return recoverMs;
    },
  ).finally(() => newest.end());
}

function slowWorkflow(seed: number): Promise<RunResult> {
  const next = ({ random }: TriggerScene) =>
    [random.pick(['slow', 'slow', 'at once', 'fails'] as const), random.whole(10, 120)] as const;
  return continuously(seed, next, async (scene, executions) => {
    const before = executions.count;
    await pause(900);
    must(executions.count > before, 'no execution any more');
    const [last] = scene.trigger.executions.at(-1)?.[0] ?? [];
    must(last !== undefined, 'an execution without an item');
    return null;
  });
}

/** One that waits for days is, to the trigger, one that never settles. */
function neverSettling(seed: number): Promise<RunResult> {
  const next = ({ random }: TriggerScene) =>
    [random.pick(['hangs', 'late', 'slow', 'at once'] as const), random.whole(0, 100)] as const;
  return continuously(seed, next, async (_scene, executions) => {
    await until(() => executions.hungAt !== null, 'an execution that hangs');
    const [hungAt, count] = [executions.hungAt as number, executions.count];
    await until(() => executions.count > count, 'the next execution');
    const tookMs = performance.now() - hungAt;
    must(tookMs < MAX_WAIT_MS + SLACK_MS, `only after ${tookMs.toFixed(0)} ms`);
    await pause(500);
    return tookMs;
  });
}

interface Change {
  readonly lastUpdateId: number;
  readonly signal: string;
}

/** Every change of the bare rule on the best prices of the feed's books, worked out beside the package. */
class Changes {
  readonly all: Change[] = [];
  private signal: string | null = null;

  begin(scene: TriggerScene): void {
    scene.watch({
      onBook: (view) => {
        const book = view.read(1);
        if (book === null || book.bids.length === 0 || book.asks.length === 0) return;
        const [bid, ask] = [Number(book.bids[0][1]), Number(book.asks[0][1])];
        const part = THRESHOLD / 100;
        const signal = ask - bid > part * ask ? 'SELLING' : bid - ask > part * bid ? 'BUYING' : 'NEUTRAL';
        if (signal !== this.signal) this.all.push({ lastUpdateId: book.lastUpdateId, signal });
        this.signal = signal;
      },
    });
  }
}

const AT_ONCE = {
  ...{ recoveryThreshold: THRESHOLD, pendingPeriod: 0, consecutiveUpdates: 1, keepFiringFor: 0, cooldown: 0 },
  ...{ smoothingHalfLife: 0, repeatEvery: 0, noSignalAfter: 3_600 },
};

interface Reported {
  /** What the items said, from `from` on while the watch saw every change. */
  readonly reported: readonly Change[];
  readonly from: number;
  readonly changes: Changes;
  /** This many events, one after the other; the last has been reported when it resolves. */
  market(events: number): Promise<void>;
}

/** Runs the trigger by signal changes, reported at once, and passes on what was reported and what had to be. */
async function byChanges(
  seed: number,
  maxAlerts: number | undefined,
  execution: (scene: TriggerScene) => Promise<void> | 'refused',
  act: (scene: TriggerScene, seen: Reported) => Promise<number | null>,
): Promise<RunResult> {
  const reported: Change[] = [];
  const changes = new Changes();
  let running: TriggerScene | null = null;
  const symbols = SYMBOLS.slice(0, 1);
  return TriggerScene.play(
    {
      ...{
        seed,
        symbols,
        exchange: { symbols, paused: true },
        limits: { maxWaitMs: MAX_WAIT_MS, maxAlerts },
      },
      parameters: { emit: 'signalChange', measure: 'queue', threshold: THRESHOLD, alerts: AT_ONCE },
      onExecution: (items) => {
        const ended = running === null ? Promise.resolve() : execution(running);
        if (ended === 'refused') return Promise.reject(new Error('terminating connection'));
        for (const { lastUpdateId, signal } of items) reported.push({ lastUpdateId, signal: String(signal) });
        return ended;
      },
    },
    async (scene) => {
      changes.begin(scene);
      const tick = async (): Promise<void> => {
        scene.exchange.tick();
        await pause(10);
      };
      while (changes.all.length === 0) await tick();
      const from = reported.length + 1;
      while (reported.length <= from) await tick();
      running = scene;
      const market = async (events: number): Promise<void> => {
        // Some markets are calm for a while.
        const enough = changes.all.length + MIN_CHANGES;
        for (let i = 0; i < events || (changes.all.length < enough && i < 10 * events); i++) await tick();
        const [last] = changes.all.slice(-1);
        await until(() => reported.at(-1)?.lastUpdateId === last.lastUpdateId, 'the last change is reported');
      };
      return act(scene, { reported, from, changes, market });
    },
  );
}

/** What had to be reported since then. */
function expected({ reported, from, changes }: Reported): readonly string[] {
  const first = reported[from].lastUpdateId;
  return changes.all.filter(({ lastUpdateId }) => lastUpdateId >= first).map(line);
}

const line = ({ lastUpdateId, signal }: Change): string => `${lastUpdateId} ${signal}`;

/** However slow the workflow: every change, in order, none conflated away. */
function slowAlerts(seed: number): Promise<RunResult> {
  const execution = ({ random }: TriggerScene): Promise<void> => pause(random.whole(30, 200));
  return byChanges(seed, undefined, execution, async (_scene, seen) => {
    await seen.market(60);
    const wanted = expected(seen);
    const reported = seen.reported.slice(seen.from).map(line);
    must(wanted.length >= MIN_CHANGES, `only ${wanted.length} changes`);
    must(wanted.join() === reported.join(), () => `reported ${reported.join()}, not ${wanted.join()}`);
    return null;
  });
}

/** Behind an execution that never settles alerts wait up to the cap, the newest are kept, and they resume. */
function alertsBehindOneThatHangs(seed: number): Promise<RunResult> {
  let hungAt: number | null = null;
  let before = 0;
  let resumedAt = 0;
  const execution = ({ trigger }: TriggerScene): Promise<void> => {
    if (hungAt !== null) {
      if (resumedAt === 0) resumedAt = performance.now();
      return Promise.resolve();
    }
    hungAt = performance.now();
    before = trigger.executions.length;
    return new Promise(() => undefined);
  };
  return byChanges(seed, CAP, execution, async ({ trigger }, seen) => {
    await seen.market(60);
    must(hungAt !== null, 'no execution that hangs');
    const tookMs = resumedAt - hungAt;
    must(
      tookMs > MAX_WAIT_MS - EARLY_MS && tookMs < MAX_WAIT_MS + SLACK_MS,
      `resumed after ${tookMs.toFixed(0)} ms`,
    );
    const [first] = trigger.executions.slice(before);
    must(first[0].length <= CAP, `${first[0].length} alerts waited where ${CAP} may`);
    // All up to the one that hangs; of those behind it the newest that may wait, and all after them.
    const reported = seen.reported.slice(seen.from).map(line);
    const wanted = expected(seen);
    const hung = reported.length - trigger.executions.slice(before).flat(2).length;
    must(reported.slice(0, hung).join() === wanted.slice(0, hung).join(), 'not in order before it hung');
    const tail = reported.slice(hung);
    must(
      tail.join() === wanted.slice(wanted.length - tail.length).join(),
      () => `not the newest: ${tail.join()}`,
    );
    const dropped = wanted.length - reported.length;
    must(dropped === 0 || first[0].length === CAP, `${dropped} dropped with ${first[0].length} waiting`);
    return tookMs;
  });
}

/** While n8n's database is away each execution is refused before it begins: every change comes, in order, once. */
function refusedAlerts(seed: number): Promise<RunResult> {
  let refusals = 0;
  let inARow = 0;
  const execution = ({ random }: TriggerScene): Promise<void> | 'refused' => {
    // Longer rows would pause for longer than a run waits.
    inARow = inARow < 3 && random.chance(0.6) ? inARow + 1 : 0;
    if (inARow === 0) return Promise.resolve();
    refusals++;
    return 'refused';
  };
  return byChanges(seed, undefined, execution, async ({ trigger }, seen) => {
    await seen.market(60);
    const wanted = expected(seen);
    const reported = seen.reported.slice(seen.from).map(line);
    must(wanted.join() === reported.join(), () => `reported ${reported.join()}, not ${wanted.join()}`);
    const said = trigger.logLines.some((one) => one.includes('n8n refused an execution'));
    must(said === refusals > 0, `${refusals} refusals, and the log ${said ? 'names' : 'does not name'} them`);
    return null;
  });
}

/** A million books and alerts behind an execution that never settles take no memory. */
async function flood(seed: number): Promise<RunResult> {
  const started: string[][] = [];
  const box = new Outbox<string>({
    start: (items) => {
      started.push([...items]);
      return new Promise(() => undefined);
    },
    newest: (symbol, passedOver) => `${symbol} ${passedOver}`,
    maxWaitMs: MAX_WAIT_MS,
  });
  try {
    box.markDue('first');
    await until(() => started.length === 1, 'the first execution');
    const fill = (from: number, count: number): void => {
      for (let i = from; i < from + count; i++) {
        box.markDue(`S${i % 200}USDT`);
        box.pushAlert(`alert ${i}`);
      }
    };
    const filled = 20_000 + (seed % 100);
    fill(0, filled);
    const before = heapUsed();
    fill(filled, 500_000);
    const growth = heapUsed() - before;
    growths.push(growth);
    must(growth < 1024 * 1024, `grew by ${growth} bytes`);
    await until(() => started.length === 2, 'the next execution');
    const next = started[1];
    must(next.length === MAX_WAITING_ALERTS + 200, `${next.length} items`);
    const last = filled + 500_000;
    must(next[0] === `alert ${last - MAX_WAITING_ALERTS}`, `the oldest kept is ${next[0]}`);
    const counted = next
      .slice(MAX_WAITING_ALERTS)
      .reduce((sum, item) => sum + Number(item.split(' ')[1]) + 1, 0);
    must(counted === last, `${counted} books counted of ${last}`);
  } finally {
    box.close();
  }
  return { recoverMs: null };
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** After a collection. */
function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

function figures(): string[] {
  const sorted = [...ages].sort((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.ceil(part * sorted.length) - 1] ?? NaN).toFixed(0);
  const most = growths.length === 0 ? 'not run' : `${(Math.max(...growths) / 1024).toFixed(0)} KiB`;
  return [
    `age of ${ages.length} books when their execution started: median ${at(0.5)} ms, p99 ${at(0.99)} ms`,
    `memory for 500 000 books and alerts behind an execution that hangs: at most ${most}`,
  ];
}

export const workflowRows: readonly Scenario[] = [
  {
    id: 12,
    name: 'workflows',
    what: 'workflows that are slow, fail, are cancelled in the queue, refused before they begin, end late or never; a million items behind one that hangs',
    expected:
      'the newest book kept, the rest counted; every alert in order up to the cap; on again after the longest wait',
    maxRuns: REAL_RUNS,
    variants: CASES.length,
    recovers: (seed) => [neverSettling, alertsBehindOneThatHangs].includes(CASES[seed % CASES.length]),
    run: (seed) => CASES[seed % CASES.length](seed),
    figures,
  },
];
