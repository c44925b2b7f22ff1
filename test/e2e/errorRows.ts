import type { FaultKind } from '../../exchange';
import { bulk, type FailingServers, soundRedis } from './failingServers';

/** The ways in which an error reaches a user. */
export const WAYS = ['publish', 'test run', 'production', 'continue', 'error output', 'tool'] as const;
export type Way = (typeof WAYS)[number];

/** What makes a node fail. Each also says what the message must name besides cause, code and remedy. */
export interface Provocation {
  /** The server, the field or the symbol that the message names. */
  readonly names: string | RegExp;
  /** Fields of the node, flat; the options are among them. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The Order Flow Redis credential; the embedded store without. */
  readonly redis?: Readonly<Record<string, unknown>>;
  /** A test run is one of the trigger; else of the action. */
  readonly ofTrigger?: boolean;
  /** It fails where others ask as well. */
  readonly crowded?: boolean;
}

/** For each way: how it is provoked, or why it cannot be met there. */
export type Row = Readonly<Record<Way, Provocation | string>>;

interface Servers {
  readonly failing: FailingServers;
  readonly certificate: { readonly cert: Buffer; readonly key: Buffer };
  /** A stand-in exchange with a fault that lasts. @returns its base URLs */
  exchange(fault?: { readonly kind: FaultKind; [field: string]: unknown }): Promise<Record<string, string>>;
}

const NOT_AT_START =
  'a start does not fail for what may pass: the feed tries again, and its status and log say why';
const NOT_IN_A_CHECK = 'a check opens no stream';
const PASSES = 'the feed mends it within moments and goes on; its status and log name it meanwhile';

const TAKES_MINUTES = 'a turn that does not come is waited for in each way alike, for more than a minute';

const everywhere = (publish: Provocation | string, action: Provocation | string): Row => ({
  ...{ publish, 'test run': action, production: action },
  ...{ continue: action, 'error output': action, tool: action },
});
/** Only a trigger has it: a test run of the trigger waits for its book and then says why there is none. */
const ofAFeed = (testRun: Provocation | string, publish: string = NOT_AT_START): Row => ({
  ...everywhere(publish, NOT_IN_A_CHECK),
  'test run': testRun,
});
const nowhere = (reason: string): Row => everywhere(reason, reason);

/** Every code's row. One for a code that the catalogue does not have is of no effect. */
export async function errorRows(servers: Servers): Promise<Readonly<Record<string, Row>>> {
  const { failing, certificate } = servers;
  const refusing = await failing.refusing();
  const healthy = await servers.exchange();
  const rest = (address: string, fields: object = {}, scheme = 'http'): Provocation => ({
    ...{ names: address, fields: { restBaseUrl: `${scheme}://${address}`, ...fields } },
  });
  const atExchange = (asked: Provocation, publish: Provocation | string = NOT_AT_START) =>
    everywhere(publish, asked);
  const asksToWait = (asked: Provocation): Row => {
    const item = 'a check that would stop gives an item on No Signal instead, which says how long to wait';
    return { ...atExchange(asked), 'test run': item, production: item };
  };
  const refusedForGood = (asked: Provocation) => everywhere(asked, asked);
  const onRedis = (address: string, credential: object = {}): Provocation => {
    const [host, port] = address.split(':');
    return {
      names: address,
      fields: { ...healthy, source: 'store' },
      redis: { host, port: Number(port), ...credential },
    };
  };
  const redisSaying = async (reply: string): Promise<Row> => {
    const asked = onRedis(await failing.redis(() => `-${reply}\r\n`));
    return everywhere(asked, asked);
  };
  /** A record at the key of a trigger, or the state of a check that tells changes. */
  const redisHolding = async (marked: string, state: string | null, reason = ''): Promise<Row> => {
    const held = (command: readonly string[]) => {
      if (/^EVAL/i.test(command[0])) return bulk(marked);
      return command[0].toUpperCase() === 'GETRANGE' ? bulk(state ?? '') : undefined;
    };
    const asked = onRedis(await failing.redis(soundRedis(held)));
    const named = { ...asked, names: /examples\/btcusdt-\w+/i };
    const check = {
      ...{ source: 'item', emit: 'change', market: 'spot', symbol: 'BTCUSDT' },
      ...{ bids: [['1', '9']], asks: [['2', '1']] },
    };
    const row = everywhere(named, state === null ? reason : { ...named, fields: check });
    return { ...row, tool: 'a tool call has no incoming item whose book could be judged' };
  };
  const feed = async (kind: FaultKind, more: object = {}): Promise<Provocation> => {
    const fields = await servers.exchange({ kind, ...more });
    return { names: /127\.0\.0\.1:\d+|BTCUSDT/, fields, ofTrigger: true };
  };

  const unknown: Provocation = { names: 'NOPEUSDT', fields: { ...healthy, symbols: 'NOPEUSDT' } };
  const html = { 'content-type': 'text/html' };
  const record = 'a book whose record is not usable is an item of its own on No Signal that says so';
  return {
    OF_PARAMETER: everywhere(
      { names: 'Levels must be a whole number from 1 to 5000', fields: { ...healthy, levels: 0 } },
      { names: 'Levels must be a whole number from 1 to 5000', fields: { ...healthy, levels: 0 } },
    ),
    OF_BASE_URL: refusedForGood({ names: 'REST Base URL', fields: { restBaseUrl: 'ftp://example' } }),
    OF_QUEUE_MODE_NEEDS_REDIS: nowhere('needs an n8n in queue mode: stores.test.ts has one'),
    OF_UNKNOWN_SYMBOL: refusedForGood(unknown),
    OF_CONTRACT_CLOSED: everywhere(
      'a start asks for the list of symbols, which a closed contract is in; its books then give no signal',
      rest(await failing.status(400, '{"code":-4108,"msg":"Symbol is on delivering or delivered."}')),
    ),
    OF_WRONG_ADDRESS: refusedForGood(rest(await failing.status(404, '<html>404</html>', html))),
    OF_RESTRICTED_LOCATION: refusedForGood(rest(await failing.status(451, '{"code":0,"msg":"restricted"}'))),
    OF_FIREWALL: atExchange(rest(await failing.status(403, '<html></html>', html))),
    OF_RATE_LIMITED: asksToWait(
      rest(await failing.status(429, '{"code":-1003,"msg":"Too many."}', { 'retry-after': '90' })),
    ),
    OF_BANNED: asksToWait(
      rest(await failing.status(418, '{"code":-1003,"msg":"Banned."}', { 'retry-after': '90' })),
    ),
    OF_WEIGHT_EXHAUSTED: {
      ...asksToWait({
        ...rest(
          await failing.status(200, '{"lastUpdateId":1,"bids":[["1","1"]],"asks":[["2","1"]]}', {
            'x-mbx-used-weight-1m': '1000000',
          }),
        ),
        crowded: true,
      }),
      ...{ 'error output': TAKES_MINUTES, tool: TAKES_MINUTES },
    },
    OF_HTTP_STATUS: atExchange(rest(await failing.status(502, '<html>Bad Gateway</html>', html))),
    OF_HTTP_REDIRECT: refusedForGood(
      rest(await failing.status(302, '', { location: 'http://127.0.0.2:9/' })),
    ),
    OF_BAD_RESPONSE: atExchange(rest(await failing.status(200, '{"lastUpdateId":"soon"}'))),
    OF_RESPONSE_TOO_LARGE: atExchange(rest(await failing.status(200, '9'.repeat(5 * 1024 * 1024)))),
    // A server for each of the slow ways: the requests to one host wait for one another.
    OF_TIMEOUT: {
      ...atExchange(rest(await failing.http(() => undefined))),
      'test run': rest(await failing.http(() => undefined)),
      tool: rest(await failing.http(() => undefined)),
    },
    OF_CONNECT: atExchange(rest(refusing)),
    OF_DNS: atExchange(rest('dns.invalid')),
    OF_TLS: refusedForGood(rest(await failing.http(() => undefined, certificate), {}, 'https')),
    // The environment of this n8n names proxies: see errors.test.ts.
    OF_PROXY: atExchange({ ...rest('broken.invalid'), names: /127\.0\.0\.1:\d+/ }),
    OF_PROXY_AUTH: refusedForGood({ ...rest('locked.invalid'), names: /127\.0\.0\.1:\d+/ }),
    OF_PROXY_SETTING: refusedForGood({ ...rest('any.invalid', {}, 'https'), names: 'socks5:' }),

    OF_FRAME_INVALID: ofAFeed(PASSES),
    OF_FRAME_TOO_LARGE: ofAFeed(PASSES),
    OF_STREAM_REFUSED: ofAFeed(await feed('refuseUpgrade', { status: 500 })),
    OF_SYMBOL_REFUSED: ofAFeed(await feed('refuseStream')),
    OF_STREAM_CLOSED: ofAFeed(PASSES),
    OF_STREAM_DEAD: ofAFeed(PASSES),
    OF_STREAM_SILENT: ofAFeed(
      'a symbol that is quiet from its start is live; a test run has ended before this is known',
    ),
    OF_SEQUENCE_GAP: ofAFeed(PASSES),
    OF_BOOK_BROKEN: ofAFeed(await feed('crossed')),
    OF_SNAPSHOT_STALE: ofAFeed(await feed('staleSnapshot')),
    OF_SYNC_TIMEOUT: ofAFeed(await feed('rest', { mode: 'hang', path: 'depth' })),

    OF_REDIS_CONNECT: everywhere(onRedis(refusing), onRedis(refusing)),
    OF_REDIS_AUTH: await redisSaying('WRONGPASS invalid username-password pair'),
    OF_REDIS_PERMISSION: await redisSaying('NOPERM this user has no permissions'),
    OF_REDIS_WRONG_TYPE: await redisSaying(
      'WRONGTYPE Operation against a key holding the wrong kind of value',
    ),
    OF_REDIS_MEMORY: await redisSaying("OOM command not allowed when used memory > 'maxmemory'."),
    OF_REDIS_READ_ONLY: await redisSaying("READONLY You can't write against a read only replica."),
    OF_REDIS_DISK: await redisSaying('MISCONF Redis is configured to save RDB snapshots'),
    OF_REDIS_TIMEOUT: everywhere(
      onRedis(await failing.redis(() => null)),
      onRedis(await failing.redis(() => null)),
    ),
    OF_REDIS_ERROR: await redisSaying('ERR something odd.'),
    OF_REDIS_CREDENTIAL: everywhere(
      { ...onRedis(refusing, { host: '' }), names: 'Host is empty' },
      { ...onRedis(refusing, { host: '' }), names: 'Host is empty' },
    ),
    OF_REDIS_PROTECTED: await redisSaying('DENIED Redis is running in protected mode'),
    OF_REDIS_TLS: nowhere('needs a Redis with TLS: the integration tests have one'),
    OF_REDIS_CLIENT_CERTIFICATE: nowhere('needs a Redis with TLS: the integration tests have one'),
    OF_REDIS_MASTER_NAME: nowhere('needs a Sentinel: the integration tests have one'),
    OF_REDIS_SENTINEL: nowhere('needs a Sentinel: the integration tests have one'),
    OF_REDIS_CLUSTER: await redisSaying('MOVED 3999 127.0.0.1:6381'),
    OF_REDIS_CLUSTER_DOWN: await redisSaying('CLUSTERDOWN The cluster is down'),
    OF_REDIS_BUSY: await redisSaying('LOADING Redis is loading the dataset in memory'),
    OF_REDIS_DATABASE: await redisSaying('ERR DB index is out of range'),
    OF_REDIS_COMMAND: await redisSaying("ERR unknown command 'TIME'"),
    OF_REDIS_NO_REPLICAS: await redisSaying('NOREPLICAS Not enough good replicas to write.'),

    OF_RECORD_INVALID: await redisHolding('foreign:0', 'not ours'),
    OF_RECORD_VERSION: await redisHolding('version:9', null, record),
    OF_RECORD_TOO_LARGE: {
      ...(await redisHolding('foreign:0', '9'.repeat(200_000))),
      publish: 'a start looks at the head of the record only',
    },

    OF_EXECUTION_TIMEOUT: nowhere('the trigger goes on without the execution; a line in the log says so'),
    OF_ITEM_INVALID: everywhere('a trigger has no incoming item', {
      ...{ names: '"bids"', fields: { source: 'item', bids: 'none', asks: [] } },
    }),
    OF_RECORDING: nowhere('only the replay of a recording reads one; no node does'),
    OF_CHART: nowhere(
      'nothing that a user can enter makes a drawing fail: test/integration/charts.test.ts ends, breaks and hangs its thread',
    ),
    OF_INTERNAL: nowhere('a fault of the package itself, which no input brings about'),
  };
}
