import { execFileSync } from 'node:child_process';
import { keySlot } from '../../src/store/redis/redisCluster';
import { type CleanUps, owned } from './cleanUps';
import { type RedisServer, type RedisServerOptions, startRedis } from './redisServer';
import { admin, credentialsOf, eventually, startLimitedRedis } from './storeFixtures';

/** Sentinels that agree on a failover within about two seconds. */
const PATIENCE = [
  'sentinel down-after-milliseconds mymaster 1000',
  'sentinel failover-timeout mymaster 3000',
];
/** What docs/STORE.md adds for a cluster, and for the Overview. */
const CLUSTER_RIGHTS = '+cluster|info +cluster|slots +asking +scan';

const started = (options: RedisServerOptions, cleanUps: CleanUps) => owned(startRedis(options), cleanUps);

/** A primary server, its replica, and Sentinels that know both. */
export async function startSentinels(count: number, cleanUps: CleanUps, config: readonly string[] = []) {
  const first = await started({}, cleanUps);
  const second = await started({ replicaOf: first.port }, cleanUps);
  const sentinelOf = { name: 'mymaster', port: first.port, quorum: Math.floor(count / 2) + 1 };
  const sentinels = await Promise.all(
    Array.from({ length: count }, () => started({ sentinelOf, config: [...PATIENCE, ...config] }, cleanUps)),
  );
  for (const sentinel of sentinels)
    await eventually(async () =>
      must(await admin(sentinel, 'INFO sentinel'), new RegExp(`slaves=1,sentinels=${count}\\b`)),
    );
  return { first, second, sentinels };
}

export const sentinelCredentials = (sentinels: readonly RedisServer[], over: object = {}) => ({
  ...{ topology: 'sentinel', nodes: sentinels.map(({ port }) => `127.0.0.1:${port}`).join(', ') },
  ...over,
});

/** Rejects unless the server is the primary one. */
export const isPrimary = async (server: RedisServer): Promise<void> =>
  must(await admin(server, 'INFO replication'), /role:master/);

/** Rejects unless the server follows another one and is up to date. */
export const isReplica = async (server: RedisServer): Promise<void> =>
  must(await admin(server, 'INFO replication'), /role:slave[^]*master_link_status:up/);

/** Three primary nodes with a third of the slots each, in their order, and perhaps a replica of each. */
export async function startCluster(replicas: 0 | 1, cleanUps: CleanUps): Promise<RedisServer[]> {
  const config = ['cluster-enabled yes', 'cluster-node-timeout 1500', 'cluster-require-full-coverage no'];
  const count = replicas === 0 ? 3 : 6;
  const nodes = await Promise.all(
    Array.from({ length: count }, () => startLimitedRedis({ config, more: CLUSTER_RIGHTS })),
  );
  cleanUps.push(() => Promise.all(nodes.map((node) => node.stop())));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const options = ['--cluster-replicas', String(replicas), '--cluster-yes'];
  execFileSync('redis-cli', ['--cluster', 'create', ...addresses, ...options], {
    stdio: 'pipe',
    timeout: 60_000,
  });
  const whole = new RegExp(`cluster_state:ok[^]*slots_ok:16384[^]*known_nodes:${count}`);
  for (const node of nodes) await eventually(async () => must(await admin(node, 'CLUSTER INFO'), whole));
  return nodes;
}

export const clusterCredentials = (nodes: readonly RedisServer[], over: object = {}) => ({
  ...credentialsOf(nodes[0]),
  ...{ host: '', topology: 'cluster', nodes: nodes.map(({ port }) => `127.0.0.1:${port}`).join(' ') },
  ...over,
});

/** Which of the nodes is the primary one of the key's slot, by the word of `witness`. */
export async function holderOf(
  key: string,
  nodes: readonly RedisServer[],
  witness: RedisServer,
): Promise<RedisServer> {
  const slots = await admin(witness, 'CLUSTER NODES');
  for (const node of nodes) {
    const [, ranges = ''] =
      new RegExp(`127.0.0.1:${node.port}@\\S+ \\S*master - .* connected(.*)`).exec(slots) ?? [];
    for (const [, first, last = first] of ranges.matchAll(/ (\d+)(?:-(\d+))?(?= |$|\r)/g))
      if (keySlot(key) >= Number(first) && keySlot(key) <= Number(last)) return node;
  }
  throw new Error(`nobody holds ${key}`);
}

/** Moves the key's slot to the next node, as an operator does. @param meanwhile at each stage of the way */
export async function moveSlot(
  key: string,
  nodes: readonly RedisServer[],
  meanwhile: () => Promise<unknown>,
): Promise<void> {
  const from = await holderOf(key, nodes, nodes[0]);
  const to = nodes[(nodes.indexOf(from) + 1) % nodes.length];
  const slot = keySlot(key);
  await admin(to, `CLUSTER SETSLOT ${slot} IMPORTING ${await idOf(from)}`);
  await admin(from, `CLUSTER SETSLOT ${slot} MIGRATING ${await idOf(to)}`);
  await meanwhile();
  await admin(from, `MIGRATE 127.0.0.1 ${to.port} ${key} 0 5000`);
  // Now every command is asked on, from the old node to the new one.
  await meanwhile();
  for (const node of [to, from, ...nodes.filter((other) => other !== to && other !== from)])
    await admin(node, `CLUSTER SETSLOT ${slot} NODE ${await idOf(to)}`);
  await meanwhile();
}

const idOf = async (node: RedisServer) => /[0-9a-f]{40}/.exec(await admin(node, 'CLUSTER MYID'))?.[0] ?? '';

function must(text: string, wanted: RegExp): void {
  if (!wanted.test(text)) throw new Error(`no ${wanted} in ${text}`);
}
