import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { IDataObject } from 'n8n-workflow';
import { storeKeys } from '../../src/store/keys';
import { openStore } from '../../src/store/openStore';
import { keySlot } from '../../src/store/redis/redisCluster';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import { type CleanUps, closeAll } from '../support/cleanUps';
import { runNode } from '../support/engine';
import { OrderFlowImbalance } from '../support/nodes';
import type { RedisServer } from '../support/redisServer';
import { clusterCredentials, startCluster } from '../support/redisTopologies';
import { admin, credentialsOf, eventually, request, startLimitedRedis } from '../support/storeFixtures';

const SYMBOLS = Array.from({ length: 300 }, (_, i) => `S${i}USDT`);
const KEY_PREFIX = 'examples/trips/';
const keyOf = (symbol: string) => storeKeys(KEY_PREFIX, 'spot', symbol).orderbook;

const cleanUps: CleanUps = [];
afterEach(async () => {
  await closeIdleRedisConnections();
  await closeAll(cleanUps);
});

/**
 * A relay before a Redis. None of a test's relays hands a reply back until as many reads as expected have come to each of
 * them: whoever waits for a reply in between waits for ever.
 */
class Withholding {
  private static readonly all = new Set<Withholding>();
  /** Commands that have come since it began to withhold, by their names. */
  readonly seen: Record<string, number> = {};
  private expected = 0;
  private readonly withheld: Array<() => void> = [];
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async before(redis: RedisServer): Promise<Withholding> {
    const server = createServer({ noDelay: true });
    const relay = new Withholding(server);
    server.on('connection', (client) => relay.join(client, connect({ port: redis.port, noDelay: true })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    Withholding.all.add(relay);
    cleanUps.push(async () => {
      Withholding.all.delete(relay);
      for (const socket of relay.sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return relay;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private get isSatisfied(): boolean {
    const { GETRANGE = 0, TIME = 0 } = this.seen;
    return GETRANGE + TIME >= this.expected;
  }

  withhold(until: number): void {
    for (const name of Object.keys(this.seen)) delete this.seen[name];
    this.expected = until;
  }

  private join(client: Socket, redis: Socket): void {
    for (const socket of [client, redis]) this.sockets.add(socket.on('error', () => socket.destroy()));
    const allSatisfied = () => [...Withholding.all].every((relay) => relay.isSatisfied);
    let half = '';
    client.on('data', (bytes) => {
      redis.write(bytes);
      // The name is the first argument of a command: `*4\r\n$8\r\nGETRANGE\r\n`. One may be cut in two.
      const text = half + bytes.toString('latin1');
      const names = [...text.matchAll(/\*\d+\r\n\$\d+\r\n([A-Z]+)\r\n/g)];
      for (const [, name] of names) this.seen[name] = (this.seen[name] ?? 0) + 1;
      const last = names.at(-1);
      half = text.slice(last === undefined ? 0 : last.index + last[0].length).slice(-40);
      if (allSatisfied())
        for (const relay of Withholding.all) for (const give of relay.withheld.splice(0)) give();
    });
    redis.on('data', (bytes) => {
      const give = () => void client.write(bytes);
      if (allSatisfied()) give();
      else this.withheld.push(give);
    });
    client.on('close', () => redis.destroy());
    redis.on('close', () => client.destroy());
  }
}

async function fill(credentials: IDataObject): Promise<void> {
  const store = openStore({ kind: 'redis', credentials });
  await store.ready();
  await Promise.all(
    SYMBOLS.map((symbol, i) => {
      const claim = request('claim', 0, i + 1);
      return store.save(keyOf(symbol), { ...claim, content: { ...claim.content, symbol } });
    }),
  );
  await store.close();
}

async function check(credentials: IDataObject) {
  const { outputs, error } = await runNode({
    ...{ nodes: { imbalance: new OrderFlowImbalance() }, type: 'imbalance' },
    credentials: { orderFlowRedisApi: credentials },
    parameters: {
      ...{ source: 'store', store: 'redis', symbols: SYMBOLS.join(), levels: 1 },
      options: { keyPrefix: KEY_PREFIX },
    },
  });
  expect(error).toBeUndefined();
  const items = outputs.flat().map(({ json }) => json);
  expect(items.map(({ symbol, lastUpdateId }) => [symbol, lastUpdateId])).toEqual(
    SYMBOLS.map((symbol, i) => [symbol, i + 1]),
  );
}

test('a check of 300 symbols sends all it asks of Redis before it waits for a reply', async () => {
  const redis = await startLimitedRedis();
  cleanUps.push(() => redis.stop());
  const relay = await Withholding.before(redis);
  const credentials = credentialsOf(redis, { port: relay.port }) as IDataObject;
  await fill(credentials);
  await check(credentials);
  relay.withhold(SYMBOLS.length + 1);
  await check(credentials);
  // What is found is written after that, a key and a message for each, all at a time.
  const { length } = SYMBOLS;
  expect(relay.seen).toEqual({ GETRANGE: length, TIME: 1, SET: length, PUBLISH: length });
}, 30_000);

test('with a cluster it does so once for each of its nodes, all at a time', async () => {
  const nodes = await startCluster(0, cleanUps);
  const relays = await Promise.all(nodes.map((node) => Withholding.before(node)));
  for (const [i, node] of nodes.entries())
    await admin(node, `CONFIG SET cluster-announce-port ${relays[i].port}`);
  for (const node of nodes)
    await eventually(async () => {
      const known = await admin(node, 'CLUSTER SLOTS');
      if (!relays.every(({ port }) => known.includes(`:${port}\r\n`))) throw new Error(known);
    });
  const credentials = clusterCredentials(nodes, {
    nodes: relays.map(({ port }) => `127.0.0.1:${port}`).join(' '),
  }) as IDataObject;
  await fill(credentials);
  await check(credentials);
  // A third of the slots each, in their order.
  const shares = [0, 0, 0];
  for (const symbol of SYMBOLS) shares[Math.floor((keySlot(keyOf(symbol)) * 3) / 16_384)]++;
  relays.forEach((relay, i) => relay.withhold(shares[i] + 1));
  await check(credentials);
  const reads = relays.map(({ seen: { GETRANGE, TIME } }) => ({ GETRANGE, TIME }));
  expect(reads).toEqual(shares.map((share) => ({ GETRANGE: share, TIME: 1 })));
}, 60_000);
