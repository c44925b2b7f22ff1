import type { Exchange } from '../../exchange';
import { connect, nodeTypes, symbolsValue } from '../../scripts/n8n/workflowBuilder';
import type { Workflow } from '../../scripts/n8n/workflowTypes';
import { baseUrls, Bench, eventually, HANG_MS } from './support';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
const WITHIN_MS = 10_000;

let bench: Bench;
let exchange: Exchange;
let runs = 0;

/** As in the editor: a trigger, and the imbalance from its store after it. */
function workflow(symbols: string, feedStatus = false): Workflow {
  // A record that is fresh is left alone, so each run has its own.
  const keyPrefix = `manual-${++runs}/`;
  const types = nodeTypes();
  return {
    name: 'manual',
    settings: {},
    nodes: [
      {
        name: 'Trigger',
        type: types.trigger,
        typeVersion: 1,
        position: [0, 0],
        parameters: {
          symbols: symbolsValue(symbols),
          options: { ...baseUrls(exchange), feedStatus, keyPrefix },
        },
      },
      {
        name: 'Imbalance',
        type: types.imbalance,
        typeVersion: 1,
        position: [200, 0],
        parameters: {
          source: 'store',
          symbols: symbolsValue('={{ $json.symbol }}'),
          options: { keyPrefix },
        },
      },
    ],
    connections: connect(['Trigger', 0, 'Imbalance']),
  };
}

async function runManually(symbols: string, feedStatus = false) {
  const saved = await bench.create(workflow(symbols, feedStatus));
  const startedMs = performance.now();
  const execution = await bench.rest.waitForExecution(
    await bench.rest.runManually(saved.id, 'Trigger'),
    30_000,
  );
  return { execution, tookMs: performance.now() - startedMs };
}

beforeAll(async () => {
  bench = await Bench.open();
  exchange = await bench.exchange({ symbols: SYMBOLS });
});

afterAll(() => bench.close());

test.each([false, true])(
  'a test run gives one item for each symbol, and the next node finds them in the memory store (status output: %s)',
  async (feedStatus) => {
    const { execution, tookMs } = await runManually(SYMBOLS.join(','), feedStatus);
    expect(execution.error).toBeNull();
    expect(execution.status).toBe('success');
    expect(tookMs).toBeLessThan(WITHIN_MS);
    const items = execution.outputs('Trigger')[0].map(({ json }) => json);
    expect(items.map(({ symbol }) => symbol).sort()).toEqual([...SYMBOLS].sort());
    for (const item of items) {
      const truth = exchange.trueBook(String(item.symbol), Number(item.lastUpdateId), 20);
      expect(item.bids).toEqual(truth?.bids);
      expect(item.asks).toEqual(truth?.asks);
    }
    const [none, ...signals] = execution.outputs('Imbalance');
    expect(none).toEqual([]);
    const results = signals.flat().map(({ json }) => json);
    expect(
      results.map(({ symbol, lastUpdateId }) => `${String(symbol)} ${String(lastUpdateId)}`).sort(),
    ).toEqual(items.map(({ symbol, lastUpdateId }) => `${String(symbol)} ${String(lastUpdateId)}`).sort());
    await eventually('the sockets are let go of', WITHIN_MS, () => exchange.stats.openConnections === 0);
  },
);

test('a test run of a symbol that the exchange does not list says so and lets go of everything', async () => {
  const { execution } = await runManually('NOSUCHUSDT');
  expect(execution.status).toBe('error');
  expect(`${execution.error?.message} ${execution.error?.description}`).toMatch(/NOSUCHUSDT/);
  await eventually('no connection', WITHIN_MS, () => exchange.stats.openConnections === 0);
});

test('a cancelled test run lets go of everything', async () => {
  exchange.faults.add({ kind: 'rest', path: 'depth', mode: 'hang' });
  try {
    const saved = await bench.create(workflow('BTCUSDT'));
    const id = await bench.rest.runManually(saved.id, 'Trigger');
    await eventually('the run has opened its stream', HANG_MS, () => exchange.stats.openConnections === 1);
    await bench.rest.stopExecution(id);
    await eventually(
      'no connection after the cancelled run',
      HANG_MS,
      () => exchange.stats.openConnections === 0,
    );
  } finally {
    exchange.faults.clear();
  }
});
