import type { BookEngine, OrderBook } from '../../src/book/orderBook';
import type { BookSync } from '../../src/book/bookSync';
import { LadderUpdate } from '../../src/book/fast/ladderUpdate';
import type { ReplyBuffer } from '../../src/book/replyBuffer';
import type { DepthUpdate, UpdateIds } from '../../src/book/types';
import type { SymbolUpdate } from '../../src/binance/wire/codec';
import type { SaveRequest, SnapshotStore } from '../../src/store/types';
import type { Variant } from './model/bookClient';
import { sequenceRows } from './rows/sequence';
import { twoWritersWith } from './rows/writers';

/** A hand-made bug, and how the suite looks for it: true once a row has seen it. */
export interface Mutant {
  readonly name: string;
  caught(seeds: number): Promise<boolean>;
}

/** Each bug is put into a part that works, from outside: the package itself is not touched. */
function inSequence(name: string, variant: Variant): Mutant {
  return {
    name,
    async caught(seeds) {
      for (const row of sequenceRows)
        for (let seed = 1; seed <= seeds; seed++)
          if (await tellsApart((bug) => row.runVariant(seed, bug ? variant : undefined))) return true;
      return false;
    },
  };
}

/** The run fails with the bug and, so that it is the bug that was seen, passes without it. */
async function tellsApart(run: (bug: boolean) => Promise<unknown>): Promise<boolean> {
  const passes = (bug: boolean): Promise<boolean> =>
    run(bug).then(
      () => true,
      () => false,
    );
  return !(await passes(true)) && (await passes(false));
}

/** The parts of BookSync that a bug has to reach. */
interface Inside<U extends SymbolUpdate> {
  buffer: ReplyBuffer<U> | null;
}
const inside = <U extends SymbolUpdate>(sync: BookSync<U>): Inside<U> => sync as unknown as Inside<U>;

const asPlain = (update: SymbolUpdate): DepthUpdate =>
  update instanceof LadderUpdate ? update.toDepthUpdate() : (update as unknown as DepthUpdate);

/** The same update with something else in it, in the form in which it came. */
function changed<U extends SymbolUpdate>(update: U, change: Partial<DepthUpdate>): U {
  const plain = { ...asPlain(update), ...change };
  return (update instanceof LadderUpdate ? new LadderUpdate().setFrom(plain) : plain) as unknown as U;
}

const dropTheBuffer: Variant = {
  sync(sync) {
    const onReply = sync.onReply.bind(sync);
    sync.onReply = (reply, limit) => {
      inside(sync).buffer?.dropFirst(Infinity);
      return onReply(
        { ...reply, lastUpdateId: Math.max(reply.lastUpdateId, newestOf.get(sync) ?? 0) },
        limit,
      );
    };
    const onUpdate = sync.onUpdate.bind(sync);
    const newestOf = new WeakMap<object, number>();
    sync.onUpdate = (update) => {
      // Whoever drops what was buffered goes on from the newest event as if the reply had been of that moment.
      newestOf.set(sync, update.finalUpdateId);
      return onUpdate(update);
    };
    return sync;
  },
};

/** Asks again without what was buffered: nothing wrong can ever be read, and a reply is needed more than once too often. */
const dropAtALateReply: Variant = {
  sync(sync) {
    const onReply = sync.onReply.bind(sync);
    sync.onReply = (reply, limit) => {
      const outcome = onReply(reply, limit);
      if (outcome === 'reply-too-old' && sync.book === null) inside(sync).buffer?.dropFirst(Infinity);
      return outcome;
    };
    return sync;
  },
};

const offByOne: Variant = {
  sync(sync) {
    const onUpdate = sync.onUpdate.bind(sync);
    sync.onUpdate = (update) => {
      const { firstUpdateId } = update as UpdateIds;
      return onUpdate(sync.awaitingFirst ? changed(update, { firstUpdateId: firstUpdateId - 1 }) : update);
    };
    return sync;
  },
};

const forgetARemoval: Variant = {
  engine<U extends SymbolUpdate>(engine: BookEngine<U>): BookEngine<U> {
    return {
      retain: (update) => engine.retain(update),
      levelCount: (update) => engine.levelCount(update),
      create(reply) {
        const book: OrderBook<U> = engine.create(reply);
        const apply = book.apply.bind(book);
        book.apply = (update) => {
          const { bids } = asPlain(update);
          apply(changed(update, { bids: bids.filter(([, quantity]) => quantity !== '0') }));
        };
        return book;
      },
    };
  },
};

const reuseALateReply: Variant = {
  sync(sync) {
    const onReply = sync.onReply.bind(sync);
    sync.onReply = (reply, limit) => {
      const outcome = onReply(reply, limit);
      const first = inside(sync).buffer?.updates[0];
      if (outcome !== 'reply-too-old' || first === undefined) return outcome;
      return onReply({ ...reply, lastUpdateId: first.firstUpdateId - 1 }, limit);
    };
    return sync;
  },
};

/** Takes the record with every write, as a writer does that never looks whether it still holds it. */
function unfenced(store: SnapshotStore): SnapshotStore {
  const save = store.save.bind(store);
  store.save = (key: string, request: SaveRequest) => save(key, { ...request, role: 'claim', epoch: 0 });
  return store;
}

/** The bugs that fit into one process's reader, sequence rule and book. */
export const SEQUENCE_BUGS: ReadonlyMap<string, Variant> = new Map([
  ['drop the buffer', dropTheBuffer],
  ['drop the buffer at a late snapshot', dropAtALateReply],
  ['off by one in the first event', offByOne],
  ['forget a removal', forgetARemoval],
  ['reuse a late snapshot', reuseALateReply],
]);

export const MUTANTS: readonly Mutant[] = [
  ...[...SEQUENCE_BUGS].map(([name, variant]) => inSequence(name, variant)),
  {
    name: 'skip the fence',
    async caught(seeds) {
      for (let seed = 1; seed <= Math.min(seeds, 3); seed++)
        if (await tellsApart((bug) => twoWritersWith(seed, bug ? unfenced : undefined))) return true;
      return false;
    },
  },
];
