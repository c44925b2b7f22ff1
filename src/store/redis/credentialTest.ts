import { randomBytes } from 'node:crypto';
import { explained, isOrderFlowError, OrderFlowError, toOrderFlowError } from '../../runtime/errors';
import type { SampleContent } from '../../history/sample';
import { inTime, monotonicMs } from '../../runtime/time';
import type { SaveRequest } from '../types';
import { CONNECT_TIMEOUT_MS } from './redisClient';
import { readRedisSettings, serverName } from './redisSettings';
import { RedisStore } from './redisStore';

/** Oldest Redis that the store is made for and tested under. */
const OLDEST_REDIS: readonly [major: number, minor: number] = [6, 2];
/** When what the test writes expires, milliseconds: no right to delete is needed. */
const TEST_TTL_MS = 10_000;
/** Three keys in three thirds of a cluster's slots: one node alone does not have them all. */
const SPREAD = ['n', 'c', 'a'];

export interface CredentialTestResult {
  readonly status: 'OK' | 'Error';
  readonly message: string;
}

/**
 * Connects with the values of an Order Flow Redis credential and does, with separate keys, what the nodes will do:
 * write by script, read, keep results and alert states, publish. All within 5 seconds; never rejects.
 * n8n's dialog shows a message only with `Error`, under "Couldn't connect", so a warning alone is `OK`.
 */
export async function testRedisCredential(credentials: unknown): Promise<CredentialTestResult> {
  const end = monotonicMs() + CONNECT_TIMEOUT_MS;
  let store: RedisStore | null = null;
  try {
    const settings = readRedisSettings(credentials);
    store = new RedisStore(settings, { ownConnection: true });
    // Opening has the same limit itself, and its error says best what it waited for.
    await store.ready();
    const late = new OrderFlowError('OF_REDIS_TIMEOUT', `${serverName(settings)} did not answer everything`);
    const refusals = await within(end, tryEverything(store), late);
    const history = refusals.length > 0 ? null : await within(end, tryHistory(store), late);
    const info = await within(end, serverInfo(store), late).catch(() => null);
    return judge(refusals, info, history);
  } catch (error) {
    return { status: 'Error', message: explained(toOrderFlowError(error)) };
  } finally {
    await store?.close();
  }
}

function within<T>(end: number, work: Promise<T>, late: OrderFlowError): Promise<T> {
  return inTime(work, Math.max(0, end - monotonicMs()), () => late);
}

/** One thing that the nodes do, and why it could not be done. */
interface Refusal {
  readonly act: string;
  readonly error: OrderFlowError;
}

async function tryEverything(store: RedisStore): Promise<Refusal[]> {
  // Under names that the rights in docs/STORE.md allow.
  const name = `credential-test-${randomBytes(6).toString('hex')}`;
  const key = `examples/${name}`;
  const acts: ReadonlyArray<readonly [act: string, () => Promise<unknown>]> = [
    ['running scripts', () => Promise.all(SPREAD.map((one) => store.probe(`examples/{${one}}-${name}`)))],
    ['writing an order book', () => writeBook(store, `${key}-orderbook`)],
    ['reading an order book', () => readBook(store, `${key}-orderbook`)],
    ['keeping an alert state', () => store.storeState(`${key}-gate`, TEST_STATE)],
    ['writing a result', () => store.setJson(`${key}-imbalance`, null, TEST_TTL_MS)],
    ['publishing depth events', () => store.publish(`${name}-depth`, 'null')],
    ['publishing results', () => store.publish(`${name}-imbalance`, 'null')],
  ];
  const refusals: Refusal[] = [];
  for (const [act, attempt] of acts) {
    const error = await attempt().then(() => null, toOrderFlowError);
    if (error === null) continue;
    refusals.push({ act, error });
    // Only a right may be missing here and not there.
    if (error.code !== 'OF_REDIS_PERMISSION') break;
  }
  return refusals;
}

const TEST_STATE = { value: null, expectedVersion: 0, ttlMs: TEST_TTL_MS };

async function writeBook(store: RedisStore, key: string): Promise<void> {
  const content: SaveRequest['content'] = {
    ...{ lastUpdateId: 1, levels: 1, market: 'spot', symbol: 'TEST', eventTimeMs: null, receivedAtMs: 0 },
    ...{ bidsComplete: true, asksComplete: true, resyncs: 0, updateSpeedMs: 100, bids: [], asks: [] },
  };
  const request = { role: 'claim', epoch: 0, liveAgeMs: 0, ttlMs: TEST_TTL_MS, content } as const;
  const { epoch } = await store.save(key, request);
  await store.heartbeat(key, { epoch, lastUpdateId: 1, liveAgeMs: 0, ttlMs: TEST_TTL_MS });
  await store.mark(key, epoch, 'stopped');
}

async function readBook(store: RedisStore, key: string): Promise<void> {
  const [book] = await store.readBooks([key]);
  if (isOrderFlowError(book)) throw book;
}

/** What only the history needs, which a user of before 0.2.0 may lack: why it cannot be kept; null where it can. */
async function tryHistory(store: RedisStore): Promise<OrderFlowError | null> {
  const key = `examples/credential-test-${randomBytes(6).toString('hex')}-history`;
  const request = { epoch: 1, sample: TEST_SAMPLE, ageMs: 0, forMs: TEST_TTL_MS };
  return store.history.append(key, request).then(() => null, toOrderFlowError);
}

const TEST_SAMPLE: SampleContent = {
  ...{ lastUpdateId: null, mid: null, spread: null, imbalancePercent: null, meanImbalancePercent60s: null },
  ...{ smoothedPercent: null, signal: null, reason: null, gateSignal: null, gateState: null },
  ...{ resyncs: 0, alerts: 0, began: true, everyMs: TEST_TTL_MS },
  ...{ measure: 'notional', depth: 1, threshold: 0, recoveryThreshold: null },
};

type ServerInfo = ReadonlyMap<string, string>;

/** The server's answer to INFO, or null where it is refused, unknown, or something else. */
async function serverInfo(store: RedisStore): Promise<ServerInfo | null> {
  const text = String(await store.info());
  const lines = text.split('\r\n').map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1)];
  });
  const info = new Map(lines);
  return info.has('redis_version') ? info : null;
}

function judge(
  refusals: readonly Refusal[],
  info: ServerInfo | null,
  history: OrderFlowError | null,
): CredentialTestResult {
  const faults = [tooOld(info), ...refused(refusals)].filter((fault) => fault !== '');
  if (faults.length > 0) return { status: 'Error', message: `The connection works. ${faults.join(' ')}` };
  const server = info === null ? 'Redis' : `Redis ${info.get('redis_version') ?? ''}`;
  const notes = [
    info === null
      ? 'Version and eviction policy are unknown, since INFO gives no answer.'
      : evictionNote(info),
    foreignKeys(refusals)
      ? 'The user may not touch keys under examples/, so writing was not tried; the Key Prefix of the nodes has to be one that it may use.'
      : '',
    history === null
      ? ''
      : `The history of symbols cannot be kept, and all else works: ${explained(history)} It needs +xadd +xlen +xrevrange.`,
  ];
  return {
    status: 'OK',
    message: [`Connected to ${server}.`, ...notes.filter((note) => note !== '')].join(' '),
  };
}

function tooOld(info: ServerInfo | null): string {
  if (info === null) return '';
  const version = info.get('redis_version') ?? '';
  const [major, minor = 0] = version.split('.').map(Number);
  const old = major < OLDEST_REDIS[0] || (major === OLDEST_REDIS[0] && minor < OLDEST_REDIS[1]);
  return old ? `The server is Redis ${version}; ${OLDEST_REDIS.join('.')} or later is needed.` : '';
}

/** A user whose Key Prefix is another may use the commands, but not the test's keys: that is no fault. */
function foreignKeys(refusals: readonly Refusal[]): boolean {
  return refusals.some(({ error }) => isAboutKeys(error));
}

const isAboutKeys = (error: OrderFlowError): boolean =>
  error.code === 'OF_REDIS_PERMISSION' && /permissions to access (a|one of the) keys?/i.test(error.message);

function refused(refusals: readonly Refusal[]): string[] {
  const counted = refusals.filter(({ error }) => !isAboutKeys(error));
  if (counted.length === 0) return [];
  const [{ error }] = counted;
  if (error.code !== 'OF_REDIS_PERMISSION') return [explained(error)];
  const acts = counted.map((one) => `${one.act} (${missingRight(one.error)})`);
  return [`The user is not allowed: ${acts.join(', ')} [${error.code}]. ${error.remedy}`];
}

/** What is missing, as Redis names it: "NOPERM this user has no permissions to run the 'set' command". */
function missingRight({ message }: OrderFlowError): string {
  if (/executing the script/.test(message)) return `one of ${SCRIPT_RIGHTS}, which the script uses`;
  return /'[^']+' command|channel/i.exec(message)?.[0] ?? 'a right';
}
/** Redis does not say which command of a script it refuses. */
const SCRIPT_RIGHTS = '+get +getrange +set +setrange +pexpire +time';

function evictionNote(info: ServerInfo): string {
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  if (policy === 'noeviction') return '';
  return (info.get('maxmemory') ?? '0') === '0'
    ? `maxmemory-policy is ${policy}; no maxmemory is set, so nothing is evicted as it is.`
    : `maxmemory-policy is ${policy}: when memory is full the server evicts snapshots and alert states; set it to noeviction.`;
}
