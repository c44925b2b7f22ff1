import { setTimeout as delay } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';
import type { Exchange } from '../../exchange';
import type { Collector } from '../../scripts/n8n/collector';
import { nodeTypes, symbolsValue } from '../../scripts/n8n/workflowBuilder';
import type { Workflow } from '../../scripts/n8n/workflowTypes';
import { baseUrls, Bench, eventually, nodeNamed, readyMade } from './support';

const TRIGGER = 'Binance Order Book Trigger';

let bench: Bench;
let exchange: Exchange;
let collector: Collector;

beforeAll(async () => {
  bench = await Bench.open();
  exchange = await bench.exchange({ market: 'spot', symbols: ['BTCUSDT'], seed: 5 });
  collector = await bench.collector();
}, 60_000);
afterAll(() => bench.close(), 60_000);

/** The file as imported, with what its note asks the user to fill in, pointed at loopback. */
function filledIn(name: string, path = name): Workflow {
  const workflow = readyMade(name);
  for (const node of workflow.nodes) {
    if (node.type === nodeTypes().trigger) {
      node.parameters.options = {
        ...(node.parameters.options as object),
        ...baseUrls(exchange),
        saveEvery: 0.2,
      };
      if (node.parameters.emit === 'interval') node.parameters.interval = 1;
    }
    if (node.type === 'n8n-nodes-base.httpRequest') node.parameters.url = `${collector.url}/${path}`;
    if (node.type === 'n8n-nodes-base.scheduleTrigger')
      node.parameters.rule = { interval: [{ field: 'seconds', secondsInterval: 1 }] };
  }
  return workflow;
}

const texts = (path: string) => collector.at(path).map(({ body }) => (body as { text: string }).text);

/** A workflow that only keeps the store, for those that read it on a schedule. */
function storeKeeper(): Workflow {
  return {
    name: 'keeps the store',
    settings: {},
    nodes: [
      {
        ...{ name: TRIGGER, type: nodeTypes().trigger, typeVersion: 1, position: [0, 0] },
        parameters: {
          symbols: symbolsValue('BTCUSDT'),
          emit: 'never',
          options: { ...baseUrls(exchange), saveEvery: 0.2 },
        },
      },
    ],
    connections: {},
  };
}

test('selling goes to Slack as its webhook takes it', async () => {
  exchange.pressure('BTCUSDT', 'ask', 3, 20_000);
  const { id } = await bench.publish(filledIn('selling-to-slack'));
  await eventually('a Slack message', 30_000, () => texts('selling-to-slack').length > 1);
  expect(texts('selling-to-slack')[0]).toMatch(
    /^BTCUSDT: selling pressure\. Asks outweigh bids by [\d.]+ % over 20 levels/,
  );
  await bench.remove(id);
}, 60_000);

test('selling is mailed through a real SMTP server', async () => {
  const mails: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => {
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      stream.on('end', () => {
        mails.push(text);
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.server.address() as { port: number };
    const smtp = { user: '', password: '', host: '127.0.0.1', port, secure: false, disableStartTls: true };
    const credential = await bench.rest.createCredential('SMTP of the test', 'smtp', smtp);
    const workflow = filledIn('selling-to-email');
    nodeNamed(workflow, 'Send Email').credentials = { smtp: { id: credential.id, name: credential.name } };
    exchange.pressure('BTCUSDT', 'ask', 3, 20_000);
    const { id } = await bench.publish(workflow);
    await eventually('a mail', 30_000, () => mails.length > 0);
    expect(mails[0]).toContain('Subject: BTCUSDT: SELLING');
    expect(mails[0]).toContain('selling pressure');
    await bench.remove(id);
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}, 60_000);

test('a scheduled check reads the store that another workflow keeps, and routes by signal', async () => {
  const keeper = await bench.publish(storeKeeper());
  const workflow = filledIn('scheduled-check');
  // The four ends are for the user to replace: here each posts to a path of its own.
  for (const name of ['No Signal', 'Selling', 'Buying', 'Neutral']) {
    Object.assign(nodeNamed(workflow, name), {
      ...{ type: 'n8n-nodes-base.httpRequest', typeVersion: 4.2 },
      parameters: {
        ...{ method: 'POST', url: `${collector.url}/check-${name.replace(' ', '-').toLowerCase()}` },
        ...{ sendBody: true, specifyBody: 'json', jsonBody: '={{ JSON.stringify($json) }}', options: {} },
      },
    });
  }
  const { id } = await bench.publish(workflow);
  const at = (name: string) =>
    collector.at(`check-${name}`).map(({ body }) => body as { signal: string | null });
  await eventually(
    'ten routed checks',
    40_000,
    () => at('selling').length + at('buying').length + at('neutral').length >= 10,
  );
  expect(new Set(at('selling').map(({ signal }) => signal)).size).toBeLessThanOrEqual(1);
  for (const [path, signal] of [
    ['selling', 'SELLING'],
    ['buying', 'BUYING'],
    ['neutral', 'NEUTRAL'],
  ] as const) {
    for (const item of at(path)) expect(item.signal).toBe(signal);
  }
  await bench.remove(id);
  await bench.remove(keeper.id);
}, 90_000);

test('a change of signal is told by the trigger alone', async () => {
  const { id } = await bench.publish(filledIn('signal-change-notify'));
  exchange.pressure('BTCUSDT', 'ask', 4, 20_000);
  await eventually('a change of signal', 30_000, () => texts('signal-change-notify').length > 0);
  expect(texts('signal-change-notify')[0]).toMatch(/^BTCUSDT: (selling|buying) pressure\./);
  await bench.remove(id);
}, 60_000);

test('a calm alert comes when pressure lasts', async () => {
  const { id } = await bench.publish(filledIn('calm-slack-alert'));
  exchange.pressure('BTCUSDT', 'ask', 6, 60_000);
  await eventually('a calm alert', 75_000, () =>
    texts('calm-slack-alert').some((text) => text.includes('selling pressure')),
  );
  await bench.remove(id);
}, 120_000);

test('a scheduled check that notifies on change tells a signal that lasts, once', async () => {
  const path = 'scheduled-notify-on-change';
  const keeper = await bench.publish(storeKeeper());
  const workflow = filledIn(path);
  // The file's own calm takes a minute of pressure; what is tried here is that a change is told, and only once.
  const { parameters } = nodeNamed(workflow, 'Order Flow Imbalance');
  Object.assign(parameters, { alerts: { pendingPeriod: 2 }, options: {} });
  exchange.pressure('BTCUSDT', 'ask', 6, 60_000);
  const { id } = await bench.publish(workflow);
  const selling = () => texts(path).filter((text) => text.includes('selling pressure')).length;
  await eventually('a word about the change', 30_000, () => selling() > 0);
  const checks = () => exchange.lastUpdateId('BTCUSDT');
  const before = checks();
  await delay(5_000);
  expect(checks()).toBeGreaterThan(before);
  expect(selling()).toBe(1);
  await bench.remove(id);
  await bench.remove(keeper.id);
}, 90_000);

test('a scheduled check notifies on change only, by the mean of the last minute', async () => {
  const keeper = await bench.publish(storeKeeper());
  exchange.pressure('BTCUSDT', 'ask', 6, 90_000);
  const workflow = filledIn('scheduled-notify-on-change');
  nodeNamed(workflow, 'Order Flow Imbalance').parameters.alerts = { pendingPeriod: 3 };
  const { id } = await bench.publish(workflow);
  const told = () => texts('scheduled-notify-on-change');
  await eventually('one notice', 80_000, () => told().some((text) => text.includes('selling pressure')));
  const before = told().length;
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect(told().length).toBe(before);
  await bench.remove(id);
  await bench.remove(keeper.id);
}, 120_000);

test('a feed that is down is told', async () => {
  const workflow = filledIn('feed-watch');
  nodeNamed(workflow, 'Order Flow Data').parameters.symbols = symbolsValue('NOFEEDUSDT');
  const { id } = await bench.publish(workflow);
  await eventually('a word about the feed', 30_000, () => texts('feed-watch').length > 0);
  expect(texts('feed-watch')[0]).toMatch(/^NOFEEDUSDT: the order book feed is missing/);
  await bench.remove(id);
}, 60_000);
