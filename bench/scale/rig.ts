import { setTimeout as pause } from 'node:timers/promises';
import type { FeederMethods, HashedBook, Measured, Memory } from './feeder';
import { symbolNames } from './names';
import type { SenderMethods, SenderOptions, SenderStats } from './sender';
import { clockBase } from './sharedClock';
import { Worker } from './worker';

const START_TIMEOUT_MS = 180_000;
/**
 * After everything is live the engine still has to compile, and does so only for what runs often: a feed of few events
 * would be timed in the state of its first minute. So it gets many for a while.
 */
const WARM_UP_MS = 3_000;
const WARM_UP_EVENTS_A_SECOND = 5_000;
const SETTLE_MS = 1_000;
const SHORT_MS = 200;

export type Feeder = Worker<FeederMethods>;
export type Sender = Worker<SenderMethods>;

export interface Load {
  readonly symbols: number;
  readonly levels: number;
  readonly perSecond: number;
}

export interface Run extends Load {
  readonly measured: Measured;
  /** The same with a save a second of each symbol; null where that was not asked for. */
  readonly saving: Measured | null;
  readonly sender: SenderStats;
  readonly startSeconds: number;
  readonly retainedBytes: number;
  readonly residentBytes: number;
  readonly booksChecked: number;
  /** Times that a book had to be fetched again since the start. */
  readonly resyncs: number;
}

/** Level changes an event: thin books change less. */
export function changesOf(levels: number): number {
  return levels < 100 ? 10 : 35;
}

/** One feed under one load: started, timed, and every book compared with the true one at the end. */
export async function runLoad(
  load: Load,
  seconds: number,
  progress: (text: string) => void,
  redisPort?: number,
): Promise<Run> {
  const what = `${load.symbols} symbols, ${load.levels} levels, ${load.perSecond} a second`;
  const sender: Sender = Worker.start<SenderMethods>('sender');
  const feeder: Feeder = Worker.start<FeederMethods>('feeder');
  try {
    progress(`${what}: start`);
    const base = clockBase();
    const port = await sender.call('open', senderOptions(load, base));
    const before = await feeder.call('memory');
    const begun = performance.now();
    await sender.call('resume');
    const symbols = symbolNames(0, load.symbols);
    await feeder.call('start', { port, symbols, bookDepth: 5_000, clockBase: base });
    await allLive(feeder, load.symbols);
    const startSeconds = (performance.now() - begun) / 1_000;
    progress(`${what}: warm-up`);
    await warmUp(sender, load, seconds);
    progress(`${what}: timing`);
    const measured = await time(feeder, seconds, () => sender.call('stats'));
    const stats = await sender.call('stats');
    const after = await feeder.call('memory');
    let saving: Measured | null = null;
    if (redisPort !== undefined) {
      progress(`${what}: timing with saves`);
      await feeder.call('writeTo', { redisPort, saveEveryMs: 1_000, publish: false });
      saving = await time(feeder, seconds);
    }
    const booksChecked = await checkBooks(sender, [feeder], load.symbols);
    const resyncs = await feeder.call('resyncs');
    await expectNothingLeft(feeder);
    return {
      ...load,
      measured,
      saving,
      sender: stats,
      startSeconds,
      ...grown(before, after),
      booksChecked,
      resyncs,
    };
  } finally {
    await Promise.all([sender.close(), feeder.close()]);
  }
}

export async function warmUp(sender: Sender, load: Load, seconds: number): Promise<void> {
  await sender.call('pace', Math.max(load.perSecond, WARM_UP_EVENTS_A_SECOND / load.symbols));
  await pause(seconds < 2 ? SHORT_MS : WARM_UP_MS);
  await sender.call('pace', load.perSecond);
}

export async function time(
  feeder: Feeder,
  seconds: number,
  before: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Measured> {
  // The figures of a run of a second are not used.
  await pause(seconds < 2 ? SHORT_MS : SETTLE_MS);
  await before();
  await feeder.call('begin');
  await pause(seconds * 1_000);
  return feeder.call('end');
}

export function senderOptions(load: Load, base: number): SenderOptions {
  return { ...load, changes: changesOf(load.levels), clockBase: base };
}

export async function allLive(feeder: Feeder, symbols: number): Promise<void> {
  const end = performance.now() + START_TIMEOUT_MS;
  while ((await feeder.call('live')) < symbols) {
    if (performance.now() > end) throw new Error(`not all of ${symbols} symbols came live`);
    await pause(20);
  }
}

/** Stops the market and compares every book, level by level, with the exchange's own. @throws Error where one differs */
export async function checkBooks(
  sender: Sender,
  feeders: readonly Feeder[],
  symbols: number,
): Promise<number> {
  await Promise.all(feeders.map((feeder) => allLive(feeder, Math.ceil(symbols / feeders.length))));
  await sender.call('pause');
  await pause(300);
  const books: HashedBook[] = (await Promise.all(feeders.map((feeder) => feeder.call('books')))).flat();
  if (books.length !== symbols) throw new Error(`${books.length} books instead of ${symbols}`);
  await compare(sender, books);
  return books.length;
}

export async function compare(sender: Sender, books: readonly HashedBook[]): Promise<void> {
  const asked = books.map(([symbol, id, bids, asks]) => [symbol, id, bids, asks] as const);
  const hashes = await sender.call('hashes', asked);
  const wrong = books.filter(([, , bids, asks, hash], i) => hash !== hashes[i] || bids * asks === 0);
  if (wrong.length > 0)
    throw new Error(`${wrong.length} of ${books.length} books differ, first ${wrong[0].join(' ')}`);
}

export async function expectNothingLeft(feeder: Feeder): Promise<void> {
  const { connections, symbols, leases } = await feeder.call('stop');
  if (connections + symbols + leases > 0) throw new Error('the feed left something open');
}

function grown(before: Memory, after: Memory) {
  return {
    retainedBytes: after.retainedBytes - before.retainedBytes,
    residentBytes: after.residentBytes - before.residentBytes,
  };
}
