import { ERROR_CATALOGUE } from '../../../src/runtime/errorCatalogue';
import { checkPrefix, gateKey, storeKeys, storeTopics } from '../../../src/store/keys';
import { readRedisSettings, redisIdentity } from '../../../src/store/redisClient';
import { toRedisError } from '../../../src/store/redisErrors';

const CREDENTIAL = {
  host: ' redis.example ',
  port: 6380,
  user: 'u',
  password: 'p',
  database: 2,
  tls: true,
  ca: '',
};

describe('the values of a Redis credential', () => {
  it('are taken as n8n hands them over', () => {
    expect(readRedisSettings(CREDENTIAL)).toEqual({ ...CREDENTIAL, host: 'redis.example' });
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
    ['a URL as host', { host: 'redis://h' }],
    ['a host with a line break', { host: 'h\r\nFLUSHALL' }],
    ['port 0', { host: 'h', port: 0 }],
    ['a port too great', { host: 'h', port: 65_536 }],
    ['a port that is no number', { host: 'h', port: '6379x' }],
    ['a negative database', { host: 'h', database: -1 }],
    ['a password that is no text', { host: 'h', password: 5 }],
    ['a certificate that is none', { host: 'h', tls: true, ca: 'secret' }],
  ])('are refused with %s', (_, values) => {
    expect(() => readRedisSettings(values)).toThrow(expect.objectContaining({ code: 'OF_REDIS_CREDENTIAL' }));
  });

  it('may bring a certificate authority that lost its line breaks', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----';
    for (const ca of [pem, pem.replaceAll('\n', ' '), pem.replaceAll('\n', '\\n'), `${pem}\n`]) {
      expect(readRedisSettings({ host: 'h', tls: true, ca }).ca).toBe(pem);
    }
    const two = `${pem}\n${pem}`;
    expect(
      readRedisSettings({ host: 'h', tls: true, ca: two.replaceAll('\n', ' ') }).ca.match(
        /-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END/g,
      ),
    ).toHaveLength(2);
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
    [new Error('LOADING Redis is loading the dataset in memory'), 'OF_REDIS_ERROR'],
    [failure('ETIMEDOUT'), 'OF_REDIS_TIMEOUT'],
    [failure('ECONNREFUSED'), 'OF_REDIS_CONNECT'],
    [failure('ENOTFOUND'), 'OF_REDIS_CONNECT'],
    [failure('EAI_AGAIN'), 'OF_REDIS_CONNECT'],
    [failure('DEPTH_ZERO_SELF_SIGNED_CERT'), 'OF_TLS'],
    [failure('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'OF_TLS'],
    [failure('CERT_HAS_EXPIRED'), 'OF_TLS'],
    [failure('ERR_TLS_CERT_ALTNAME_INVALID'), 'OF_TLS'],
    [failure('ERR_SSL_WRONG_VERSION_NUMBER'), 'OF_TLS'],
    ['something thrown', 'OF_REDIS_ERROR'],
    [undefined, 'OF_REDIS_ERROR'],
  ])('%s is %s', (raw, code) => {
    const error = toRedisError(raw, { server: 'h:1', secrets: [''] });
    expect(error.code).toBe(code);
    expect(error.message).toContain(ERROR_CATALOGUE[error.code].summary);
    expect(error.message).toContain('h:1');
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
    });
    expect(storeKeys('', 'usdm', 'BTCUSDT').orderbook).toBe('usdm-btcusdt-orderbook');
    expect(storeTopics('t.', 'coinm', 'BTCUSD_PERP').depth).toBe('t.coinm-btcusd_perp-depth');
    expect(gateKey('examples/', 'spot', 'BTCUSDT', 'w1', 'n1')).toBe('examples/btcusdt-gate-w1-n1');
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
