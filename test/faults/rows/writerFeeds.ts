import { startExchange, type Exchange } from '../../../exchange';
import { fastCodec, plainCodec } from '../../../src/binance/wire/codec';
import { createFeedRegistry } from '../../../src/binance/feedRegistry';
import type { FeedLease } from '../../../src/feed/types';
import { openStore } from '../../../src/store/openStore';
import { RecordWriter } from '../../../src/store/writers/recordWriter';
import type { OrderBookRecord } from '../../../src/store/types';
import { QUICK } from '../../support/feedHarness';
import { credentialsOf } from '../../support/storeFixtures';
import { ChildTrigger } from '../child/childTrigger';
import { Random } from '../random';
import { RecordWatch, type WholeCheck } from '../recordWatch';
import { must, type RunResult } from '../scenario';
import { agrees, pause } from '../scene';
import { noRedisConnectionLeft, sharedRedis } from '../sharedRedis';
import { type RecordPlace, withPlace } from '../recordPlace';

const SYMBOL = 'BTCUSDT';
const LEVELS = 5;
/** How often an item falls due in each process, milliseconds. */
const INTERVAL_MS = 200;

/** A record has to be the true book of its id. */
export const trueRecordOf =
  (exchange: Exchange, symbol: string, levels: number): WholeCheck =>
  ({ lastUpdateId, bids, asks, bidsComplete, asksComplete }) => {
    const truths = exchange.trueBooks(symbol, lastUpdateId, levels);
    const same = truths.some(
      (truth) => agrees(bids, truth.bids, bidsComplete) && agrees(asks, truth.asks, asksComplete),
    );
    return same ? null : `at ${lastUpdateId} is not the true book`;
  };

/** The ids begin again, far below all there were. */
function startOver(exchange: Exchange): void {
  exchange.faults.add({ kind: 'resetIds', to: Math.floor(exchange.lastUpdateId(SYMBOL) / 2) });
}

/** One n8n: a feed of its own and a writer of its own. */
class Main {
  readonly writer: RecordWriter;
  private readonly lease: FeedLease;

  constructor(exchange: Exchange, { store, target }: RecordPlace, plain: boolean, luck: Random) {
    const options = { timings: QUICK, random: () => luck.next() };
    const registry = plain
      ? createFeedRegistry({ codec: plainCodec, ...options })
      : createFeedRegistry({ codec: fastCodec(), ...options });
    const { restBaseUrl, webSocketBaseUrl } = exchange;
    this.writer = new RecordWriter(store.share(), target);
    this.lease = registry.acquire(
      {
        ...{ market: 'spot', symbols: [SYMBOL], updateSpeedMs: 100, bookDepth: 100, levels: LEVELS },
        ...{ restBaseUrl, webSocketBaseUrl },
      },
      { onBook: () => this.writer.onBook(), onStatus: () => this.writer.onStatus() },
    );
    const [view] = this.lease.views;
    this.writer.add({ view, levels: LEVELS, saveEveryMs: 10, ttlMs: 60_000, updateSpeedMs: 100 });
  }

  holds(record: OrderBookRecord): boolean {
    const { role, epoch } = this.writer.stats();
    return role === 'hold' && record.epoch === epoch && record.state === 'live';
  }

  get reported(): string {
    const { state, reason } = this.lease.views[0].status();
    return JSON.stringify({ ...this.writer.stats(), feed: state, reason });
  }

  async end(random: Random): Promise<void> {
    const writer = () => this.writer.close();
    const lease = () => this.lease.release({ immediately: true });
    // Either may be the first to go.
    for (const part of random.chance(0.5) ? [writer, lease] : [lease, writer]) await part();
  }
}

/** Leaders that follow each other, each with a feed of its own; the old one goes while the new one is in mid-sync. */
export async function leadershipChanges(seed: number, kind: 'redis' | 'memory'): Promise<RunResult> {
  const random = new Random(seed);
  // Of its own: when it is drawn from, the machine decides.
  const luck = new Random(-seed);
  const exchange = await startExchange({ seed, tickMs: 20, symbols: [SYMBOL] });
  let leader: Main | null = null;
  try {
    return await withPlace(kind, async (place) => {
      const watch = new RecordWatch(
        place.store,
        place.target.recordKey,
        trueRecordOf(exchange, SYMBOL, LEVELS),
      );
      try {
        leader = new Main(exchange, place, seed % 2 === 0, luck);
        await watch.until((record) => leader?.holds(record) === true, 'the first leader holds the record');
        let recoverMs = 0;
        for (let change = 0; change < 3; change++) {
          const next: Main = new Main(exchange, place, random.chance(0.5), luck);
          await pause(random.pick([0, 2, 5, 10, 20, 50, 150]));
          if (random.chance(0.4)) startOver(exchange);
          if (random.chance(0.3)) exchange.faults.add({ kind: 'close', code: 1001 });
          if (random.chance(0.3)) exchange.faults.add({ kind: 'drop', times: 1 });
          const former = leader;
          leader = next;
          const begun = performance.now();
          await former.end(random);
          await watch.until(
            (record) => next.holds(record),
            () => `the new leader holds the record: ${next.reported}`,
          );
          recoverMs = Math.max(recoverMs, performance.now() - begun);
          await pause(random.whole(0, 100));
        }
        if (random.chance(0.5)) {
          startOver(exchange);
          const epoch = watch.newest?.epoch ?? 0;
          await watch.until(
            (record) => record.epoch > epoch && leader?.holds(record) === true,
            'a new epoch for ids that start over',
          );
        }
        return { recoverMs };
      } finally {
        await leader?.end(random);
        await watch.end();
      }
    });
  } finally {
    await exchange.close();
  }
}

/** The holder's process is stopped or killed, another takes over, and then the first goes on as if nothing had been. */
export async function stalledHolder(seed: number): Promise<RunResult> {
  const random = new Random(seed);
  const redis = await sharedRedis();
  const exchange = await startExchange({ seed, tickMs: 20, symbols: [SYMBOL] });
  const store = openStore({ kind: 'redis', credentials: credentialsOf(redis) });
  const keyPrefix = `faults-holder-${process.pid}-${seed}/`;
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  const start = () =>
    ChildTrigger.start({
      credentials: credentialsOf(redis),
      timings: QUICK,
      endsByItself: false,
      parameters: {
        ...{
          market: 'spot',
          symbols: SYMBOL,
          emit: 'interval',
          interval: INTERVAL_MS / 1_000,
          levels: LEVELS,
        },
        ...{ store: 'redis', options: { restBaseUrl, webSocketBaseUrl, keyPrefix, saveEvery: 0.1 } },
      },
    });
  const watch = new RecordWatch(
    store,
    `${keyPrefix}btcusdt-orderbook`,
    trueRecordOf(exchange, SYMBOL, LEVELS),
  );
  const children: ChildTrigger[] = [];
  try {
    const holder = await start();
    children.push(holder);
    await watch.until(({ state }) => state === 'live', 'the first holds the record');
    const first = watch.newest?.epoch ?? 0;
    const killed = random.chance(0.4);
    await pause(random.whole(0, 150));
    holder.signal(killed ? 'SIGKILL' : 'SIGSTOP');
    const successor = await start();
    children.push(successor);
    const recoverMs = await watch.until(({ epoch }) => epoch > first, 'the second took over');
    const second = watch.newest?.epoch ?? 0;
    const emitted = holder.items;
    const begun = performance.now();
    if (!killed) holder.signal('SIGCONT');
    await pause(random.whole(400, 700));
    must(watch.newest?.epoch === second, 'the first took the record back');
    must(watch.epochs.size === 2, () => `${watch.epochs.size} epochs of two holders`);
    const most = (performance.now() - begun) / INTERVAL_MS + 2;
    const since = holder.items - emitted;
    must(since <= most, `${since} items of one that stood still, where ${most} fell due since`);
    must(successor.items > 0, 'the second emits nothing');
    return { recoverMs };
  } finally {
    await Promise.all(children.map((child) => child.end()));
    await watch.end().finally(() => store.close());
    await noRedisConnectionLeft();
    await exchange.close();
  }
}
