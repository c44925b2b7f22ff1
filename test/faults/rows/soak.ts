import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Exchange, startExchange } from '../../../exchange';
import type { FromChild, SeenBook, SoakFigures, SoakJob, SoakMarket } from '../../support/soakChild';
import { credentialsOf } from '../../support/storeFixtures';
import { FaultProxy } from '../proxy';
import { Random } from '../random';
import { must, EVERY_RUN, type RunResult, type Scenario } from '../scenario';
import { agrees, pause } from '../scene';
import { sharedRedis } from '../sharedRedis';
import { strikeAtRandom, troubleRedis } from '../weather';

export interface SoakOptions {
  /** Market time. */
  readonly hours: number;
  readonly symbols: number;
}

/** How many times as fast as real time market time goes; the feed's waits are a twentieth as long. */
const SPEED = 40;
const STEP_MS = 100;
/** Steps at once at most: a machine that is behind stays behind, and the soak takes longer. */
const MOST_STEPS = 8;
const TURN_MS = 10;
/** Real milliseconds between faults. */
const FAULT_EVERY_MS = 350;
/** One fault in this many is one of the futures market's. */
const FUTURES_SHARE = 0.2;
/** One symbol in this many is a future; as many others are also written to Redis. */
const ONE_IN = 10;
/** The same between Redis and its writer, and how long such a fault lasts. */
const REDIS_FAULT_EVERY_MS = 6_000;
const REDIS_FAULT_LASTS_MS = 2_500;
const LEVELS = 20;
/** How often the process under test is measured, evenly over the soak. */
const SAMPLES = 10;
/** The first of them see caches and the engine's own code still growing. */
const WARM_SAMPLES = 3;
const MIB = 1024 * 1024;
/** Between the means of the first and the last samples after that, bytes. */
const MAX_GROWTH = {
  heapUsed: 2 * MIB,
  /** Buffers of sockets and of what is being read: they come and go. */
  external: 8 * MIB,
  /** What the engine keeps of pages that it once needed. */
  rss: 64 * MIB,
} as const;
/** From here on a soak is long enough to judge growth. */
const JUDGED_FROM_HOURS = 0.5;
/** Handles that may be there at one moment and not at another: a request, a timer. */
const MAX_SPREAD = 4;
const CALM_LIMIT_MS = 120_000;
const SETTLE_MS = 400;
const READER_BEHIND_BYTES = 256 * 1024;
const ROOT = join(__dirname, '../../..');

const marketOf = ({ profile, feeds, restBaseUrl, webSocketBaseUrl }: Exchange): SoakMarket => ({
  market: profile.id as SoakMarket['market'],
  symbols: [...feeds.keys()],
  restBaseUrl,
  webSocketBaseUrl,
});

/** A few symbols are busy, most say something every second or so, as on the exchange. */
function symbolsOf(count: number): Array<{ symbol: string; activity: number; levels: number }> {
  return Array.from({ length: count }, (_, i) => ({
    symbol: `COIN${i}USDT`,
    activity: i < count / 20 ? 0.3 : i < count / 4 ? 0.01 : 0.003,
    levels: 150,
  }));
}

const keyOf = ({ market, symbol }: Pick<SeenBook, 'market' | 'symbol'>): string => `${market} ${symbol}`;

/** The process under test, and what it says. */
class Subject {
  private readonly child: ChildProcess;
  private readonly gone: Promise<void>;
  private answer: (message: FromChild) => void = () => undefined;
  private readonly highestIds = new Map<string, number>();
  readonly failures: string[] = [];
  checked = 0;
  checkedInRedis = 0;
  /** Books of ids that the exchange remembers no more. */
  forgotten = 0;

  constructor(
    private readonly exchanges: readonly Exchange[],
    job: SoakJob,
  ) {
    const script = join(ROOT, 'test/support/soakChild.ts');
    this.child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', script, JSON.stringify(job)], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      cwd: ROOT,
    });
    this.child.on('message', (message: FromChild) => this.take(message));
    this.gone = new Promise((resolve) => this.child.once('exit', () => resolve()));
    this.child.once('exit', (code, signal) => {
      if (signal !== 'SIGKILL') this.failures.push(`the process ended by itself: ${code ?? signal}`);
    });
  }

  async ask<K extends 'state' | 'figures'>(question: K): Promise<Extract<FromChild, { kind: K }>> {
    const answered = new Promise<FromChild>((resolve) => (this.answer = resolve));
    this.child.send(question);
    const end = performance.now() + CALM_LIMIT_MS;
    let message: FromChild | null = null;
    void answered.then((one) => (message = one));
    while (message === null) {
      must(this.failures.length === 0, () => this.failures[0]);
      must(performance.now() < end, `no answer to ${question}`);
      await pause(5);
    }
    return message as Extract<FromChild, { kind: K }>;
  }

  async end(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.gone;
  }

  private take(message: FromChild): void {
    if (message.kind === 'books') return message.books.forEach((book) => this.check(book, message.from));
    if (message.kind === 'failed') return void this.failures.push(message.message);
    this.answer(message);
  }

  private check(book: SeenBook, from: string): void {
    const { market, symbol, lastUpdateId, bids, asks } = book;
    const exchange = this.exchanges.find(({ profile }) => profile.id === market);
    if (exchange === undefined) return void this.failures.push(`a book of ${market} ${symbol}`);
    const truths = exchange.trueBooks(symbol, lastUpdateId, LEVELS);
    this.checked++;
    if (from === 'Redis') this.checkedInRedis++;
    if (truths.length === 0 && lastUpdateId <= this.highest(exchange, symbol)) return void this.forgotten++;
    const same = truths.some(
      (truth) =>
        agrees(bids, truth.bids, book.bidsComplete ?? false) &&
        agrees(asks, truth.asks, book.asksComplete ?? false),
    );
    if (same) return;
    const best = JSON.stringify([bids[0], asks[0], truths.map((truth) => [truth.bids[0], truth.asks[0]])]);
    this.failures.push(
      `${keyOf(book)} at ${lastUpdateId} from the ${from} is not the true book; the exchange is at ${exchange.lastUpdateId(symbol)}; best here and there: ${best}`,
    );
  }

  /** The highest id that a symbol has had so far; to be called before its ids start over. */
  highest(exchange: Exchange, symbol: string): number {
    const key = keyOf({ market: exchange.profile.id, symbol });
    const highest = Math.max(this.highestIds.get(key) ?? 0, exchange.lastUpdateId(symbol));
    this.highestIds.set(key, highest);
    return highest;
  }
}

/** What a soak tells while it goes on, and after it. */
interface SoakReport {
  progress: () => string;
  figures: () => readonly string[];
}

/** Row 18: many symbols for hours of market time with random faults. */
class Soak {
  private readonly random: Random;
  private readonly samples: SoakFigures[] = [];
  private readonly outagesMs: number[] = [];
  private steps = 0;
  private faults = 0;
  private redisFaults = 0;
  private nextRedisFault = 0;
  private begunAt = 0;
  private endedAt = 0;

  private constructor(
    private readonly options: SoakOptions,
    private readonly exchanges: readonly Exchange[],
    private readonly proxy: FaultProxy,
    private readonly subject: Subject,
    private readonly stored: number,
    seed: number,
  ) {
    this.random = new Random(seed);
  }

  static async run(seed: number, options: SoakOptions, report: SoakReport): Promise<RunResult> {
    const futures = Math.ceil(options.symbols / ONE_IN);
    const timing = { weightWindowMs: 3_000, connectsPerWindow: 1_000 };
    const common = { seed, paused: true, timing };
    const server = await sharedRedis();
    const proxy = await FaultProxy.start(server.port);
    const exchanges: Exchange[] = [];
    let subject: Subject | null = null;
    try {
      for (const [market, count] of [
        ['spot', options.symbols - futures],
        ['usdm', futures],
      ] as const)
        exchanges.push(await startExchange({ ...common, market, symbols: symbolsOf(count) }));
      const markets = exchanges.map(marketOf);
      const stored = { ...markets[0], symbols: markets[0].symbols.slice(-futures) };
      const credentials = credentialsOf(server, { port: proxy.port });
      subject = new Subject(exchanges, { markets, levels: LEVELS, stored, credentials });
      const soak = new Soak(options, exchanges, proxy, subject, stored.symbols.length, seed);
      report.progress = () => soak.where();
      // Kept up to date: what was measured until it failed says more than the failure.
      report.figures = () => soak.figures();
      await soak.play();
      soak.judge();
      return { recoverMs: soak.outagesMs };
    } finally {
      await subject?.end();
      for (const exchange of exchanges) await exchange.close();
      await proxy.close();
    }
  }

  private async play(): Promise<void> {
    const total = Math.round((this.options.hours * 3_600_000) / STEP_MS);
    await this.calm();
    this.begunAt = performance.now();
    const samples = Math.max(2, Math.round(SAMPLES * Math.min(1, this.options.hours * 2)));
    for (let i = 1; i <= samples; i++) {
      await this.storm(Math.round((i * total) / samples));
      await this.calm();
      const { figures } = await this.subject.ask('figures');
      this.samples.push(figures);
      this.endedAt = performance.now();
      for (const ms of figures.outagesMs) this.outagesMs.push(ms);
      must(this.subject.failures.length === 0, () => this.subject.failures.slice(0, 3).join('; '));
    }
  }

  /** The market goes on up to this step, with faults. */
  private async storm(upTo: number): Promise<void> {
    let last = performance.now();
    let nextFault = last + FAULT_EVERY_MS;
    let owed = 0;
    while (this.steps < upTo) {
      await pause(TURN_MS);
      const now = performance.now();
      owed = Math.min(owed + ((now - last) * SPEED) / STEP_MS, MOST_STEPS);
      last = now;
      this.advance(Math.min(Math.floor(owed), upTo - this.steps));
      owed -= Math.floor(owed);
      if (now < nextFault) continue;
      nextFault = now + this.random.next() * 2 * FAULT_EVERY_MS;
      const [spot, futures] = this.exchanges;
      const exchange = this.random.chance(FUTURES_SHARE) ? futures : spot;
      for (const symbol of exchange.feeds.keys()) this.subject.highest(exchange, symbol);
      strikeAtRandom(exchange, this.random);
      this.faults++;
      this.troubleRedis(now);
    }
  }

  /** Now and then; what lasts is over before the next. */
  private troubleRedis(now: number): void {
    if (now < this.nextRedisFault) return;
    this.nextRedisFault = now + REDIS_FAULT_LASTS_MS + this.random.next() * 2 * REDIS_FAULT_EVERY_MS;
    troubleRedis(this.proxy, this.random);
    this.exchanges[0].later(REDIS_FAULT_LASTS_MS, () => this.proxy.clear());
    this.redisFaults++;
  }

  private advance(steps: number): void {
    // What nobody reads any more must not hold the market up.
    for (const { hub } of this.exchanges)
      for (const connection of hub.connections)
        if (!connection.halfOpen && connection.bufferedBytes > READER_BEHIND_BYTES) return;
    for (let i = 0; i < steps; i++) for (const exchange of this.exchanges) exchange.tick();
    this.steps += steps;
  }

  /** No more faults; the market goes on until every symbol is live, and then stops. */
  private async calm(): Promise<void> {
    for (const exchange of this.exchanges) exchange.faults.clear();
    this.proxy.clear();
    const end = performance.now() + CALM_LIMIT_MS;
    for (;;) {
      const { live, stored, why } = await this.subject.ask('state');
      // A connection that replaces another is open beside it for a while.
      const single = this.exchanges.every(({ hub }) => hub.connections.size === 1);
      if (live === this.options.symbols && stored === this.stored && single) break;
      must(
        performance.now() < end,
        () => `${live} of ${this.options.symbols} live, ${stored} of ${this.stored} in Redis; ${why}`,
      );
      for (let turn = 0; turn < 5; turn++) {
        await pause(TURN_MS);
        this.advance(1);
      }
    }
    // What is on its way arrives.
    await pause(SETTLE_MS);
  }

  private judge(): void {
    const { forgotten, checked, checkedInRedis } = this.subject;
    for (const { stats } of this.exchanges) must(stats.bans === 0, 'a ban was earned');
    must(checkedInRedis > 0, 'no record in Redis was checked');
    must(checked > 0 && forgotten * 100 <= checked, `${forgotten} of ${checked} books could not be checked`);
    // Fewer at one moment are no leak: in 24 hours there was one look at which every timer had just gone off.
    const more = (what: 'handles' | 'listeners'): number => {
      const counts = this.samples.map((sample) => sample[what]);
      return Math.max(0, ...counts.slice(WARM_SAMPLES)) - Math.max(...counts.slice(0, WARM_SAMPLES));
    };
    must(more('handles') <= MAX_SPREAD, () => `${more('handles')} more handles than at first`);
    must(more('listeners') <= 5 * MAX_SPREAD, () => `${more('listeners')} more listeners than at first`);
    if (this.options.hours < JUDGED_FROM_HOURS) return;
    for (const what of ['heapUsed', 'external', 'rss'] as const) {
      const growth = this.growth(what);
      must(growth <= MAX_GROWTH[what], `${what} grew by ${mebibytes(growth)} MiB`);
    }
  }

  private growthText(what: keyof typeof MAX_GROWTH): string {
    const growth = this.growth(what);
    return Number.isNaN(growth) ? '' : `; growth once warm ${mebibytes(growth)}`;
  }

  /** Bytes; NaN while there are only samples of the beginning. */
  private growth(what: keyof typeof MAX_GROWTH): number {
    const warm = this.samples.slice(WARM_SAMPLES).map((sample) => sample[what]);
    const third = Math.ceil(warm.length / 3);
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, one) => sum + one, 0) / values.length;
    return mean(warm.slice(-third)) - mean(warm.slice(0, third));
  }

  private where(): string {
    const { checked } = this.subject;
    return `${this.marketHours().toFixed(2)} of ${this.options.hours} h, ${this.faults} faults, ${checked} books checked`;
  }

  private marketHours(): number {
    return (this.steps * STEP_MS) / 3_600_000;
  }

  private figures(): string[] {
    const { samples, outagesMs, subject } = this;
    if (samples.length === 0) return [this.where()];
    const last = samples[samples.length - 1];
    const tookS = (this.endedAt - this.begunAt) / 1000;
    const each = (of: (figures: SoakFigures) => string | number): string => samples.map(of).join(' ');
    return [
      `${this.marketHours().toFixed(2)} h of market time in ${tookS.toFixed(0)} s, ${this.options.symbols} symbols, ${last.events} books, ${this.faults} faults and ${this.redisFaults} on the way to Redis, ${last.resyncs} resyncs`,
      `${subject.checked} books of items and stores checked, ${subject.checkedInRedis} of Redis among them; ${subject.forgotten} too old to be checked`,
      `outages ${outagesMs.length}: median ${quantile(outagesMs, 0.5)} ms, p99 ${quantile(outagesMs, 0.99)} ms, longest ${quantile(outagesMs, 1)} ms`,
      `heap MiB: ${each(({ heapUsed }) => mebibytes(heapUsed))}${this.growthText('heapUsed')}`,
      `handles: ${each(({ handles }) => handles)}; listeners: ${each(({ listeners }) => listeners)}`,
      `outside the heap MiB: ${each(({ external }) => mebibytes(external))}${this.growthText('external')}`,
      `resident MiB: ${each(({ rss }) => (rss / MIB).toFixed(0))}${this.growthText('rss')}`,
    ];
  }
}

const mebibytes = (bytes: number): string => (bytes / MIB).toFixed(1);

function quantile(values: readonly number[], part: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? null;
}

/** An hour as the scoreboard has it. */
export const SOAK: SoakOptions = { hours: 1, symbols: 200 };

export function soakRow(options: SoakOptions): Scenario {
  const report: SoakReport = { progress: () => 'starting', figures: () => [] };
  return {
    id: 18,
    name: 'soak',
    what: `${options.hours} h of market time at ${options.symbols} symbols, spot and futures, forty times as fast, with random faults on both and on the way to Redis`,
    expected:
      'nothing wrong in items and store; memory, handles and listeners flat; every symbol live after the faults',
    maxRuns: 1,
    // A machine of two cores has been seen to take a quarter of the market's time.
    limitMs: 120_000 + options.hours * 3_600_000,
    recovers: EVERY_RUN,
    // The suite's Redis stays: it is no leak of the run.
    prepare: async () => void (await sharedRedis()),
    run: (seed) => Soak.run(seed, options, report),
    progress: () => report.progress(),
    figures: () => report.figures(),
  };
}
