import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';
import type { Exchange } from '../../exchange';
import type { Collector } from '../../scripts/n8n/collector';
import { IS_OLDEST_N8N } from '../../scripts/n8n/layout';
import { nodeTypes, symbolsValue } from '../../scripts/n8n/workflowBuilder';
import type { Workflow, WorkflowNode } from '../../scripts/n8n/workflowTypes';
import { describeWhere } from '../support/where';
import { baseUrls, Bench, curlOf, eventually, HANG_MS, nodeNamed, readyMade } from './support';

const TRIGGER = 'Binance Order Book Trigger';

let bench: Bench;
let exchange: Exchange;
/** The ten symbols of those workflows that name ten. */
let ten: Exchange;
let collector: Collector;
/** What was mailed, decoded. */
const mails: string[] = [];
let mailServer: SMTPServer;
let credentials: Record<string, { id: string; name: string }>;

beforeAll(async () => {
  bench = await Bench.open();
  exchange = await bench.exchange({ market: 'spot', symbols: ['BTCUSDT'], seed: 5 });
  ten = await bench.exchange({ market: 'spot', symbols: symbolsOf('ten-symbols-by-mail'), seed: 5 });
  collector = await bench.collector();
  mailServer = await startMailServer();
  const { port } = mailServer.server.address() as { port: number };
  const smtp = { user: '', password: '', host: '127.0.0.1', port, secure: false, disableStartTls: true };
  credentials = {
    smtp: await bench.rest.createCredential('SMTP of the test', 'smtp', smtp),
    telegramApi: await bench.rest.createCredential('Telegram of the test', 'telegramApi', {
      ...{ accessToken: '1:token', baseUrl: `${collector.url}/telegram` },
    }),
  };
});
afterAll(async () => {
  await bench.close();
  await new Promise<void>((resolve) => mailServer.close(() => resolve()));
});

async function startMailServer(): Promise<SMTPServer> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => {
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      stream.on('end', () => {
        // Long lines come folded, and signs that mean something to the format as their code.
        const code = (_all: string, hex: string) => String.fromCharCode(parseInt(hex, 16));
        mails.push(text.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, code));
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** The symbols that Order Flow Imbalance has in a file. */
function symbolsOf(name: string): string[] {
  const { symbols } = nodeNamed(readyMade(name), 'Order Flow Imbalance').parameters;
  return (symbols as { value: string }).value.split(', ');
}

/** Less calm than a user wants it, so that a test sees an alert and its end within seconds. */
const BRISK = { smoothingHalfLife: 0, pendingPeriod: 1, keepFiringFor: 1, cooldown: 0 };

/** The nodes of services whose address cannot be changed: what they would send is posted instead. */
const POSTED_INSTEAD: Record<string, (parameters: WorkflowNode['parameters']) => string> = {
  // An expression, and nothing around it.
  'n8n-nodes-base.slack': ({ text }) => `{ text: ${String(text).slice('={{'.length, -'}}'.length)} }`,
  'n8n-nodes-base.googleSheets': () => '$json',
};

function postInstead(node: WorkflowNode, body: string): void {
  Object.assign(node, {
    ...{ type: 'n8n-nodes-base.httpRequest', typeVersion: 4.2 },
    parameters: {
      ...{ method: 'POST', sendBody: true, specifyBody: 'json', options: {} },
      jsonBody: `={{ JSON.stringify(${body}) }}`,
    },
  });
}

/** The file as imported, with what its note asks the user to fill in, pointed at loopback. */
function filledIn(name: string, from = exchange): Workflow {
  const workflow = readyMade(name);
  for (const node of workflow.nodes) {
    const { parameters, type } = node;
    if (type === nodeTypes().trigger) {
      parameters.options = { ...(parameters.options as object), ...baseUrls(from), saveEvery: 0.2 };
      if (parameters.emit === 'interval') parameters.interval = 1;
    }
    if (type === nodeTypes().imbalance && parameters.source === 'exchange')
      parameters.options = { ...(parameters.options as object), restBaseUrl: from.restBaseUrl };
    if (type in POSTED_INSTEAD) postInstead(node, POSTED_INSTEAD[type](parameters));
    if (node.type === 'n8n-nodes-base.httpRequest') node.parameters.url = `${collector.url}/${name}`;
    if (type === 'n8n-nodes-base.scheduleTrigger')
      parameters.rule = { interval: [{ field: 'seconds', secondsInterval: 1 }] };
    if (type === 'n8n-nodes-base.emailSend') node.credentials = { smtp: credentials.smtp };
    if (type === 'n8n-nodes-base.telegram') node.credentials = { telegramApi: credentials.telegramApi };
  }
  return workflow;
}

const texts = (path: string) => collector.at(path).map(({ body }) => (body as { text: string }).text);

const page = (file: string) => readFileSync(join(__dirname, '../..', file), 'utf8');

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

test('the steps of the README lead to a message in Slack', async () => {
  const list = /## Your first alert\n\n([^]*?)\n\n/.exec(page('README.md'))?.[1].split('\n') ?? [];
  let workflow: Workflow;
  let id = '';
  const steps: Record<string, (text: string) => void | Promise<void>> = {
    // Done for all tests here; test/e2e/install.test.ts does it as the README says.
    Install: () => undefined,
    // The address that Slack gives.
    Slack: () => expect(collector.url).toMatch(/^http/),
    Import: (text) => {
      workflow = JSON.parse(page(/`(workflows\/[\w-]+\.json)`/.exec(text)?.[1] ?? '')) as Workflow;
    },
    Paste: (text) => {
      for (const [, name] of text.replace('**Paste**', '').matchAll(/\*([^*]+)\*/g))
        nodeNamed(workflow, name).parameters.url = `${collector.url}/first-alert`;
    },
    Symbols: () => {
      nodeNamed(workflow, TRIGGER).parameters.symbols = symbolsValue('BTCUSDT');
      nodeNamed(workflow, TRIGGER).parameters.options = baseUrls(exchange);
    },
    'Try it': async () => {
      Object.assign(nodeNamed(workflow, TRIGGER).parameters.options as object, { testSignal: 'SELLING' });
      ({ id } = await bench.create(workflow));
      await bench.rest.runManually(id, TRIGGER);
      await eventually('a message', HANG_MS, () => texts('first-alert').length > 0);
      expect(texts('first-alert')[0]).toContain('BTCUSDT: selling pressure');
    },
    Publish: async () => {
      await bench.rest.activate(id);
    },
  };
  const named = list.map((step) => /^\d+\. \*\*([^*]+)\*\*/.exec(step)?.[1] ?? step);
  expect(named).toEqual(Object.keys(steps));
  expect(named.length).toBeLessThanOrEqual(10);
  for (const [i, text] of list.entries()) await steps[named[i]](text);
  await bench.remove(id);
});

test('Slack gets selling pressure once, and its end', async () => {
  const path = 'selling-to-slack';
  const workflow = filledIn(path);
  nodeNamed(workflow, TRIGGER).parameters.alerts = BRISK;
  exchange.pressure('BTCUSDT', 'ask', 6, 5_000);
  const { id } = await bench.publish(workflow);
  await eventually('a message about selling', HANG_MS, () => texts(path).length > 0);
  expect(texts(path)[0]).toMatch(/^BTCUSDT: selling pressure( for [\d.]+ s)?\. Asks outweigh bids by /);
  exchange.pressure('BTCUSDT', 'bid', 6, 5_000);
  await eventually('a message about its end', HANG_MS, () => texts(path).length > 1);
  expect(texts(path)[1]).toMatch(/^BTCUSDT: (selling pressure has ended|buying pressure)/);
  await bench.remove(id);
});

test('email brings selling pressure, through a real SMTP server', async () => {
  const workflow = filledIn('selling-to-email');
  nodeNamed(workflow, TRIGGER).parameters.alerts = BRISK;
  exchange.pressure('BTCUSDT', 'ask', 6, 20_000);
  const { id } = await bench.publish(workflow);
  await eventually('a mail', HANG_MS, () => mails.some((mail) => mail.includes('selling pressure')));
  expect(mails.find((mail) => mail.includes('selling pressure'))).toContain('Subject: BTCUSDT: selling');
  await bench.remove(id);
});

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
    HANG_MS,
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
});

test('a change of signal is reported by the trigger alone', async () => {
  const { id } = await bench.publish(filledIn('signal-change-notify'));
  exchange.pressure('BTCUSDT', 'ask', 4, 20_000);
  await eventually('a change of signal', HANG_MS, () => texts('signal-change-notify').length > 0);
  expect(texts('signal-change-notify')[0]).toMatch(/^BTCUSDT: (selling|buying) pressure( for [\d.]+ s)?\. /);
  await bench.remove(id);
});

test('a calm alert comes when pressure lasts', async () => {
  const { id } = await bench.publish(filledIn('calm-slack-alert'));
  exchange.pressure('BTCUSDT', 'ask', 6, 60_000);
  await eventually('a calm alert', HANG_MS, () =>
    texts('calm-slack-alert').some((text) => text.includes('selling pressure')),
  );
  await bench.remove(id);
});

test('an alert under a budget says what other thresholds would have given', async () => {
  const path = 'about-three-a-day';
  const { id } = await bench.publish(filledIn(path));
  exchange.pressure('BTCUSDT', 'ask', 6, 60_000);
  await eventually('an alert', HANG_MS, () =>
    texts(path).some((text) =>
      /selling pressure for [^]*\nToo little of the past is known to say how many alerts to expect\.$/.test(
        text,
      ),
    ),
  );
  await bench.remove(id);
});

test('a scheduled check that notifies on change tells a signal that lasts, once', async () => {
  const path = 'scheduled-notify-on-change';
  const keeper = await bench.publish(storeKeeper());
  const workflow = filledIn(path);
  // The file's own calm takes a minute of pressure; this test shows that a change is reported, and only once.
  const { parameters } = nodeNamed(workflow, 'Order Flow Imbalance');
  Object.assign(parameters, { alerts: { pendingPeriod: 2 }, options: {} });
  exchange.pressure('BTCUSDT', 'ask', 6, 60_000);
  const { id } = await bench.publish(workflow);
  const selling = () => texts(path).filter((text) => text.includes('selling pressure')).length;
  await eventually('a word about the change', HANG_MS, () => selling() > 0);
  const checks = () => exchange.lastUpdateId('BTCUSDT');
  const before = checks();
  await delay(5_000);
  expect(checks()).toBeGreaterThan(before);
  expect(selling()).toBe(1);
  await bench.remove(id);
  await bench.remove(keeper.id);
});

test('a scheduled check notifies on change only, by the mean of the last minute', async () => {
  const keeper = await bench.publish(storeKeeper());
  exchange.pressure('BTCUSDT', 'ask', 6, 90_000);
  const workflow = filledIn('scheduled-notify-on-change');
  nodeNamed(workflow, 'Order Flow Imbalance').parameters.alerts = { pendingPeriod: 3 };
  const { id } = await bench.publish(workflow);
  const notices = () => texts('scheduled-notify-on-change');
  await eventually('one notice', HANG_MS, () => notices().some((text) => text.includes('selling pressure')));
  const before = notices().length;
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect(notices().length).toBe(before);
  await bench.remove(id);
  await bench.remove(keeper.id);
});

test('a feed that is down is reported', async () => {
  const workflow = filledIn('feed-watch');
  nodeNamed(workflow, 'Order Flow Data').parameters.symbols = symbolsValue('NOFEEDUSDT');
  const { id } = await bench.publish(workflow);
  await eventually('a word about the feed', HANG_MS, () => texts('feed-watch').length > 0);
  expect(texts('feed-watch')[0]).toMatch(/^NOFEEDUSDT: the order book feed is missing/);
  await bench.remove(id);
});

test('the strongest three go to Telegram in one message, and to the sheet as rows', async () => {
  const path = 'strongest-three';
  const pairs = Array.from({ length: 400 }, (_, i) => ({ symbol: `S${i}USDT`, activity: 0.02, levels: 120 }));
  const others = ['USDCUSDT', 'S0BTC'].map((symbol) => ({ symbol, activity: 0.02, levels: 120 }));
  const many = await bench.exchange({ market: 'spot', symbols: [...pairs, ...others], seed: 5 });
  const telegram = () =>
    collector.at('telegram/bot1:token/sendMessage').map(({ body }) => (body as { text: string }).text);
  const workflow = filledIn(path, many);
  // A second check in the same minute would wait for request weight.
  const often = { interval: [{ field: 'seconds', secondsInterval: 15 }] };
  nodeNamed(workflow, 'Every Five Minutes').parameters.rule = often;
  const { id } = await bench.publish(workflow);
  await eventually('three of them', HANG_MS, () => telegram().some((text) => /^3\. /m.test(text)));
  const lines = (telegram().find((text) => /^3\. /m.test(text)) ?? '').split('\n');
  expect(lines).toHaveLength(3);
  const percent = lines.map((line) => Number(/by ([\d.]+) %/.exec(line)?.[1]));
  expect(percent).toEqual([...percent].sort((a, b) => b - a));
  await eventually('rows', HANG_MS, () => collector.at(path).length >= 3);
  expect(collector.at(path)[0].body).toMatchObject({
    ...{ symbol: expect.any(String), rank: 1, bestBid: expect.any(Number) },
  });
  await bench.remove(id);
  // Every pair in USDT was asked for, and nothing else.
  const asked = many.stats.requests.flatMap(({ path: of, params }) =>
    of.endsWith('/depth') ? [params.symbol] : [],
  );
  expect(new Set(asked)).toEqual(new Set(pairs.map(({ symbol }) => symbol)));
  expect(many.stats.bans).toBe(0);
});

test('ten symbols become one table in one mail', async () => {
  ten.setStatus('LTCUSDT', 'HALT');
  const before = mails.length;
  const { id } = await bench.publish(filledIn('ten-symbols-by-mail', ten));
  await eventually('a mail', HANG_MS, () => mails.length > before);
  await bench.remove(id);
  ten.setStatus('LTCUSDT', 'TRADING');
  const mail = mails[before];
  for (const symbol of symbolsOf('ten-symbols-by-mail')) expect(mail).toContain(`>${symbol}</td>`);
  expect(mail.match(/<tr/g)).toHaveLength(11);
});

test('an alert that the book contradicts ends at the check, another goes on with what the book says', async () => {
  const { id } = await bench.publish(filledIn('veto'));
  const inPage = /```json\n([^]*?)```/.exec(page('docs/veto.md'))?.[1] ?? '';
  const alert = async (side: string) => {
    const reply = await fetch(`${bench.rest.url}/webhook/order-flow-veto`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...(JSON.parse(inPage) as object), side, from: 'another tool' }),
    });
    return (await reply.json()) as { veto: boolean; signal: string };
  };
  exchange.pressure('BTCUSDT', 'ask', 6, 60_000);
  const asInPage = async () => JSON.parse(await curlOf('docs/veto.md', bench.rest.url)) as { veto: boolean };
  await eventually('a veto', HANG_MS, async () => (await asInPage()).veto);
  const passedOn = collector.at('veto').length;
  expect(await alert('SELL')).toMatchObject({ veto: false });
  expect(collector.at('veto')).toHaveLength(passedOn + 1);
  expect(collector.at('veto')[passedOn].body).toEqual({
    ...{ symbol: 'BTCUSDT', side: 'SELL', from: 'another tool' },
    orderBook: expect.stringMatching(/^BTCUSDT: /) as string,
  });
  await bench.remove(id);
});

const hasDataTables = describeWhere(!IS_OLDEST_N8N, 'the Data table node of n8n 2.0 is of an older version');

hasDataTables('with a data table', () => {
  test('the daily summary counts the alerts that were kept, lists them, and brings a chart of each symbol', async () => {
    const workflow = filledIn('daily-summary', ten);
    const { parameters } = nodeNamed(workflow, TRIGGER);
    parameters.alerts = BRISK;
    parameters.options = { ...(parameters.options as object), historyEvery: 1 };
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) ten.pressure(symbol, 'ask', 6, 20_000);
    const { id } = await bench.publish(workflow);
    const summary = /ETHUSDT: [1-9]\d* selling, \d+ buying\s[^]*\d\d:\d\d\s+ETHUSDT: selling pressure/;
    const pictures = (mail: string) => mail.split('Content-Type: image/png').length - 1;
    await eventually('a summary', HANG_MS, () =>
      mails.some((mail) => summary.test(mail) && pictures(mail) === 2),
    );
    await bench.remove(id);
  });
});

test('what goes wrong in a trigger and in an execution is reported by the workflow itself', async () => {
  const alerts = filledIn('calm-slack-alert');
  nodeNamed(alerts, TRIGGER).parameters.symbols = symbolsValue('BTCUSDT, NOSUCHUSDT');
  const agent = filledIn('ask-an-agent');
  const model = await bench.rest.createCredential('No model', 'openAiApi', { apiKey: 'none' });
  const chat = nodeNamed(agent, 'OpenAI Chat Model');
  chat.credentials = { openAiApi: model };
  chat.parameters.options = { baseURL: `${collector.url}/no-model` };
  const published = [await bench.publish(alerts), await bench.publish(agent)];
  await curlOf('docs/ai-agent.md', bench.rest.url);
  // The oldest n8n has no failed execution for a trigger: its log is what is left.
  const ofTrigger = () =>
    IS_OLDEST_N8N
      ? bench.log().some((line) => line.includes(`${TRIGGER}: `) && line.includes('NOSUCHUSDT'))
      : texts('calm-slack-alert').some((text) => /^Calm alert to Slack failed: .*NOSUCHUSDT/.test(text));
  await eventually('a report of each', HANG_MS, () =>
    [
      ofTrigger(),
      texts('ask-an-agent').some((text) => /^Ask an agent about selling pressure failed: ./.test(text)),
    ].every(Boolean),
  );
  for (const { id } of published) await bench.remove(id);
});

test('an MCP client finds the tool and asks it for a symbol', async () => {
  const workflow = filledIn('mcp-server');
  const tool = nodeNamed(workflow, 'Order Flow Imbalance');
  tool.parameters.options = { restBaseUrl: exchange.restBaseUrl };
  const token = await bench.rest.createCredential('Token of the test', 'httpBearerAuth', {
    token: 'a-token',
  });
  nodeNamed(workflow, 'MCP Server Trigger').credentials = { httpBearerAuth: token };
  const { id } = await bench.publish(workflow);
  const inPage = /```json\n([^]*?)```/.exec(page('docs/ai-agent.md'))?.[1].replace('TOKEN', 'a-token') ?? '';
  const { mcpServers } = JSON.parse(inPage) as {
    mcpServers: Record<string, { url: string; headers: Record<string, string> }>;
  };
  const { url, headers } = mcpServers['order-flow'];
  const ask = mcpClient(url.replace('https://n8n.example.com', bench.rest.url), headers);
  await ask('initialize', {
    ...{ protocolVersion: '2025-03-26', capabilities: {} },
    clientInfo: { name: 'test', version: '1' },
  });
  const { tools } = (await ask('tools/list', {})) as { tools: Array<{ name: string; inputSchema: object }> };
  expect(tools).toHaveLength(1);
  expect(tools[0].inputSchema).toMatchObject({ properties: { symbol: { type: 'string' } } });
  const called = await ask('tools/call', { name: tools[0].name, arguments: { symbol: 'BTCUSDT' } });
  const [{ text }] = (called as { content: Array<{ text: string }> }).content;
  expect(text).toMatch(/BTCUSDT: (selling|buying|neutral)/);
  await bench.remove(id);
});

/** Requests of an MCP client over HTTP, each answered by one event. */
function mcpClient(
  url: string,
  own: Record<string, string>,
): (method: string, parameters: object) => Promise<unknown> {
  let session: string | null = null;
  let id = 0;
  return async (method, params) => {
    const reply = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...own,
        ...(session !== null && { 'mcp-session-id': session }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params }),
    });
    session ??= reply.headers.get('mcp-session-id');
    const text = await reply.text();
    const line =
      text
        .split('\n')
        .find((one) => one.startsWith('data:'))
        ?.slice('data:'.length) ?? text;
    const { result, error } = JSON.parse(line) as { result?: unknown; error?: { message: string } };
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  };
}
