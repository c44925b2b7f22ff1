import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { BookContent, SaveRequest, WriterRole } from '../../src/store/types';
import { type RedisServer, type RedisServerOptions, startRedis } from './redisServer';

/** A small true-looking book whose levels tell its update id, so that a torn record shows. */
export function content(lastUpdateId: number, over: Partial<BookContent> = {}): BookContent {
  return {
    lastUpdateId,
    levels: 2,
    market: 'spot',
    symbol: 'BTCUSDT',
    eventTimeMs: 1_700_000_000_000,
    receivedAtMs: 1_700_000_000_005,
    bidsComplete: false,
    asksComplete: true,
    resyncs: 0,
    updateSpeedMs: 100,
    bids: [
      ['100.5', `${lastUpdateId}.25`],
      ['99', '2'],
    ],
    asks: [['101', `${lastUpdateId}.5`]],
    ...over,
  };
}

export function request(
  role: WriterRole,
  epoch: number,
  lastUpdateId: number,
  over: Partial<SaveRequest> = {},
): SaveRequest {
  return { role, epoch, liveAgeMs: 0, ttlMs: 60_000, content: content(lastUpdateId), ...over };
}

/** The administrator of every Redis of the tests. */
export const ADMIN = 'user default on nopass ~* &* +@all';
/** Whom docs/STORE.md recommends to make. */
export const LIMITED_USER = { user: 'orderflow', password: 'limited-9f2c' } as const;

/** The very line that the document recommends, so that it is this line that is proven. */
export function documentedRights(password: string): string {
  const text = readFileSync(join(__dirname, '../../docs/STORE.md'), 'utf8');
  const [line] = /^user orderflow on .*$/m.exec(text) ?? [''];
  if (!line.includes(' >PASSWORD ')) throw new Error(`docs/STORE.md recommends no user: ${line}`);
  return line.replace('>PASSWORD', `>${password}`);
}

const limited = new WeakMap<RedisServer, Record<string, unknown>>();

/**
 * A Redis whose `credentialsOf` are of the user that the document recommends: the tests of the store run under it.
 * @param more rights that the document names for what not everybody does, for example `+select`
 */
export async function startLimitedRedis(
  options: Omit<RedisServerOptions, 'acl' | 'requirepass'> & { readonly more?: string } = {},
): Promise<RedisServer> {
  const { more = '', ...rest } = options;
  const acl = [ADMIN, `${documentedRights(LIMITED_USER.password)} ${more}`.trim()];
  const server = await startRedis({ ...rest, acl });
  limited.set(server, LIMITED_USER);
  return server;
}

export function credentialsOf(
  server: RedisServer,
  over: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    host: server.host,
    port: server.port,
    user: '',
    password: '',
    database: 0,
    tls: false,
    ca: '',
    ...limited.get(server),
    ...over,
  };
}

/** Sends a line of the Redis protocol as an administrator would, over a connection of its own. */
export function admin(server: RedisServer, ...lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, server.host, () => socket.end(`${lines.join('\r\n')}\r\nQUIT\r\n`));
    let reply = '';
    socket.on('data', (chunk: Buffer) => (reply += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(reply));
  });
}

/** Tries until it succeeds; rejects with the last failure. */
export async function eventually<T>(attempt: () => Promise<T>, limitMs = 8_000): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
