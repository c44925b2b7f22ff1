import type { Exchange } from '../../exchange';
import type { Collector } from '../../scripts/n8n/collector';
import { nodeTypes, symbolsValue } from '../../scripts/n8n/workflowBuilder';
import type { Workflow } from '../../scripts/n8n/workflowTypes';
import { readPng } from '../support/png';
import { baseUrls, Bench, eventually, HANG_MS, nodeNamed, readyMade } from './support';

const TRIGGER = 'Binance Order Book Trigger';
/** Less calm than a user wants it, so that a test sees an alert within seconds. */
const BRISK = { smoothingHalfLife: 0, pendingPeriod: 1, keepFiringFor: 1, cooldown: 0 };

let bench: Bench;
let exchange: Exchange;
let collector: Collector;
let telegramApi: { id: string; name: string };
let slackApi: { id: string; name: string };

beforeAll(async () => {
  bench = await Bench.open();
  exchange = await bench.exchange({ market: 'spot', symbols: ['BTCUSDT'], seed: 5 });
  collector = await bench.collector();
  telegramApi = await bench.rest.createCredential('Telegram of the test', 'telegramApi', {
    ...{ accessToken: '1:token', baseUrl: `${collector.url}/telegram` },
  });
  slackApi = await bench.rest.createCredential('Slack of the test', 'slackApi', { accessToken: 'a-token' });
});
afterAll(() => bench.close());
beforeEach(() => collector.clear());

/** The file as imported, with what its note asks the user to fill in, pointed at loopback. */
function filledIn(name: string): Workflow {
  const workflow = readyMade(name);
  for (const node of workflow.nodes) {
    if (node.type === 'n8n-nodes-base.telegram') node.credentials = { telegramApi };
    if (node.type === 'n8n-nodes-base.slack') node.credentials = { slackApi };
  }
  const { parameters } = nodeNamed(workflow, TRIGGER);
  parameters.alerts = BRISK;
  parameters.options = { ...(parameters.options as object), ...baseUrls(exchange), historyEvery: 1 };
  return workflow;
}

/** The parts of each form that has come in as a photo, by their names. */
function photos(): Array<Record<string, Buffer>> {
  return collector.at('telegram/bot1:token/sendPhoto').map(({ body }) => formOf(body as Buffer));
}

function formOf(body: Buffer): Record<string, Buffer> {
  const text = body.toString('latin1');
  const boundary = text.slice(0, text.indexOf('\r\n'));
  return Object.fromEntries(
    text.split(boundary).flatMap((part) => {
      const name = / name="([^"]+)"/.exec(part)?.[1];
      const begin = part.indexOf('\r\n\r\n') + 4;
      return name === undefined ? [] : [[name, Buffer.from(part.slice(begin, -2), 'latin1')]];
    }),
  );
}

/** Draws each second what Order Flow Data is asked for, and sends it as a photo. */
function charts(parameters: object): Workflow {
  const nodes: Workflow['nodes'] = [
    {
      ...{ name: 'Schedule', type: 'n8n-nodes-base.scheduleTrigger', typeVersion: 1.2, position: [0, 0] },
      parameters: { rule: { interval: [{ field: 'seconds', secondsInterval: 1 }] } },
    },
    {
      ...{ name: 'Data', type: nodeTypes().data, typeVersion: 1, position: [200, 0] },
      parameters: { symbols: symbolsValue('BTCUSDT'), store: 'memory', options: {}, ...parameters },
    },
    {
      ...{ name: 'Photo', type: 'n8n-nodes-base.telegram', typeVersion: 1.2, position: [400, 0] },
      credentials: { telegramApi },
      parameters: {
        ...{ resource: 'message', operation: 'sendPhoto', chatId: '1', binaryData: true },
        ...{ binaryPropertyName: 'data', additionalFields: { caption: '={{ $json.message }}' } },
      },
    },
  ];
  const to = (node: string) => ({ main: [[{ node, type: 'main' as const, index: 0 }]] });
  return {
    ...{ name: 'charts', settings: {}, nodes },
    connections: { Schedule: to('Data'), Data: to('Photo') },
  };
}

test('an alert comes with a picture of its history, and stored books and histories can be drawn', async () => {
  const { id } = await bench.publish(filledIn('alert-with-chart'));
  exchange.pressure('BTCUSDT', 'ask', 6, 90_000);
  await eventually('a photo', HANG_MS, () => photos().length > 0);
  const [{ caption, photo }] = photos();
  expect(caption.toString('utf8')).toMatch(/^BTCUSDT: .*pressure/);
  expect(readPng(photo).width).toBe(960);

  for (const [parameters, words] of [
    [{ resource: 'book', operation: 'bookChart' }, /the best 20 bids hold/],
    [{ resource: 'history', operation: 'historyChart' }, /samples over/],
  ] as const) {
    const isDrawn = (one: Record<string, Buffer>) => words.test(one.caption?.toString('utf8') ?? '');
    const drawing = await bench.publish(charts(parameters));
    await eventually('a drawing', HANG_MS, () => photos().some(isDrawn));
    await bench.remove(drawing.id);
    expect(readPng((photos().find(isDrawn) ?? {}).photo).width).toBe(1_440);
  }
  await bench.remove(id);
});

test('an alert with its picture goes to Slack', async () => {
  const workflow = filledIn('alert-with-chart-to-slack');
  const picture = nodeNamed(workflow, 'Picture');
  const { binaryPropertyName, options } = picture.parameters;
  expect(options).toMatchObject({ initialComment: '={{ $json.message }}' });
  // The address of Slack cannot be changed: what its node would upload is posted instead.
  Object.assign(picture, {
    ...{ type: 'n8n-nodes-base.httpRequest', typeVersion: 4.2, credentials: undefined },
    parameters: {
      ...{ method: 'POST', url: `${collector.url}/slack`, sendBody: true, options: {} },
      ...{ contentType: 'binaryData', inputDataFieldName: binaryPropertyName },
    },
  });
  const { id } = await bench.publish(workflow);
  exchange.pressure('BTCUSDT', 'ask', 6, 90_000);
  await eventually('a file', HANG_MS, () => collector.at('slack').length > 0);
  expect(readPng(collector.at('slack')[0].body as Buffer).width).toBe(960);
  await bench.remove(id);
});
