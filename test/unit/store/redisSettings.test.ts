import { OrderFlowRedisApi } from '../../../credentials/OrderFlowRedisApi.credentials';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { ERROR_CATALOGUE } from '../../../src/runtime/errorCatalogue';
import { checkPrefix, gateKey, storeKeys, storeTopics } from '../../../src/store/keys';
import { readRedisSettings, redisIdentity } from '../../../src/store/redis/redisSettings';
import { toRedisError } from '../../../src/store/redis/redisErrors';
import { CertificateWorkshop } from '../../support/certificates';

test.each([
  ['single', 'host'],
  ['sentinel', 'nodes'],
  ['cluster', 'nodes'],
])(
  'the credential of topology %s shows the field %s, from which its addresses are read',
  (topology, name) => {
    const field = new OrderFlowRedisApi().properties.find((property) => property.name === name);
    expect(field?.displayOptions?.show?.topology).toContain(topology);
    expect(() => readRedisSettings({ topology, [name]: '' })).toThrow(
      new RegExp(`${field?.displayName} is empty`),
    );
  },
);

const CREDENTIAL = {
  host: ' redis.example ',
  port: 6380,
  user: 'u',
  password: 'p',
  database: 2,
  tls: true,
  ca: '',
  tlsServerName: '',
};

describe('the values of a Redis credential', () => {
  it('are taken as n8n hands them over', () => {
    expect(readRedisSettings(CREDENTIAL)).toEqual({
      ...CREDENTIAL,
      ...{ host: 'redis.example', topology: 'single', nodes: [] },
      sentinel: { master: 'mymaster', user: '', password: '' },
      clientCertificate: '',
      clientKey: '',
    });
    expect(readRedisSettings({ host: '::1', port: '6379' })).toMatchObject({
      host: '::1',
      port: 6379,
      database: 0,
      tls: false,
    });
  });

  it.each([
    ['no values', undefined],
    ['no host', { host: ' ' }],
    ['a URL of another kind as host', { host: 'http://h' }],
    ['a URL with parameters as host', { host: 'redis://h?protocol=3' }],
    ['an unknown topology', { host: 'h', topology: 'ring' }],
    ['Sentinels without an address', { topology: 'sentinel', host: 'h' }],
    ['Sentinels at a URL', { topology: 'sentinel', nodes: 'redis://h' }],
    ['a Sentinel at an impossible port', { topology: 'sentinel', nodes: 'h:70000' }],
    ['a cluster and a database', { topology: 'cluster', nodes: 'h', database: 1 }],
    ['a path as host', { host: 'h/0' }],
    ['a port in the host', { host: 'h:6379' }],
    ['a port behind brackets', { host: '[::1]:6379' }],
    ['brackets around a name', { host: '[h:1]' }],
    ['another user in the URL than in the field', { host: 'redis://a@h', user: 'b' }],
    ['another password in the URL than in the field', { host: 'redis://:a@h', password: 'b' }],
    ['a port in the URL that is too great', { host: 'redis://h:70000' }],
    ['a host with a line break', { host: 'h\r\nFLUSHALL' }],
    ['port 0', { host: 'h', port: 0 }],
    ['a port too great', { host: 'h', port: 65_536 }],
    ['a port that is no number', { host: 'h', port: '6379x' }],
    ['a negative database', { host: 'h', database: -1 }],
    ['a password that is no text', { host: 'h', password: 5 }],
    ['an authority that is none', { host: 'h', tls: true, ca: 'secret' }],
    ['a server name that is an address with a port', { host: 'h', tls: true, tlsServerName: 'h:6379' }],
    ['a client certificate without its key', { host: 'h', tls: true, clientCertificate: 'x' }],
    ['a client key without its certificate', { host: 'h', tls: true, clientPrivateKey: 'x' }],
    [
      'a client certificate that is none',
      { host: 'h', tls: true, clientCertificate: 'x', clientPrivateKey: 'x' },
    ],
    [
      'a client key with a passphrase',
      {
        host: 'h',
        tls: true,
        clientCertificate: 'x',
        clientPrivateKey: '-----BEGIN ENCRYPTED PRIVATE KEY-----',
      },
    ],
  ])('are refused with %s', (_, values) => {
    expect(() => readRedisSettings(values)).toThrow(expect.objectContaining({ code: 'OF_REDIS_CREDENTIAL' }));
  });

  it.each([
    ['[::1]', { host: '::1' }],
    ['::1', { host: '::1' }],
    ['fe80::1%eth0', { host: 'fe80::1%eth0' }],
    ['localhost.', { host: 'localhost' }],
    ['redis://h', { host: 'h', port: 6379, tls: false, database: 0 }],
    ['redis://h:7000/3', { host: 'h', port: 7000, tls: false, database: 3 }],
    [
      'rediss://me:pass@h.example.:7000/',
      { host: 'h.example', port: 7000, tls: true, user: 'me', password: 'pass' },
    ],
    ['redis://:p%40ss%2Fw@[::1]:1', { host: '::1', port: 1, user: '', password: 'p@ss/w' }],
    // What must not be in a URL, but is in practice.
    ['redis://:p@ss/w#?%zz@h', { host: 'h', user: '', password: 'p@ss/w#?%zz' }],
    ['VALKEYS://h', { host: 'h', tls: true }],
  ])('take the host %s apart', (host, expected) => {
    expect(readRedisSettings({ host })).toMatchObject(expected);
  });

  it('take a list of Sentinels, each with its port or the usual one', () => {
    const nodes = ' s-1:1, [::1]:2;s-3\n::1 ';
    expect(() => readRedisSettings({ topology: 'sentinel', nodes })).toThrow('host:port');
    const values = {
      topology: 'sentinel',
      nodes: ' s-1:1, [::1]:2;s-3\n[::1] ',
      sentinelUser: 'a',
      database: 2,
    };
    expect(readRedisSettings(values)).toMatchObject({
      nodes: [
        ...[
          { host: 's-1', port: 1 },
          { host: '::1', port: 2 },
        ],
        ...[
          { host: 's-3', port: 26_379 },
          { host: '::1', port: 26_379 },
        ],
      ],
      ...{ host: 's-1', port: 1, database: 2 },
      sentinel: { master: 'mymaster', user: 'a', password: '' },
    });
  });

  it('complete a URL by the fields, and accept what is in both', () => {
    const fields = { host: 'redis://me@h', port: 7000, user: 'me', password: 'p', database: 2, tls: true };
    expect(readRedisSettings(fields)).toMatchObject({ ...fields, host: 'h' });
  });

  it.each([
    'redis://me:S3cret!@',
    'redis://me:S3cret!@h:x',
    'http://me:S3cret!@h',
    'me:S3cret!@h',
    'S3cret!:1',
  ])('show nothing of the host %s that they refuse', (host) => {
    let message = '';
    try {
      readRedisSettings({ host });
    } catch (error) {
      message = inspect(error, { depth: 9, showHidden: true });
    }
    expect(message).toContain('OF_REDIS_CREDENTIAL');
    expect(message).not.toContain('S3cret');
  });

  describe('with certificates', () => {
    const workshop = new CertificateWorkshop();
    afterAll(() => workshop.remove());
    const read = (file: string) => readFileSync(file, 'utf8').trim();

    it('take them as n8n hands them over, in one line too', () => {
      const ca = workshop.authority('ours').trim();
      const client = workshop.certificate('ours', 'client', 'DNS:client');
      const [clientCertificate, clientKey] = [read(client.certFile), read(client.keyFile)];
      const asTyped = (text: string) => [
        text,
        text.replaceAll('\n', ' '),
        text.replaceAll('\n', '\\n'),
        `${text}\n`,
      ];
      for (const i of [0, 1, 2, 3]) {
        const values = {
          ...{ host: 'h', tls: true, ca: asTyped(ca)[i] },
          ...{ clientCertificate: asTyped(clientCertificate)[i], clientPrivateKey: asTyped(clientKey)[i] },
        };
        expect(readRedisSettings(values)).toMatchObject({ ca, clientCertificate, clientKey });
      }
      const two = readRedisSettings({ host: 'h', tls: true, ca: `${ca}\n${ca}`.replaceAll('\n', ' ') }).ca;
      expect(two.match(/-----BEGIN CERTIFICATE-----\n/g)).toHaveLength(2);
    });

    it('refuse a key that belongs to another certificate', () => {
      workshop.authority('theirs');
      const [one, other] = ['one', 'other'].map((name) =>
        workshop.certificate('theirs', name, `DNS:${name}`),
      );
      const values = {
        ...{ host: 'h', tls: true },
        ...{ clientCertificate: read(one.certFile), clientPrivateKey: read(other.keyFile) },
      };
      expect(() => readRedisSettings(values)).toThrow('Client Key is not the key of Client Certificate');
    });
  });

  it('have an identity that tells places apart and says nothing about them', () => {
    const settings = readRedisSettings(CREDENTIAL);
    expect(redisIdentity(settings)).toBe(redisIdentity({ ...settings }));
    for (const other of [
      { host: 'b' },
      { port: 1 },
      { user: '' },
      { password: 'q' },
      { database: 3 },
      { tls: false },
      { ca: 'x' },
      { topology: 'sentinel' as const },
      { nodes: [{ host: 'b', port: 1 }] },
      { tlsServerName: 'x' },
      { clientCertificate: 'x' },
      { clientKey: 'x' },
    ]) {
      expect(redisIdentity({ ...settings, ...other })).not.toBe(redisIdentity(settings));
    }
    expect(redisIdentity(settings)).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('an error of Redis or its client', () => {
  const failure = (code: string, message = 'x') => Object.assign(new Error(message), { code });
  it.each([
    [new Error('WRONGPASS invalid username-password pair'), 'OF_REDIS_AUTH'],
    [new Error('NOAUTH Authentication required.'), 'OF_REDIS_AUTH'],
    [new Error("NOPERM this user has no permissions to run the 'set' command"), 'OF_REDIS_PERMISSION'],
    [
      new Error(
        "ERR The user executing the script can't run this command or subcommand script: f, on @user_script:4.",
      ),
      'OF_REDIS_PERMISSION',
    ],
    [
      new Error('ERR Error running script (call to f): @user_script:5: WRONGTYPE Operation against a key'),
      'OF_REDIS_WRONG_TYPE',
    ],
    [new Error('OOM command not allowed when used memory > maxmemory.'), 'OF_REDIS_MEMORY'],
    [
      new Error(
        "ERR Error running script: @user_script:5: -READONLY You can't write against a read only replica.",
      ),
      'OF_REDIS_READ_ONLY',
    ],
    [
      new Error('MISCONF Redis is configured to save RDB snapshots, but is unable to persist on disk.'),
      'OF_REDIS_DISK',
    ],
    [new Error('LOADING Redis is loading the dataset in memory'), 'OF_REDIS_BUSY'],
    [new Error('BUSY Redis is busy running a script.'), 'OF_REDIS_BUSY'],
    [new Error('DENIED Redis is running in protected mode because'), 'OF_REDIS_PROTECTED'],
    [new Error('NOREPLICAS Not enough good replicas to write.'), 'OF_REDIS_NO_REPLICAS'],
    [
      new Error("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
      'OF_REDIS_READ_ONLY',
    ],
    [new Error('MOVED 14156 127.0.0.1:7001'), 'OF_REDIS_CLUSTER'],
    [new Error('ASK 14156 127.0.0.1:7001'), 'OF_REDIS_CLUSTER'],
    [new Error("CROSSSLOT Keys in request don't hash to the same slot"), 'OF_REDIS_CLUSTER'],
    [new Error('ERR SELECT is not allowed in cluster mode'), 'OF_REDIS_CLUSTER'],
    [new Error('CLUSTERDOWN Hash slot not served'), 'OF_REDIS_CLUSTER_DOWN'],
    [new Error('TRYAGAIN Multiple keys request during rehashing of slot'), 'OF_REDIS_CLUSTER_DOWN'],
    [new Error('ERR DB index is out of range'), 'OF_REDIS_DATABASE'],
    [new Error("ERR unknown command 'EVALSHA', with args beginning with: 'x'"), 'OF_REDIS_COMMAND'],
    [
      new Error("ERR ACL failure in script: User x has no permissions to run the 'set' command"),
      'OF_REDIS_PERMISSION',
    ],
    [new Error('ERR max number of clients reached'), 'OF_REDIS_CONNECT'],
    [failure('ETIMEDOUT'), 'OF_REDIS_TIMEOUT'],
    [failure('ECONNREFUSED'), 'OF_REDIS_CONNECT'],
    [failure('ENOTFOUND'), 'OF_REDIS_CONNECT'],
    [failure('EAI_AGAIN'), 'OF_REDIS_CONNECT'],
    [failure('DEPTH_ZERO_SELF_SIGNED_CERT'), 'OF_TLS'],
    [failure('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'OF_TLS'],
    [failure('CERT_HAS_EXPIRED'), 'OF_TLS'],
    [failure('ERR_TLS_CERT_ALTNAME_INVALID'), 'OF_TLS'],
    [failure('ERR_SSL_WRONG_VERSION_NUMBER'), 'OF_REDIS_TLS'],
    [failure('EPROTO'), 'OF_REDIS_TLS'],
    [failure('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'), 'OF_REDIS_TLS'],
    [failure('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'OF_REDIS_CLIENT_CERTIFICATE'],
    [failure('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'), 'OF_REDIS_CLIENT_CERTIFICATE'],
    [failure('ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'), 'OF_REDIS_CLIENT_CERTIFICATE'],
    ['something thrown', 'OF_REDIS_ERROR'],
    [undefined, 'OF_REDIS_ERROR'],
  ])('%s is %s', (raw, code) => {
    const error = toRedisError(raw, { server: 'h:1', secrets: [''] });
    expect(error.code).toBe(code);
    expect(error.message).toContain(ERROR_CATALOGUE[error.code].summary);
    expect(error.message).toContain('h:1');
  });

  it('is no objection to a missing client certificate where one was given', () => {
    const context = { server: 'h:1', secrets: [], clientCertificate: true };
    expect(toRedisError(failure('ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'), context).code).toBe('OF_REDIS_TLS');
  });

  it('needs a user to act where Redis refuses every write until then', () => {
    const needs = (text: string) => toRedisError(new Error(text), { server: 'h:1', secrets: [] });
    for (const text of ['OOM x', 'MISCONF x', 'READONLY x', 'NOREPLICAS x'])
      expect(needs(text)).toMatchObject({ retryable: true, needsAction: true });
    expect(needs('NOPERM x')).toMatchObject({ retryable: false, needsAction: true });
    for (const text of ['LOADING x', 'CLUSTERDOWN x']) expect(needs(text).needsAction).toBe(false);
  });

  it('holds no secret, no control character and no novel', () => {
    const raw = new Error(`ERR unknown command with args 'pa$$' \r\n\u001b[31m ${'long '.repeat(1_000)}`);
    const error = toRedisError(raw, { server: 'h:1', secrets: ['pa$$'] });
    expect(error.message).not.toContain('pa$$');
    for (const control of ['\r', '\n', '\u001b']) expect(error.message).not.toContain(control);
    expect(error.message.length).toBeLessThan(500);
    expect(error.cause).toBeUndefined();
  });

  // Redis repeats what it does not know in 128 characters at most: of a long password the rest was shown.
  it.each([
    ['cut short', 'correct-horse-battery-staple-'.repeat(8), (secret: string) => secret.slice(0, 100)],
    [
      'with other control characters',
      'correct\u0001horse',
      (secret: string) => secret.replace('\u0001', ' '),
    ],
    ['with two spaces for a line break', 'co\r\nrrect-horse', () => 'co  rrect-horse'],
  ])('holds no part of a secret that the server repeats %s', (_how, secret, shown) => {
    for (const text of [
      `ERR unknown command 'AUTH', with args beginning with: '${shown(secret)}' `,
      `ERR Protocol error near ${secret.slice(0, 60)}...`,
      `ERR Protocol error near ${shown(secret)} and ${shown(secret)}`,
    ]) {
      const { message } = toRedisError(new Error(text), { server: 'h:1', secrets: [secret] });
      expect(message).not.toMatch(/correct|horse/);
      expect(message).toMatch(/unknown command|Protocol error/);
    }
  });
});

describe('keys and topics', () => {
  it('are named after market and symbol', () => {
    expect(storeKeys('examples/', 'spot', 'BTCUSDT')).toEqual({
      orderbook: 'examples/btcusdt-orderbook',
      imbalance: 'examples/btcusdt-imbalance',
      feed: 'examples/btcusdt-feed',
      history: 'examples/btcusdt-history',
    });
    expect(storeKeys('', 'usdm', 'BTCUSDT').orderbook).toBe('usdm-btcusdt-orderbook');
    expect(storeTopics('t.', 'coinm', 'BTCUSD_PERP').depth).toBe('t.coinm-btcusd_perp-depth');
    expect(gateKey('examples/', 'spot', 'BTCUSDT', { workflowId: 'w1', nodeId: 'n1' })).toBe(
      'examples/btcusdt-gate-w1-n1',
    );
  });

  it.each(['a b', 'a\r\nDEL x', 'a\u0000', '\u00a0', 'x'.repeat(201), 5, null])(
    'refuse the prefix %j, naming the field',
    (prefix) => {
      expect(() => checkPrefix('Key Prefix', prefix)).toThrow(/Key Prefix/);
    },
  );

  it('take any other prefix, also none', () => {
    for (const prefix of ['', 'examples/', 'a:b:', 'префикс/'])
      expect(checkPrefix('Key Prefix', prefix)).toBe(prefix);
  });
});
