import { binance } from '../../../src/binance/venue';
import { setClock, trueNowMs } from './clock';
import { feedRegistry } from '../../../src/binance/feedRegistry';
import { FEED_TIMINGS } from '../../../src/binance/timings';
import { CheckMemory } from '../../../src/check/memory';
import { runChecks } from '../../../src/check/runChecks';
import { readCheckSettings } from '../../../src/check/settings';
import { isOrderFlowError } from '../../../src/runtime/errors';
import { wallMs } from '../../../src/runtime/time';
import { storeKeys } from '../../../src/store/keys';
import { openStore } from '../../../src/store/openStore';
import type { SnapshotStore } from '../../../src/store/types';
import { feedRequest, readTriggerSettings } from '../../../src/trigger/settings';
import { TriggerSession } from '../../../src/trigger/triggerSession';
import { type BookSeen, CHECK_MAX_AGE_MS, leave, type Orders, type Wish, type Word } from './protocol';

/**
 * A process of its own that runs one trigger, as an n8n does: it ends its trigger at SIGTERM and then ends by itself.
 * Its one argument is `Orders` as JSON; it talks by the messages of protocol.ts.
 */
const orders = JSON.parse(process.argv[2]) as Orders;
const say = (word: Word): void => void process.send?.(word);
const settings = readTriggerSettings((name) => orders.parameters[name]);
const storeOf = () =>
  orders.credentials === null
    ? openStore({ kind: 'memory' })
    : openStore({ kind: 'redis', credentials: orders.credentials }, { keepConnected: true });

/** Every book that this process showed, and as how old. */
const seen: BookSeen[] = [];
let items: Array<{ lastUpdateId: number; atMs: number }> = [];
let session: TriggerSession | null = null;

async function main(): Promise<void> {
  // The first to ask makes what the whole process shares.
  feedRegistry({ ...FEED_TIMINGS, ...orders.timings });
  session = await TriggerSession.start(
    settings,
    storeOf(),
    {
      owner: { workflowId: 'w1', nodeId: 'trigger' },
      startExecution: (started) => {
        for (const { json } of started) {
          const { lastUpdateId } = json as { lastUpdateId: number };
          items.push({ lastUpdateId, atMs: trueNowMs() });
          say({ say: 'item', lastUpdateId });
        }
        return Promise.resolve({ kind: 'ended' });
      },
      recordFailure: ({ code }) => say({ say: 'failed', code }),
      log: () => undefined,
    },
    binance,
  );
  // A second share in the same feed, which looks at every book.
  const lease = feedRegistry().acquire(feedRequest(settings), {
    onBook: (view) => {
      const book = view.read(1);
      if (book === null || book.eventTimeMs === null) return;
      const { lastUpdateId, eventTimeMs, liveAgeMs, receivedAtMs } = book;
      seen.push({ lastUpdateId, eventTimeMs, aliveAtMs: trueNowMs() - liveAgeMs, receivedAtMs });
    },
  });
  const end = async () => {
    await lease.release();
    await session?.close();
    leave(orders);
  };
  process.once('SIGTERM', () => void end());
  process.on('message', (wish: Wish) => void obey(wish, end));
  say({ say: 'started' });
}

/** As the Order Flow Imbalance node does. @returns for each symbol why there is no signal */
async function check(store: SnapshotStore, symbols: readonly string[]): Promise<Array<string | null>> {
  if (symbols.length === 0) return [];
  const options = { keyPrefix: settings.keyPrefix, maxAge: CHECK_MAX_AGE_MS / 1_000, publish: false };
  const { market } = settings;
  const asked: Record<string, unknown> = {
    market,
    symbols: symbols.join(),
    levels: 5,
    threshold: 0.5,
    options,
  };
  const job = { itemIndex: 0, settings: readCheckSettings((name) => asked[name]), json: {} };
  const memory = new CheckMemory(store, { workflowId: 'clocks', nodeId: 'check' }, wallMs);
  const { results, failures } = await runChecks([job], { store, memory, wallMs, venueOf: () => binance });
  if (failures.length > 0) throw failures[0].error;
  return results.map(({ item }) => item.reason);
}

async function obey(wish: Wish, end: () => Promise<void>): Promise<void> {
  switch (wish.do) {
    case 'close':
      return end();
    case 'clock':
      setClock(wish.byMs);
      return say({ say: 'done' });
    case 'stall': {
      const until = performance.now() + wish.ms;
      while (performance.now() < until);
      return say({ say: 'done' });
    }
    case 'report': {
      const [symbol] = settings.symbols;
      const store = storeOf();
      const [found] = await store.readBooks([
        storeKeys(settings.keyPrefix, settings.market, symbol).orderbook,
      ]);
      const reasons = await check(store, orders.checked ?? []);
      await store.close();
      const recordAgeMs = found === null || isOrderFlowError(found) ? null : found.ageMs;
      say({ say: 'report', seen: seen.splice(0), items, recordAgeMs, reasons, trueNowMs: trueNowMs() });
      items = [];
      return;
    }
    default:
      throw new Error(`this program does not ${wish.do}`);
  }
}

void main();
