import { setTimeout as delay } from 'node:timers/promises';
import type { Exchange } from '../../exchange';
import type { Collector } from '../../scripts/n8n/collector';
import { IS_OLDEST_N8N } from '../../scripts/n8n/layout';
import { connect, errorWorkflow, nodeTypes, postNode, symbolsValue } from '../../scripts/n8n/workflowBuilder';
import type { SavedWorkflow, Workflow } from '../../scripts/n8n/workflowTypes';
import { baseUrls, Bench, eventually, HANG_MS, nodeNamed } from './support';

/** A feed that nobody needs is kept for a short grace; by then its socket is gone. */
const RELEASED_WITHIN_MS = 15_000;

let bench: Bench;
let exchange: Exchange;
let collector: Collector;

interface Item {
  readonly symbol: string;
  readonly lastUpdateId: number;
  readonly receivedAtMs: number;
  readonly bids?: unknown[];
}

/** What n8n gives an error workflow where a trigger failed. */
interface FailedTrigger {
  readonly workflow: { readonly id: string };
  readonly trigger: { readonly error: { readonly message: string; readonly description: string } };
}

function workflow(parameters: Record<string, unknown> = {}, options: Record<string, unknown> = {}): Workflow {
  return {
    name: 'lifecycle',
    settings: { saveDataSuccessExecution: 'none' },
    nodes: [
      {
        name: 'Trigger',
        type: nodeTypes().trigger,
        typeVersion: 1,
        position: [0, 0],
        parameters: {
          symbols: symbolsValue('BTCUSDT'),
          interval: 0.5,
          options: { ...baseUrls(exchange), ...options },
          ...parameters,
        },
      },
      postNode('Books', `${collector.url}/books`, [200, 0]),
    ],
    connections: connect(['Trigger', 0, 'Books']),
  };
}

const items = () => collector.at('books').map(({ body }) => body as Item);

/** The newest item made after this call. */
async function nextItem(accept: (item: Item) => boolean = () => true): Promise<Item> {
  const sinceMs = Date.now();
  let found: Item | undefined;
  await eventually('an item', HANG_MS, () => {
    found = items().find((item) => item.receivedAtMs > sinceMs && accept(item));
    return found !== undefined;
  });
  return found as Item;
}

async function edit(
  saved: SavedWorkflow,
  change: (parameters: Record<string, unknown>) => void,
): Promise<void> {
  const { nodes, connections, name } = await bench.rest.getWorkflow(saved.id);
  change(nodeNamed({ nodes, connections, name }, 'Trigger').parameters);
  await bench.rest.updateWorkflow(saved.id, { name, nodes, connections });
}

function expectOneSubscription(): void {
  expect(exchange.stats.openConnections).toBe(1);
  expect(exchange.stats.mostSubscribersOfADiff).toBe(1);
}

beforeAll(async () => {
  bench = await Bench.open();
  collector = await bench.collector();
  exchange = await bench.exchange({ symbols: ['BTCUSDT', 'ETHUSDT'] });
});

afterAll(() => bench.close());

test('a published change takes effect and leaves one connection, also a change inside Options', async () => {
  const saved = await bench.publish(workflow());
  expect((await nextItem()).bids).toHaveLength(20);
  expectOneSubscription();

  await edit(saved, (parameters) => (parameters.levels = 7));
  await bench.rest.activate(saved.id);
  expect((await nextItem(({ bids }) => bids?.length === 7)).symbol).toBe('BTCUSDT');
  expectOneSubscription();

  await edit(saved, ({ options }) => ((options as Record<string, unknown>).includeLevels = false));
  await bench.rest.activate(saved.id);
  expect(await nextItem(({ bids }) => bids === undefined)).not.toHaveProperty('asks');
  expectOneSubscription();

  // A second workflow's trigger is not disturbed by the first one's end, and the last one's end closes the socket.
  const second = await bench.publish(workflow({ symbols: symbolsValue('ETHUSDT') }));
  await nextItem(({ symbol }) => symbol === 'ETHUSDT');
  expectOneSubscription();
  await bench.rest.deactivate(saved.id);
  await nextItem(({ symbol }) => symbol === 'ETHUSDT');
  await bench.rest.deactivate(second.id);
  await eventually(
    'no connection after the last deactivation',
    RELEASED_WITHIN_MS,
    () => exchange.stats.openConnections === 0,
  );
});

test('deactivated, edited and activated again: one connection, one item an interval', async () => {
  const saved = await bench.publish(workflow());
  await nextItem();
  for (let round = 0; round < 4; round++) {
    await bench.rest.deactivate(saved.id);
    await edit(saved, ({ options }) => ((options as Record<string, unknown>).saveEvery = 1 + round));
    await bench.rest.activate(saved.id);
  }
  await nextItem();
  expectOneSubscription();
  const before = items().length;
  await delay(3_000);
  // Twice as many were two triggers. 6 in 3 s, and one to either side.
  expect(items().length - before).toBeLessThanOrEqual(8);
  expect(items().length - before).toBeGreaterThanOrEqual(3);
  await bench.rest.deactivate(saved.id);
  await eventually('no connection', RELEASED_WITHIN_MS, () => exchange.stats.openConnections === 0);
});

test('a trigger that cannot work is refused when it is published, in words that name the remedy', async () => {
  // n8n 2.41 tells the message after its fifth attempt, 15 s later.
  const refused = async (parameters: Record<string, unknown>, options: Record<string, unknown> = {}) => {
    const saved = await bench.create(workflow(parameters, options));
    const error = await bench.rest.activate(saved.id).then(
      () => new Error('was published'),
      (thrown: Error) => thrown,
    );
    return error.message;
  };
  const messages = await Promise.all([
    refused({ symbols: symbolsValue('NOSUCHUSDT') }),
    refused({ levels: 0 }),
    refused({}, { restBaseUrl: 'http://user:secret@127.0.0.1:1' }),
  ]);
  expect(messages[0]).toMatch(/NOSUCHUSDT.*Check the spelling/s);
  expect(messages[1]).toMatch(/Levels/);
  expect(messages[2]).toMatch(/base URL/i);
  expect(messages[2]).not.toMatch(/secret/);
  await eventually('no connection', RELEASED_WITHIN_MS, () => exchange.stats.openConnections === 0);
});

test('a stream that the exchange refuses for good is reported once, by the error workflow', async () => {
  const failed = await bench.create(errorWorkflow(`${collector.url}/failed`));
  await bench.rest.activate(failed.id);
  const refusing = exchange.faults.add({ kind: 'refuseUpgrade', status: 404 });
  const { settings, ...feed } = workflow();
  const saved = await bench.publish({ ...feed, settings: { ...settings, errorWorkflow: failed.id } });
  const reports = () => collector.at('failed').map(({ body }) => body as FailedTrigger);
  // The oldest n8n has no failed execution for a trigger: its log is what is left.
  const words = () =>
    IS_OLDEST_N8N
      ? bench.log().filter((line) => /Trigger: .*OF_WRONG_ADDRESS/.test(line))
      : reports().map(({ trigger: { error } }) => `${error.message} ${error.description}`);
  await eventually('the report', HANG_MS, () => words().length > 0);
  expect(words()[0]).toMatch(/answered HTTP 404, BTCUSDT .*\[OF_WRONG_ADDRESS\].*Base URL/s);
  expect(reports().map(({ workflow: of }) => of.id)).toEqual(IS_OLDEST_N8N ? [] : [saved.id]);
  exchange.faults.clear(refusing);
  await bench.rest.deactivate(saved.id);
  await bench.rest.activate(saved.id);
  await nextItem();
  expect(words()).toHaveLength(1);
  await bench.rest.deactivate(saved.id);
  await eventually('no connection', RELEASED_WITHIN_MS, () => exchange.stats.openConnections === 0);
});

test('stopping n8n leaves no connection, and a restart brings the feed back by itself', async () => {
  const n8n = await bench.ownN8n();
  await bench.publish(workflow(), n8n.rest);
  await nextItem();
  expectOneSubscription();
  await n8n.terminate();
  await eventually(
    'no connection after SIGTERM',
    RELEASED_WITHIN_MS,
    () => exchange.stats.openConnections === 0,
  );

  await n8n.restart();
  await nextItem();
  expectOneSubscription();
});
