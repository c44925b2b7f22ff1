import { emptyTopSums } from '../../../src/book/types';
import { pause, Scene, until } from '../scene';
import { must, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { nearestFirst, walkingAway } from './edges';
import { noSignal } from './noSignal';

const LEVELS = 20;

/** Row 11: books in states that a book should not be in, and prices that leave the covered range. */
function strangeBooks(seed: number): Promise<RunResult> {
  switch (seed % 8) {
    case 0:
      return crossed(seed);
    case 1:
      return emptied(seed);
    case 2:
      return crash(seed);
    case 3:
      return nearestFirst(seed);
    case 4:
      return walkingAway(seed);
    default:
      return noSignal(seed);
  }
}

function crossed(seed: number): Promise<RunResult> {
  return Scene.play({ seed }, async (scene) => {
    const { exchange } = scene;
    await scene.live();
    const asks = scene.view().read(LEVELS)?.asks ?? [];
    must(asks.length > 0, 'no asks');
    // Far above the market: one that the price could reach within an event would be a lie that nobody can see.
    const price = (Number(asks[0][0]) * 1.01).toFixed(2);
    const wrongLevel = { kind: 'extraLevel', side: 'bid', price, quantity: '1', times: 1 } as const;
    const reported = (): boolean => scene.codes().includes('OF_BOOK_BROKEN');
    const tookMs = await scene.recover(
      () => exchange.faults.add(wrongLevel),
      reported,
      'crossed is reported',
    );
    // A locked book is a book.
    const locked = exchange.faults.add({ kind: 'locked' });
    await until(() => {
      const book = scene.view().read(1);
      return book !== null && book.bids[0]?.[0] === book.asks[0]?.[0];
    }, 'locked');
    exchange.faults.clear(locked);
    await scene.run(200);
    return tookMs;
  });
}

function emptied(seed: number): Promise<RunResult> {
  return Scene.play({ seed }, async (scene) => {
    const { exchange } = scene;
    await scene.live();
    const side = scene.random.pick(['bid', 'ask'] as const);
    const fault = exchange.faults.add(
      scene.random.chance(0.5) ? { kind: 'emptyBook' } : { kind: 'emptySide', side },
    );
    const gone = (): boolean => {
      const book = scene.view().read(LEVELS);
      return book !== null && (book.bids.length === 0 || book.asks.length === 0);
    };
    await until(gone, 'an empty side');
    const begun = performance.now();
    exchange.faults.clear(fault);
    await until(() => {
      const book = scene.view().read(LEVELS);
      return book !== null && book.bids.length === LEVELS && book.asks.length === LEVELS;
    }, 'both sides again');
    await scene.run(200);
    return performance.now() - begun;
  });
}

/** Every symbol runs to the edge of what its reply covered, at once. */
function crash(seed: number): Promise<RunResult> {
  const names = Array.from({ length: 12 }, (_, i) => `COIN${i}USDT`);
  const exchange = { symbols: names.map((symbol) => ({ symbol, levels: 1500 })) };
  return Scene.play({ seed, exchange, request: { bookDepth: 100 } }, async (scene) => {
    await scene.live();
    await pause(200);
    const begun = performance.now();
    scene.mayShrink = true;
    scene.exchange.faults.add({ kind: 'jump', bps: scene.random.pick([-400, 400]) });
    await pause(100);
    const sums = emptyTopSums();
    const full = (): boolean =>
      scene.lease.views.every((view) => {
        const book = view.read(LEVELS);
        return (
          book !== null &&
          book.bids.length === LEVELS &&
          book.asks.length === LEVELS &&
          view.sums(LEVELS, sums)
        );
      });
    await until(full, 'every symbol has its levels again', 15_000);
    scene.mayShrink = false;
    const tookMs = performance.now() - begun;
    must(
      scene.exchange.stats.bans === 0 && scene.exchange.stats.earlyRequests === 0,
      'the limits were broken',
    );
    await scene.run(200);
    return tookMs;
  });
}

export const bookRows: readonly Scenario[] = [
  {
    id: 11,
    name: 'strange books',
    what: 'crossed, locked, emptied books, also under the trigger and checks; prices that walk, jump or crash to the edge of what is covered',
    expected:
      'a crossed one fetched again, the others shown as they are; no signal with its reason; coverage renewed before the edge, the nearest first',
    maxRuns: REAL_RUNS,
    variants: 8,
    recovers: (seed) => ![3, 4].includes(seed % 8),
    run: strangeBooks,
  },
];
