import { createHmac, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { createClient } from 'redis';
import { OrderFlowError } from '../runtime/errors';
import { processShared } from '../runtime/processShared';

/** Longest wait for a connection, from the name look-up to the server's first answer, milliseconds. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** The values of an Order Flow Redis credential, checked. */
export interface RedisSettings {
  readonly host: string;
  readonly port: number;
  /** Empty: the server's default user. */
  readonly user: string;
  /** Empty: none is sent. */
  readonly password: string;
  readonly database: number;
  readonly tls: boolean;
  /** PEM of a certificate authority of one's own; empty: those that Node trusts. */
  readonly ca: string;
}

const refuse = (detail: string): OrderFlowError => new OrderFlowError('OF_REDIS_CREDENTIAL', detail);

function text(values: Readonly<Record<string, unknown>>, name: string): string {
  const value = values[name] ?? '';
  if (typeof value !== 'string') throw refuse(`${name} must be text`);
  return value;
}

function whole(
  values: Readonly<Record<string, unknown>>,
  name: string,
  fallback: number,
  max: number,
): number {
  const value = values[name] ?? fallback;
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > max) {
    throw refuse(`${name} must be a whole number from 0 to ${max}`);
  }
  return number;
}

/** Checks the values of a credential; throws OF_REDIS_CREDENTIAL naming the field. */
export function readRedisSettings(values: unknown): RedisSettings {
  if (typeof values !== 'object' || values === null) throw refuse('it has no values');
  const fields = values as Readonly<Record<string, unknown>>;
  const host = text(fields, 'host').trim();
  if (host === '') throw refuse('host is empty');
  if (/[\s/@]/.test(host)) throw refuse('host must be a name or an address alone, without redis:// and port');
  const port = whole(fields, 'port', 6379, 65_535);
  if (port === 0) throw refuse('port must not be 0');
  const user = text(fields, 'user');
  const password = text(fields, 'password');
  const ca = normalPem(text(fields, 'ca'));
  const tls = fields.tls === true;
  if (tls && ca !== '' && !ca.includes('-----BEGIN CERTIFICATE-----'))
    throw refuse('ca is not a certificate in PEM form');
  return { host, port, user, password, database: whole(fields, 'database', 0, 1_000_000), tls, ca };
}

/** A one-line input field turns the line breaks of a PEM into spaces or a written \n; both are undone. */
function normalPem(pem: string): string {
  const lines = pem.trim().replaceAll('\\n', '\n');
  return lines.replace(
    /(-----BEGIN CERTIFICATE-----)([^-]*)(-----END CERTIFICATE-----)/g,
    (_, begin: string, body: string, end: string) =>
      [begin, body.trim().replace(/\s+/g, '\n'), end].join('\n'),
  );
}

/** Equal for equal settings within this process; says nothing about them. */
export function redisIdentity(settings: RedisSettings): string {
  const key = processShared('identityKey', 1, () => randomBytes(32));
  const { host, port, user, password, database, tls, ca } = settings;
  return createHmac('sha256', key)
    .update(JSON.stringify([host, port, user, password, database, tls, ca]))
    .digest('hex');
}

export type RedisClient = ReturnType<typeof createRedisClient>;

/**
 * A client for one connection: it never reconnects (redisConnection.ts does, with a new client), never queues while
 * offline, and certificates are always verified. Aborting `signal` destroys the socket in whatever state it is.
 */
export function createRedisClient(settings: RedisSettings, signal: AbortSignal) {
  const { host, port, user, password, database, tls, ca } = settings;
  // Node passes `signal` on to the socket, also under TLS. The time limit is the session's: it covers more than the socket.
  const common = { host, port, signal, connectTimeout: 0, reconnectStrategy: false as const };
  const socket = tls
    ? {
        ...common,
        tls: true as const,
        servername: isIP(host) ? '' : host,
        rejectUnauthorized: true,
        ...(ca === '' ? {} : { ca }),
      }
    : common;
  return createClient({
    RESP: 2,
    socket,
    ...(user === '' ? {} : { username: user }),
    ...(password === '' ? {} : { password }),
    database,
    disableOfflineQueue: true,
    // Both would need rights that the store does not.
    disableClientInfo: true,
    maintNotifications: 'disabled',
    // The client's own timeout makes a signal for each command and covers only those not yet sent.
    commandOptions: { timeout: 0 },
  });
}
