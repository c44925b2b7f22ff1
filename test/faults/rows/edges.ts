import { fetchDepthOnce } from '../../../src/binance/rest/marketQueries';
import type { SymbolView } from '../../../src/feed/types';
import { emptyTopSums } from '../../../src/book/types';
import type { Random } from '../random';
import { must, type RunResult } from '../scenario';
import { PATIENT, pause, Scene, type SceneOptions, until } from '../scene';

const LEVELS = 20;
/** Levels of each reply: some 8 basis points a side of these markets, of which half is left at some 3. */
const COVERED = 500;
const NAMES = ['AUSDT', 'BUSDT', 'CUSDT', 'DUSDT', 'EUSDT'];
/** Between half of the coverage and the edge, basis points; far enough apart that their order is plain. */
const NEAREST_BPS = 6.2;
const APART_BPS = 0.7;
/** Part of the whole limit: with this much used, requests go one at a time, and their order shows. */
const USED = 0.65;
const HELD_UP_MS = 400;
/** In all 8 basis points and more: without a refresh every book would lose all that it knows of a side. */
const WALK_STEPS = 40;
const LEAST_PACE_BPS = 0.2;
const WALK_STEP_MS = 25;

/** Deep and calm markets, so that only the faults move their prices. */
const calm = (seed: number): SceneOptions => ({
  seed,
  exchange: {
    symbols: NAMES.map((symbol) => ({
      ...{ symbol, levels: 2_000, volatilityBps: 0.05 },
      ...{ price: 60_000, tickSize: '0.01', stepSize: '0.00001' },
    })),
    // No minute ends in mid-run, whatever the clock says.
    timing: { weightWindowMs: 86_400_000 },
  },
  request: { bookDepth: COVERED, levels: LEVELS },
  timings: PATIENT,
});

/** While it acts every book has the sums over all its levels: none is called outside its coverage. */
async function coveredWhile<T>(scene: Scene, act: () => Promise<T>): Promise<T> {
  const sums = emptyTopSums();
  let lost: string | null = null;
  const look = (view: SymbolView): void => {
    if (!view.sums(LEVELS, sums)) lost ??= view.symbol;
  };
  scene.onBook = look;
  const value = await act();
  scene.onBook = null;
  // Without a book since then, too.
  scene.lease.views.forEach(look);
  must(lost === null, () => `${lost} was called outside its coverage`);
  for (const view of scene.lease.views)
    must(view.status().resyncs === 0, `${view.symbol} was fetched again for its edge`);
  return value;
}

/** Row 11: all prices come near their edges at one moment, and requests go one at a time: the nearest first. */
export function nearestFirst(seed: number): Promise<RunResult> {
  return Scene.play(calm(seed), async (scene) => {
    const { exchange, random } = scene;
    await scene.live();
    const asked = (): number => exchange.stats.requests.length;
    // Others behind the address have used so much; the next reply says so.
    exchange.weight.spend(exchange.weight.limit * USED);
    const held = exchange.faults.add({ kind: 'rest', path: 'depth', delayMs: HELD_UP_MS, times: 1 });
    const { restBaseUrl } = exchange;
    await fetchDepthOnce('spot', NAMES[0], 5, { restBaseUrl });
    exchange.faults.clear(held);
    // The one place is taken while all of them come to need a request.
    exchange.faults.add({ kind: 'rest', path: 'depth', delayMs: HELD_UP_MS, times: 1 });
    const first = asked();
    const inTheWay = fetchDepthOnce('spot', NAMES[0], 5, { restBaseUrl });
    await until(() => asked() > first, 'the request in the way');
    await coveredWhile(scene, async () => {
      exchange.pause();
      const before = asked();
      shuffled(NAMES, random).forEach((symbol, i) => {
        const bps = NEAREST_BPS - APART_BPS * i;
        exchange.faults.add({ kind: 'jump', symbol, bps: random.chance(0.5) ? bps : -bps });
      });
      const left = await levelsLeft(scene);
      must(asked() === before, 'asked while the one place was taken');
      await inTheWay;
      await until(() => asked() >= before + NAMES.length, 'a refresh of each');
      const seen = exchange.stats.requests.slice(before).map(({ params }) => params.symbol ?? '');
      must(
        [...seen].sort().join() === NAMES.join() &&
          seen.every((one, i) => i === 0 || left(one) >= left(seen[i - 1])),
        () => `asked for ${seen.map((one) => `${one} with ${left(one)} levels left`).join()}`,
      );
      exchange.resume();
      await scene.run(200);
      must(asked() === before + NAMES.length, 'refreshed more often than needed');
    });
    must(exchange.stats.earlyRequests === 0 && exchange.stats.bans === 0, 'the limits were broken');
    // No book was lost: nothing had to recover.
    return null;
  });
}

/** Row 11: prices walk out of what was covered, each at its own pace: renewed before any book runs short. */
export function walkingAway(seed: number): Promise<RunResult> {
  return Scene.play(calm(seed), async (scene) => {
    const { exchange, random } = scene;
    await scene.live();
    const before = exchange.stats.requests.length;
    const paces = NAMES.map((symbol) => {
      const bps = LEAST_PACE_BPS * (1 + random.next());
      return { symbol, bps: random.chance(0.5) ? bps : -bps };
    });
    await coveredWhile(scene, async () => {
      for (let step = 0; step < WALK_STEPS; step++) {
        for (const { symbol, bps } of paces) exchange.faults.add({ kind: 'jump', symbol, bps });
        await pause(WALK_STEP_MS);
      }
      await scene.run(200);
    });
    const asked = new Set(exchange.stats.requests.slice(before).map(({ params }) => params.symbol));
    for (const symbol of NAMES) must(asked.has(symbol), `${symbol} walked away and was never refreshed`);
    must(exchange.stats.earlyRequests === 0 && exchange.stats.bans === 0, 'the limits were broken');
    return null;
  });
}

/** How many levels of what was covered each symbol has left, once the feed has received everything. */
async function levelsLeft({ exchange, lease: { views } }: Scene): Promise<(symbol: string) => number> {
  const heard = (view: SymbolView): boolean =>
    view.read(1)?.lastUpdateId === exchange.lastUpdateId(view.symbol);
  await until(() => views.every(heard), 'every price heard of');
  const left = views.map((view): [string, number] => {
    const book = view.read(COVERED);
    return [view.symbol, Math.min(book?.bids.length ?? 0, book?.asks.length ?? 0)];
  });
  must(new Set(left.map(([, levels]) => levels)).size > NAMES.length / 2, 'all are equally near');
  const bySymbol = new Map(left);
  return (symbol) => bySymbol.get(symbol) ?? NaN;
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
