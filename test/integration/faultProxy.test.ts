import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { FaultProxy, type Direction } from '../faults/proxy';
import { until } from '../support/feedHarness';

/** A server that sends back what it gets, and remembers how its connections ended. */
class Echo {
  readonly sockets = new Set<Socket>();
  readonly ends: string[] = [];
  private constructor(private readonly server: Server) {}

  static async start(): Promise<Echo> {
    const server = createServer({ noDelay: true });
    const echo = new Echo(server);
    server.on('connection', (socket) => {
      echo.sockets.add(socket);
      socket.pipe(socket);
      socket.on('end', () => echo.ends.push('end'));
      socket.on('error', (error: NodeJS.ErrnoException) => echo.ends.push(error.code ?? ''));
      socket.on('close', () => echo.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return echo;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => void this.server.close(() => resolve()));
  }
}

interface Client {
  readonly socket: Socket;
  readonly received: Buffer[];
  readonly ends: string[];
  text(): string;
}

let echo: Echo;
let proxy: FaultProxy;
const clients: Socket[] = [];

beforeEach(async () => {
  echo = await Echo.start();
  proxy = await FaultProxy.start(echo.port, { random: () => 0.5 });
});

afterEach(async () => {
  for (const socket of clients.splice(0)) socket.destroy();
  await proxy.close();
  await echo.close();
  expect(proxy.connections).toBe(0);
});

async function client(): Promise<Client> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', noDelay: true });
  clients.push(socket);
  const received: Buffer[] = [];
  const ends: string[] = [];
  socket.on('data', (bytes) => received.push(bytes as Buffer));
  socket.on('end', () => ends.push('end'));
  socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, received, ends, text: () => Buffer.concat(received).toString() };
}

const takes = async (one: Client, text: string): Promise<number> => {
  const begun = performance.now();
  const before = one.text();
  one.socket.write(text);
  await until(() => one.text() === before + text, 'the answer');
  return performance.now() - begun;
};

test('passes everything on, and the end too', async () => {
  const one = await client();
  await takes(one, 'hello');
  const much = 'x'.repeat(3_000_000);
  await takes(one, much);
  one.socket.end();
  await until(() => one.ends.includes('end') && proxy.connections === 0, 'closed');
  expect(echo.ends).toEqual(['end']);
});

test('latency with jitter: later, in order, and gone when cleared', async () => {
  const one = await client();
  proxy.set({ latencyMs: 40, jitterMs: 40 });
  expect(await takes(one, 'a')).toBeGreaterThanOrEqual(100);
  for (const letter of 'bcdefgh') one.socket.write(letter);
  await until(() => one.text() === 'abcdefgh', 'in order');
  proxy.clear();
  expect(await takes(one, 'b')).toBeLessThan(40);
});

test('bandwidth: no more bytes a second than set', async () => {
  const one = await client();
  proxy.set({ bytesPerSecond: 100_000 }, 'down');
  const tookMs = await takes(one, 'x'.repeat(20_000));
  expect(tookMs).toBeGreaterThanOrEqual(190);
  expect(tookMs).toBeLessThan(600);
});

test('slices: the same bytes in tiny pieces', async () => {
  const one = await client();
  proxy.set({ sliceBytes: 3 }, 'down');
  await takes(one, 'abcdefghijklmnopqrstuvwxyz');
  // Two may be read at once; 26 letters are 9 slices.
  expect(one.received.length).toBeGreaterThanOrEqual(4);
});

test('reset: both sides learn it', async () => {
  const one = await client();
  await takes(one, 'a');
  proxy.reset();
  await until(() => one.ends.includes('ECONNRESET'), 'the client is reset');
  await until(() => echo.ends.includes('ECONNRESET'), 'the server is reset');
});

test('reset after a number of bytes: what came before arrives', async () => {
  const one = await client();
  proxy.cutAfter('down', 4, 'reset');
  one.socket.write('abcdefgh');
  await until(() => one.ends.includes('ECONNRESET'), 'reset');
  expect(one.text()).toBe('abcd');
});

test.each<Direction | 'both'>(['up', 'down', 'both'])(
  'half-open, %s: silent, the socket open',
  async (which) => {
    const one = await client();
    await takes(one, 'a');
    proxy.silence(which === 'both' ? undefined : which);
    one.socket.write('b');
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const socket of echo.sockets) socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    proxy.clear();
    expect(one.text()).toBe('a');
    // The direction that still works tells the server's end.
    expect(one.ends).toEqual(which === 'up' ? ['end'] : []);
    // A new connection is a new road.
    await takes(await client(), 'fresh');
    one.socket.destroy();
    await until(() => proxy.connections === 1, 'let go once the client has left');
  },
);

test('falls silent after a number of bytes of a new connection, as often as set', async () => {
  proxy.cutNew('down', 3, 'silence', 1);
  const one = await client();
  one.socket.write('abcdef');
  await until(() => one.text() === 'abc', 'the part before');
  await takes(await client(), 'fresh');
  expect(one.text()).toBe('abc');
});

test('black hole: takes connections in and forwards nothing, or answers by itself', async () => {
  proxy.blackHole();
  const silent = await client();
  silent.socket.write('anyone?');
  proxy.blackHole((request) => Buffer.from(`no ${request.toString()}`));
  const loud = await client();
  loud.socket.write('sense');
  await until(() => loud.text() === 'no sense', 'the answer');
  expect(silent.text()).toBe('');
  expect(echo.sockets.size).toBe(0);
  proxy.clear();
  await takes(await client(), 'through');
});

test('slow close: the end arrives later', async () => {
  const one = await client();
  await takes(one, 'a');
  proxy.set({ slowCloseMs: 150 }, 'down');
  const begun = performance.now();
  for (const socket of echo.sockets) socket.end();
  await until(() => one.ends.includes('end'), 'the end');
  expect(performance.now() - begun).toBeGreaterThanOrEqual(140);
});

test('leads new connections elsewhere; a server that is not there resets', async () => {
  const one = await client();
  await takes(one, 'a');
  const other = await Echo.start();
  const { port } = other;
  proxy.upstreamPort = port;
  await takes(await client(), 'b');
  expect(other.sockets.size).toBe(1);
  await other.close();
  const nobody = await client();
  await until(() => nobody.ends.includes('ECONNRESET'), 'reset');
  await takes(one, 'still the first');
});

test('shows the bytes to a watcher', async () => {
  const seen: string[] = [];
  const watched = await FaultProxy.start(echo.port, {
    onBytes: (connection, direction, bytes) =>
      void seen.push(`${connection} ${direction} ${bytes.toString()}`),
    onLeft: (connection) => void seen.push(`${connection} left`),
  });
  const socket = connect(watched.port, '127.0.0.1');
  clients.push(socket);
  socket.end('x');
  socket.resume();
  await until(() => watched.accepted === 1 && watched.connections === 0, 'the end');
  expect(seen).toEqual(['1 up x', '1 left', '1 down x']);
  await watched.close();
});
