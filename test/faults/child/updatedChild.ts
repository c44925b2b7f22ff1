import { sep } from 'node:path';
import type * as registry from '../../../src/binance/feedRegistry';
import type * as venue from '../../../src/binance/venue';
import type * as errors from '../../../src/runtime/errors';
import type * as open from '../../../src/store/openStore';
import type * as writers from '../../../src/store/writers/snapshotWriter';
import type * as settings from '../../../src/trigger/settings';
import type * as session from '../../../src/trigger/triggerSession';
import { leave, type Orders, type Wish, type Word } from './protocol';

/**
 * A process in which the package is updated while its trigger runs: n8n forgets the modules and loads the new ones, and
 * leaves the running trigger alone. Here the same code is loaded a second time, which makes every class and every
 * module's variable exist twice.
 */
const orders = JSON.parse(process.argv[2]) as Orders;
const say = (word: Word): void => void process.send?.(word);

/* eslint-disable @typescript-eslint/no-require-imports -- what is loaded a second time cannot be imported */
const load = () => ({
  ...(require('../../../src/binance/feedRegistry') as typeof registry),
  ...(require('../../../src/binance/venue') as typeof venue),
  ...(require('../../../src/runtime/errors') as typeof errors),
  ...(require('../../../src/store/openStore') as typeof open),
  ...(require('../../../src/store/writers/snapshotWriter') as typeof writers),
  ...(require('../../../src/trigger/settings') as typeof settings),
  ...(require('../../../src/trigger/triggerSession') as typeof session),
  timings: (require('../../../src/binance/timings') as { FEED_TIMINGS: object }).FEED_TIMINGS,
});
/* eslint-enable @typescript-eslint/no-require-imports */
type Code = ReturnType<typeof load>;
type Session = Awaited<ReturnType<Code['TriggerSession']['start']>>;

/** As n8n does with the modules of a package that it updates. */
function forget(): void {
  for (const file of Object.keys(require.cache))
    if (file.includes(`${sep}src${sep}`) && !file.includes('node_modules')) delete require.cache[file];
}

const items: [number, number] = [0, 0];
const sessions: Session[] = [];
let code = load();

async function begin(): Promise<void> {
  const which = sessions.length as 0 | 1;
  const store =
    orders.credentials === null
      ? code.openStore({ kind: 'memory' })
      : code.openStore({ kind: 'redis', credentials: orders.credentials }, { keepConnected: true });
  const read = code.readTriggerSettings((name) => orders.parameters[name]);
  const started = await code.TriggerSession.start(
    read,
    store,
    {
      owner: { workflowId: 'w1', nodeId: 'trigger' },
      startExecution: (started) => {
        items[which] += started.length;
        say({ say: 'item', lastUpdateId: 0 });
        return Promise.resolve({ kind: 'ended' });
      },
      recordFailure: ({ code: failure }) => say({ say: 'failed', code: failure }),
      log: () => undefined,
    },
    code.binance,
  );
  sessions.push(started);
}

async function update(): Promise<void> {
  const old = code;
  forget();
  code = load();
  if (code.TriggerSession === old.TriggerSession) throw new Error('the code was not loaded a second time');
  if (code.feedRegistry() !== old.feedRegistry()) throw new Error('old and new code have a registry each');
  // Errors of the old code reach the new one's hands through the shared feed.
  if (!code.isOrderFlowError(new old.OrderFlowError('OF_INTERNAL', '')))
    throw new Error('a stranger of an error');
  await begin();
}

async function obey(wish: Wish): Promise<void> {
  switch (wish.do) {
    case 'update':
      await update();
      return say({ say: 'done' });
    case 'closeOld':
      await Promise.all([sessions[0].close(), sessions[0].close()]);
      return say({ say: 'done' });
    case 'inventory':
      return say({
        say: 'inventory',
        ...code.feedRegistry().inventory(),
        writers: code.writerInventory(),
        items: [...items],
      });
    case 'close':
      await Promise.all(sessions.map((one) => one.close()));
      return leave(orders);
    default:
      throw new Error(`this program does not ${wish.do}`);
  }
}

async function main(): Promise<void> {
  // The first to ask makes what the whole process shares.
  code.feedRegistry({ ...code.timings, ...orders.timings } as never);
  await begin();
  process.on('message', (wish: Wish) => {
    obey(wish).catch((error: Error) => {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    });
  });
  say({ say: 'started' });
}

void main();
