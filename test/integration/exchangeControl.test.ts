import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { startExchange, type BookText, type Exchange, type Stats } from '../../exchange';

const root = join(__dirname, '..', '..');

async function post(
  base: string,
  command: string,
  body: unknown = {},
): Promise<{ status: number; json: unknown }> {
  const response = await fetch(`${base}/__control/${command}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  return { status: response.status, json: await response.json() };
}

describe('over HTTP, in this process', () => {
  let exchange: Exchange;
  beforeEach(async () => {
    exchange = await startExchange({ symbols: [{ symbol: 'BTCUSDT', levels: 30 }], paused: true });
  });
  afterEach(() => exchange.close());

  test('the true book, updates, ticks, faults, pressure, status and stats', async () => {
    const base = exchange.restBaseUrl;
    const { json: ids } = await post(base, 'update', { symbol: 'BTCUSDT', bids: [['12.5', '3']] });
    const { finalUpdateId } = ids as { finalUpdateId: number };
    await post(base, 'tick', { symbol: 'BTCUSDT' });
    const { json: book } = await post(base, 'book', { symbol: 'BTCUSDT', id: finalUpdateId });
    expect(book).toEqual(exchange.trueBook('BTCUSDT', finalUpdateId));
    expect((book as BookText).bids).toContainEqual(['12.5', '3']);
    const { json: books } = await post(base, 'books', {
      symbol: 'BTCUSDT',
      ids: [finalUpdateId, 1],
      levels: 2,
    });
    expect(books).toEqual([exchange.trueBook('BTCUSDT', finalUpdateId, 2), null]);

    const { json: added } = await post(base, 'faults/add', { kind: 'drop', symbol: 'BTCUSDT', times: 3 });
    expect((await post(base, 'faults')).json).toEqual([
      {
        id: (added as { id: number }).id,
        fault: { kind: 'drop', symbol: 'BTCUSDT', times: 3 },
        hits: 0,
        left: 3,
      },
    ]);
    expect((await post(base, 'faults/clear', { which: 'drop' })).json).toEqual([]);
    expect(
      (await post(base, 'pressure', { symbol: 'BTCUSDT', side: 'ask', strength: 0.5, ms: 1000 })).status,
    ).toBe(200);
    await post(base, 'status', { symbol: 'BTCUSDT', status: 'BREAK' });
    expect((await post(base, 'symbols')).json).toMatchObject([{ symbol: 'BTCUSDT', status: 'BREAK' }]);
    const stats = (await post(base, 'stats')).json as Stats;
    expect(stats).toMatchObject({ openConnections: 0, usedWeight: 0 });
  });

  test('a command that is wrong says why', async () => {
    expect(await post(exchange.restBaseUrl, 'constructor')).toEqual({
      status: 400,
      json: { error: 'no command "constructor"' },
    });
    expect((await post(exchange.restBaseUrl, 'book', { symbol: 'NOSUCH' })).json).toEqual({
      error: 'no symbol "NOSUCH" on this exchange',
    });
    expect((await post(exchange.restBaseUrl, 'faults/add', { kind: 'nothing' })).status).toBe(400);
  });
});

describe('the command line', () => {
  const children: ChildProcess[] = [];
  const run = (...args: string[]): ChildProcess => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/exchange.ts', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  };
  afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

  test('runs a market until it is interrupted', async () => {
    const child = run('--market', 'usdm', '--symbols', 'ethusdt,solusdt', '--seed', '9', '--json');
    const exited = once(child, 'exit');
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const [line] = (await once(lines, 'line')) as [string];
    const reported = JSON.parse(line) as { restBaseUrl: string; symbols: string[] };
    expect(reported.symbols).toEqual(['ETHUSDT', 'SOLUSDT']);
    const reply = await fetch(`${reported.restBaseUrl}/fapi/v1/depth?symbol=SOLUSDT&limit=5`);
    expect(reply.status).toBe(200);
    child.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
  });

  test.each([
    [['--market', 'mars'], '--market mars: one of spot'],
    [['--port', 'many'], '--port many'],
    [['--recording', 'nowhere'], 'no events.ndjson'],
  ])('%j is refused', async (args, message) => {
    const child = run(...args);
    let errors = '';
    child.stderr?.on('data', (data: Buffer) => (errors += data.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(1);
    expect(errors).toContain(message);
  });
});
