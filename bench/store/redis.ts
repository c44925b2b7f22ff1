import { createClient } from 'redis';
import { startRedis, type RedisServer } from '../../test/support/redisServer';
import { readRedisSettings, type RedisSettings } from '../../src/store/redis/redisSettings';

/** A Redis of this run's own, on a port of its own, and a plain connection to look into it. */
export interface BenchRedis {
  readonly server: RedisServer;
  readonly settings: RedisSettings;
  readonly plain: PlainClient;
  /** A line of INFO as text; empty where there is none. */
  info(section: string, field: string): Promise<string>;
  /** Processor time that the server has used, microseconds. */
  cpuUs(): Promise<number>;
  close(): Promise<void>;
}

export type PlainClient = Awaited<ReturnType<typeof connectPlain>>;

/** The client library as it comes, without this package's code around it. */
export async function connectPlain(url: string) {
  const client = createClient({ RESP: 2, url, socket: { reconnectStrategy: false } });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export async function startBenchRedis(config: readonly string[] = []): Promise<BenchRedis> {
  const server = await startRedis({ config });
  const plain = await connectPlain(server.url);
  const info = async (section: string, field: string): Promise<string> => {
    const line = (await plain.info(section)).split('\r\n').find((text) => text.startsWith(`${field}:`));
    return line?.slice(field.length + 1) ?? '';
  };
  return {
    server,
    settings: settingsOf(server.port),
    plain,
    info,
    async cpuUs() {
      const text = await plain.info('cpu');
      const seconds = (field: string) => Number(new RegExp(`^${field}:([0-9.]+)`, 'm').exec(text)?.[1]);
      return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
    },
    async close() {
      if (plain.isOpen) plain.destroy();
      await server.stop();
    },
  };
}

export function settingsOf(port: number): RedisSettings {
  return readRedisSettings({ host: '127.0.0.1', port });
}
