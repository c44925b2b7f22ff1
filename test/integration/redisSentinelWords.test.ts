import { createServer, type AddressInfo, type Socket } from 'node:net';
import { openStore } from '../../src/store/openStore';
import { readRedisSettings } from '../../src/store/redis/redisSettings';
import { Sentinels } from '../../src/store/redis/sentinels';
import { closedAfterEach, expectNoRedisConnectionLeft, owned } from '../support/cleanUps';
import { startRedis } from '../support/redisServer';
import { admin } from '../support/storeFixtures';

const cleanUps = closedAfterEach(expectNoRedisConnectionLeft);

/** What a scripted Sentinel says of its master. */
interface Says {
  readonly port: number;
  readonly epoch: number;
  readonly flags?: string;
}

const FAILING_OVER = 'master,s_down,o_down,failover_in_progress';

/** A server that plays a Sentinel: a real one leads a failover for as long as its other replicas take. */
class ScriptedSentinel {
  questions = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    public says: Says,
    /** Before the answer to each question, in turn, milliseconds: these decide whose word comes first. */
    public delaysMs: readonly number[],
    private readonly server = createServer(),
  ) {}

  static async start(says: Says, ...delaysMs: number[]): Promise<ScriptedSentinel> {
    const sentinel = new ScriptedSentinel(says, delaysMs);
    const { server, sockets } = sentinel;
    server.on('connection', (socket: Socket) => {
      sockets.add(socket.on('error', () => undefined));
      socket.on('data', (chunk: Buffer) => sentinel.hear(socket, chunk.toString()));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => sentinel.stop());
    return sentinel;
  }

  get name(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  private hear(socket: Socket, text: string): void {
    for (const command of text.split(/^(?=\*)/m)) {
      if (!/SENTINEL\r\n/.test(command)) socket.write('+OK\r\n');
      else {
        const delayMs = this.delaysMs[this.questions++ % this.delaysMs.length] ?? 0;
        setTimeout(() => socket.destroyed || socket.write(this.answer()), delayMs);
      }
    }
  }

  private answer(): string {
    const { port, epoch, flags = 'master' } = this.says;
    const parts = [
      'name',
      'mymaster',
      'ip',
      '127.0.0.1',
      'port',
      port,
      'flags',
      flags,
      'config-epoch',
      epoch,
    ];
    return `*${parts.length}\r\n${parts.map((part) => `$${String(part).length}\r\n${part}\r\n`).join('')}`;
  }
}

const asking = (...sentinels: ScriptedSentinel[]) => ({
  topology: 'sentinel',
  nodes: sentinels.map(({ name }) => name).join(),
});

/** Asks as a connection does. */
function asked(...sentinels: ScriptedSentinel[]): () => Promise<number> {
  const all = new Sentinels(readRedisSettings(asking(...sentinels)));
  cleanUps.push(() => all.close());
  return async () => (await all.primary()).port;
}

const [OLD, NEW] = [7001, 7002];

describe('the Sentinel that leads a failover', () => {
  const leading = { port: OLD, epoch: 1, flags: FAILING_OVER };

  it.each([
    ['first', 0, 50],
    ['last', 50, 0],
  ])('is not believed where it answers %s', async (_, leaderMs, otherMs) => {
    const leader = await ScriptedSentinel.start(leading, leaderMs);
    const other = await ScriptedSentinel.start({ port: NEW, epoch: 1 }, otherMs);
    const primary = asked(leader, other);
    expect(await primary()).toBe(NEW);
    expect(await primary()).toBe(NEW);
  });

  it('is believed before the promotion, when all name the same server', async () => {
    const leader = await ScriptedSentinel.start({ ...leading, epoch: 0 });
    expect(await asked(leader, await ScriptedSentinel.start({ port: OLD, epoch: 0 }))()).toBe(OLD);
    expect(await asked(leader)()).toBe(OLD);
  });

  it('does not lead back when it alone is left, or with one that missed the failover', async () => {
    const leader = await ScriptedSentinel.start(leading);
    const other = await ScriptedSentinel.start({ port: NEW, epoch: 1 });
    const third = await ScriptedSentinel.start({ port: NEW, epoch: 1 });
    const primary = asked(leader, other, third);
    expect(await primary()).toBe(NEW);
    other.says = third.says = { port: OLD, epoch: 0 };
    expect(await primary()).toBe(NEW);
    await Promise.all([other.stop(), third.stop()]);
    expect(await primary()).toBe(NEW);
    leader.says = { port: OLD, epoch: 2 };
    expect(await primary()).toBe(OLD);
  });

  it('costs no connection to the new server, whoever answers first', async () => {
    const [before, after] = [await owned(startRedis(), cleanUps), await owned(startRedis(), cleanUps)];
    const leader = await ScriptedSentinel.start({ ...leading, port: before.port }, 0, 100);
    const others = [
      await ScriptedSentinel.start({ port: after.port, epoch: 1 }, 50),
      await ScriptedSentinel.start({ port: after.port, epoch: 1 }, 50),
    ];
    const credentials = asking(leader, ...others);
    const store = openStore({ kind: 'redis', credentials }, { keepConnected: true });
    cleanUps.push(() => store.close());
    let connections = 0;
    store.onReady(() => connections++);
    await store.ready();
    while (leader.questions < 5) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      await store.setJson('examples/here', 1, 60_000);
    }
    expect(connections).toBe(1);
    expect(await admin(after, 'EXISTS examples/here')).toContain(':1');
    expect(await admin(before, 'EXISTS examples/here')).toContain(':0');
  }, 20_000);
});
