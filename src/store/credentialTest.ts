import { isOrderFlowError, OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { monotonicMs } from '../runtime/time';
import { CONNECT_TIMEOUT_MS, readRedisSettings } from './redisClient';
import { RedisSession } from './redisSession';

/** Oldest Redis that the store is made for and tested under. */
export const OLDEST_REDIS: readonly [major: number, minor: number] = [6, 2];

export interface CredentialTestResult {
  readonly status: 'OK' | 'Error';
  readonly message: string;
}

/**
 * Makes a real connection with the values of an Order Flow Redis credential, within 5 seconds, and looks whether the
 * server fits. n8n's dialog shows a message only with `Error`, so what the user must see comes as one, and says that
 * the connection works. Never rejects.
 */
export async function testRedisCredential(credentials: unknown): Promise<CredentialTestResult> {
  const end = monotonicMs() + CONNECT_TIMEOUT_MS;
  let session: RedisSession | null = null;
  try {
    const settings = readRedisSettings(credentials);
    // Opening has the same limit of its own, and knows best what it waited for.
    session = await RedisSession.open(settings, new AbortController().signal, () => undefined);
    return judge(await serverInfo(session, end - monotonicMs()));
  } catch (error) {
    const { message, remedy } = toOrderFlowError(error);
    return { status: 'Error', message: `${message}. ${remedy}` };
  } finally {
    session?.destroy();
  }
}

/** The server's answer to INFO, or null where the user may not ask. */
async function serverInfo(
  session: RedisSession,
  withinMs: number,
): Promise<ReadonlyMap<string, string> | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = () => reject(new OrderFlowError('OF_REDIS_TIMEOUT', 'INFO was not answered'));
    timer = setTimeout(fail, withinMs);
  });
  try {
    const text = String(await Promise.race([session.command(['INFO']), late]));
    const lines = text.split('\r\n').map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)];
    });
    return new Map(lines);
  } catch (error) {
    if (isOrderFlowError(error) && error.code === 'OF_REDIS_PERMISSION') return null;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function judge(info: ReadonlyMap<string, string> | null): CredentialTestResult {
  if (info === null) {
    return {
      status: 'OK',
      message: 'Connected. Version and eviction policy are unknown: the user may not run INFO.',
    };
  }
  const faults: string[] = [];
  const notes: string[] = [];
  const version = info.get('redis_version') ?? 'of unknown version';
  const [major, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST_REDIS[0] || (major === OLDEST_REDIS[0] && minor < OLDEST_REDIS[1])) {
    faults.push(`the server is Redis ${version}; ${OLDEST_REDIS.join('.')} or later is needed`);
  }
  if (info.get('role') === 'slave') {
    faults.push('the server is a replica and takes no writes; point the credential at the primary server');
  }
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  if (policy !== 'noeviction') {
    const limited = (info.get('maxmemory') ?? '0') !== '0';
    const what = `maxmemory-policy is ${policy}`;
    if (limited)
      faults.push(
        `${what}: when memory is full the server evicts snapshots and alert states; set it to noeviction`,
      );
    else notes.push(`${what}; no maxmemory is set, so nothing is evicted as it is`);
  }
  if (faults.length > 0)
    return { status: 'Error', message: `The connection works, but ${[...faults, ...notes].join('; and ')}.` };
  return {
    status: 'OK',
    message: `Connected to Redis ${version}${notes.map((note) => `; ${note}`).join('')}.`,
  };
}
