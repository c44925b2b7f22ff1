import { isOrderFlowError, OrderFlowError } from '../../runtime/errors';
import { LatestEpoch, newestWord, type Word } from './newestWord';
import { RedisConnection, type RedisNode, type RedisPlace } from './redisConnection';
import { serverName, type RedisAddress, type RedisSettings } from './redisSettings';

/** How often the nodes are asked which of them holds which keys, milliseconds. */
const LOOK_EVERY_MS = 1_000;
const SLOTS = 16_384;

/** Slots from `first` to `last` are at this server. */
interface Range {
  readonly first: number;
  readonly last: number;
  readonly address: RedisAddress;
}

/** A connection to each primary node of a Redis Cluster, and which of them holds which key. */
export class RedisCluster implements RedisPlace {
  /** By `host:port`: the primary nodes, and those that are only asked for the slots. */
  private readonly nodes = new Map<string, RedisConnection>();
  private readonly kept = new Map<RedisConnection, () => void>();
  /** By slot the name of its node; empty until the cluster has answered. */
  private slots: string[] = [];
  private readonly latest = new LatestEpoch();
  private looking: Promise<void> | null = null;
  private timer: NodeJS.Timeout | undefined;
  private keepers = 0;
  private idle = false;
  private closed = false;
  private lastError: OrderFlowError | null = null;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly settings: RedisSettings) {
    for (const seed of settings.nodes) this.node(seed);
  }

  get connected(): boolean {
    return this.slots.length > 0;
  }

  async ready(): Promise<void> {
    if (!this.connected) await this.look();
    // Those that are down fail when their keys are asked for.
    await Promise.allSettled([...this.primaries()].map((node) => node.ready()));
  }

  async reach(key: string): Promise<RedisConnection> {
    if (!this.connected) await this.look();
    const node = this.nodeOf(key);
    await node.ready();
    return node;
  }

  async all(): Promise<RedisConnection[]> {
    if (!this.connected) await this.look();
    const nodes = [...this.primaries()];
    await Promise.all(nodes.map((node) => node.ready()));
    return nodes;
  }

  nodeOf(key: string): RedisConnection {
    const node = this.nodes.get(this.slots[keySlot(key)] ?? '');
    if (node !== undefined) return node;
    const name = serverName(this.settings);
    if (!this.connected)
      throw this.lastError ?? new OrderFlowError('OF_REDIS_CONNECT', `${name} (not connected)`);
    throw new OrderFlowError('OF_REDIS_CLUSTER_DOWN', `no node holds the slot of ${key}`, { subject: key });
  }

  async redirected(key: string, error: unknown): Promise<RedisNode | null> {
    const found = isOrderFlowError(error) && /\((MOVED|ASK) \d+ (\S*):(\d+)\)/.exec(error.message);
    if (!found || this.closed) return null;
    const [, kind, host, port] = found;
    const address = { host: host || this.nodeOf(key).address.host, port: Number(port) };
    const node = this.node(address);
    if (kind === 'MOVED') {
      this.slots[keySlot(key)] = serverName(address);
      this.follow();
    }
    await node.ready();
    return kind === 'ASK' ? asking(node) : node;
  }

  keep(): () => void {
    this.keepers++;
    this.follow();
    if (!this.connected) this.look().catch(() => undefined);
    let kept = true;
    return () => {
      if (!kept) return;
      kept = false;
      this.keepers--;
      this.follow();
    };
  }

  onReady(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  setIdle(idle: boolean): void {
    this.idle = idle;
    for (const node of this.nodes.values()) node.setIdle(idle);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    this.listeners.clear();
    await Promise.all([...this.nodes.values()].map((node) => node.close()));
  }

  private node(address: RedisAddress): RedisConnection {
    const name = serverName(address);
    const known = this.nodes.get(name);
    if (known !== undefined) return known;
    const node = new RedisConnection({ ...this.settings, ...address, topology: 'single' });
    node.setIdle(this.idle);
    node.onReady(() => this.notifyListeners());
    this.nodes.set(name, node);
    return node;
  }

  private primaries(): Set<RedisConnection> {
    const names = new Set(this.slots);
    return new Set([...this.nodes].filter(([name]) => names.has(name)).map(([, node]) => node));
  }

  /** Asks the nodes which of them holds which keys; one question at a time. */
  private look(): Promise<void> {
    if (this.closed)
      return Promise.reject(new OrderFlowError('OF_REDIS_CONNECT', 'the connection was closed'));
    this.timer ??= setInterval(() => void this.look().catch(() => undefined), LOOK_EVERY_MS).unref();
    this.looking ??= this.ask().finally(() => (this.looking = null));
    return this.looking;
  }

  private async ask(): Promise<void> {
    try {
      const { value, epoch } = await newestWord([...this.nodes.values()].map(rangesOf));
      if (!this.closed && this.latest.accepts(epoch)) this.learn(value);
    } catch (error) {
      this.lastError = error as OrderFlowError;
      throw error;
    }
  }

  private learn(ranges: readonly Range[]): void {
    const slots = new Array<string>(SLOTS).fill('');
    for (const { first, last, address } of ranges) {
      this.node(address);
      slots.fill(serverName(address), first, last + 1);
    }
    const [before, now] = [new Set(this.slots), new Set(slots)];
    const changed = slots.some((name, slot) => name !== this.slots[slot]);
    this.slots = slots;
    const seeds = new Set(this.settings.nodes.map(serverName));
    for (const [name, node] of this.nodes) {
      const former = before.has(name) && !now.has(name);
      // A former primary node may hang: what is in flight there is not waited for.
      if (!former && (now.has(name) || seeds.has(name))) continue;
      this.nodes.delete(name);
      this.kept.delete(node);
      void node.close();
    }
    for (const seed of this.settings.nodes) this.node(seed);
    this.follow();
    // A node that was connected already is ready for keys that it has only now.
    if (changed) this.notifyListeners();
  }

  private notifyListeners(): void {
    for (const listener of [...this.listeners]) listener();
  }

  /** While someone keeps the cluster, each primary node is kept. */
  private follow(): void {
    const wanted = this.keepers > 0 && !this.closed ? this.primaries() : new Set<RedisConnection>();
    for (const [node, unkeep] of this.kept) {
      if (wanted.has(node)) continue;
      unkeep();
      this.kept.delete(node);
    }
    for (const node of wanted) if (!this.kept.has(node)) this.kept.set(node, node.keep());
  }
}

async function rangesOf(node: RedisConnection): Promise<Word<readonly Range[]>> {
  await node.ready();
  const name = serverName(node.address);
  const [info, slots] = await Promise.all([
    node.command(['CLUSTER', 'INFO']),
    node.command(['CLUSTER', 'SLOTS']),
  ]).catch((error: OrderFlowError) => {
    if (!/cluster (support|is) disabled/i.test(error.message)) throw error;
    const why = `${name} is a single server; choose Single Server as Topology, or put nodes of a cluster into Nodes`;
    throw new OrderFlowError('OF_REDIS_CREDENTIAL', why, { subject: name });
  });
  const ranges = (slots as unknown[][]).map((range): Range => {
    const [host, port] = range[2] as unknown[];
    // A node that does not know its own address says nothing or a question mark.
    const known = typeof host === 'string' && host !== '' && host !== '?' ? host : node.address.host;
    return { first: Number(range[0]), last: Number(range[1]), address: { host: known, port: Number(port) } };
  });
  return { value: ranges, epoch: Number(/cluster_current_epoch:(\d+)/.exec(String(info))?.[1] ?? 0) };
}

/** A slot that is on its way is served at its new place only to who says that he was sent there. */
function asking(node: RedisConnection): RedisNode {
  return {
    command(args) {
      node.command(['ASKING']).catch(() => undefined);
      return node.command(args);
    },
    serverTimeMs: () => node.serverTimeMs(),
    sawServerTime: (timeMs) => node.sawServerTime(timeMs),
    renew: (error) => node.renew(error),
  };
}

/** CRC16 (XMODEM) of the key, or of what is between its first braces; the rule of Redis Cluster. */
export function keySlot(key: string): number {
  const bytes = Buffer.from(/^[^{]*\{([^}]+)\}/.exec(key)?.[1] ?? key);
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc % SLOTS;
}
