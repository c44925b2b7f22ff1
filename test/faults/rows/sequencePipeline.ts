import type { Fault } from '../../../exchange/server/faults';
import type { SymbolView } from '../../../src/feed/types';
import { type Followed, type PipelineMarket, PipelineScene } from '../pipelineScene';
import type { Random } from '../random';
import { must } from '../scenario';
import { pause, until } from '../scene';

export type SequenceRowId = 1 | 2 | 3 | 4;

const MARKETS: readonly PipelineMarket[] = ['spot', 'usdm', 'coinm'];
const FUTURES: readonly PipelineMarket[] = ['usdm', 'coinm'];
const EPISODES = 6;
/** How long a fetch takes in which something else happens; long enough for the record to say so. Milliseconds. */
const SLOW_FETCH_MS = 300;

const MOST_ATTEMPTS = 8;
const ATTEMPT_MS = 1_000;

/** What is done in an episode. */
interface Trouble {
  readonly faults: readonly Fault[];
  /** The last of them costs the book: an update that is missing, or that names one that never was. */
  readonly breaks: boolean;
}

const lost = (random: Random): Fault => ({ kind: 'drop', times: random.whole(1, 3) });
const may = (random: Random, kinds: ReadonlyArray<'swap' | 'duplicate' | 'overlap' | 'merge'>): Trouble => ({
  faults: Array.from({ length: random.whole(1, 3) }, () => ({
    kind: random.pick(kinds),
    times: random.whole(1, 2),
  })),
  breaks: false,
});

const TROUBLES: { readonly [id in SequenceRowId]: (random: Random) => Trouble } = {
  1: (random) => ({ faults: [lost(random)], breaks: true }),
  2: (random) =>
    random.chance(0.4)
      ? { faults: [{ kind: 'swap', times: random.whole(1, 2) }], breaks: true }
      : may(random, ['swap', 'duplicate', 'overlap', 'merge']),
  3: (random) => {
    if (random.chance(0.25))
      return { faults: [{ kind: 'resetIds', to: random.whole(1_000, 900_000) }], breaks: true };
    const at = random.pick(['before', 'inside', 'end'] as const);
    const late: Fault[] = random.chance(0.7) ? [{ kind: 'staleSnapshot', times: random.whole(1, 4) }] : [];
    return {
      faults: [...late, { kind: 'straddle', at, times: random.whole(1, 2) }, lost(random)],
      breaks: true,
    };
  },
  4: (random) =>
    random.chance(0.6)
      ? { faults: [{ kind: 'brokenPrevious', times: random.whole(1, 2) }], breaks: true }
      : random.chance(0.5)
        ? { faults: [lost(random)], breaks: true }
        : may(random, ['swap', 'duplicate']),
};

/** What the runs of a row through the whole pipeline have seen. */
export class PipelineFigures {
  private runs = 0;
  private items = 0;
  private records = 0;
  private readonly recoveredMs: number[] = [];

  add(counts: { readonly items: number; readonly records: number }, recoveredMs: readonly number[]): void {
    this.runs++;
    this.items += counts.items;
    this.records += counts.records;
    this.recoveredMs.push(...recoveredMs);
  }

  lines(): string[] {
    if (this.runs === 0) return [];
    const sorted = [...this.recoveredMs].sort((a, b) => a - b);
    const at = (part: number): string => (sorted[Math.ceil(part * sorted.length) - 1] ?? 0).toFixed(0);
    return [
      `${this.runs} runs from socket to item and Redis: ${this.items} items and ${this.records} records checked, back ${sorted.length} times, median ${at(0.5)} ms, p99 ${at(0.99)} ms`,
    ];
  }
}

/** Rows 1 to 4 from the exchange's socket to the item in n8n and the record in Redis. */
export async function playPipeline(
  id: SequenceRowId,
  seed: number,
  figures?: PipelineFigures,
): Promise<void> {
  const markets = id === 4 ? FUTURES : MARKETS;
  const market = markets[(Math.floor(seed / 50) + id) % markets.length];
  const recoveredMs: number[] = [];
  const counts = await PipelineScene.play(seed, market, async (scene) => {
    for (let i = 0; i < EPISODES; i++) {
      await pause(scene.random.whole(0, 150));
      const followed = scene.random.pick(scene.followed);
      const tookMs = await episode(scene, followed, TROUBLES[id](scene.random), id);
      if (tookMs !== null) recoveredMs.push(tookMs);
    }
  });
  figures?.add(counts, recoveredMs);
}

/** @returns milliseconds from the break to the next item; null where nothing had to break */
async function episode(
  scene: PipelineScene,
  followed: Followed,
  { faults, breaks }: Trouble,
  id: SequenceRowId,
): Promise<number | null> {
  const { exchange, random } = scene;
  const { symbol, view, record } = followed;
  const { resyncs } = view.status();
  const add = (fault: Fault): number => exchange.faults.add({ ...fault, symbol } as Fault);
  // The fetch that a break causes takes a while, so that more can happen meanwhile.
  const slow = breaks ? add({ kind: 'rest', path: 'depth', delayMs: SLOW_FETCH_MS }) : null;
  const begun = performance.now();
  for (const fault of faults) add(fault);
  if (breaks) {
    await untilBroken(view, resyncs, faults, add);
    await record.until(
      ({ state }) => state === 'syncing',
      `${symbol} syncing after ${JSON.stringify(faults)}`,
    );
    if (id === 1 || random.chance(0.3)) add(lost(random));
  } else await pause(random.whole(200, 600));
  if (slow !== null) exchange.faults.clear(slow);
  // What nobody asked for any more must not meet the next episode.
  await until(
    () => scene.allLive,
    () => `live again after ${JSON.stringify(faults)}`,
  );
  for (const { kind } of faults) exchange.faults.clear(kind);
  exchange.faults.clear('drop');
  await until(() => scene.allLive, 'live after the last fault');
  await scene.shown(followed, exchange.lastUpdateId(symbol));
  return breaks ? performance.now() - begun : null;
}

/** An update that a reply of the same moment holds already is missed by nobody: then another has to go. */
async function untilBroken(
  view: SymbolView,
  resyncs: number,
  faults: readonly Fault[],
  add: (fault: Fault) => void,
): Promise<void> {
  const broken = (): boolean => view.status().resyncs > resyncs;
  for (let attempt = 0; attempt < MOST_ATTEMPTS && !broken(); attempt++) {
    if (attempt > 0) add(faults[faults.length - 1]);
    await until(broken, 'a break', ATTEMPT_MS).catch(() => undefined);
  }
  must(broken(), () => `no break after ${JSON.stringify(faults)}`);
}
