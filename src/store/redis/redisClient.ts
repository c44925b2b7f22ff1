import { isIP } from 'node:net';
import { checkServerIdentity, connect, type ConnectionOptions } from 'node:tls';
import { createClient } from 'redis';
import { TLS_ALERT } from './redisErrors';
import type { RedisSettings } from './redisSettings';

/** Longest wait for a connection, from the name look-up to the server's first answer, milliseconds. */
export const CONNECT_TIMEOUT_MS = 5_000;

export type RedisClient = ReturnType<typeof createRedisClient>;

/**
 * A client for one connection: it never reconnects (redisConnection.ts does, with a new client), never queues while
 * offline, and certificates are always verified. Aborting `signal` destroys the socket in whatever state it is.
 */
export function createRedisClient(settings: RedisSettings, signal: AbortSignal) {
  const { host, port, user, password, database, tls } = settings;
  // Node passes `signal` on to the socket, also under TLS. The time limit is the session's: it covers more than the socket.
  const common = { host, port, signal, connectTimeout: 0, reconnectStrategy: false as const };
  return createClient({
    RESP: 2,
    socket: tls ? { ...common, tls: true as const, ...tlsOptions(settings) } : common,
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

function tlsOptions(settings: RedisSettings) {
  const { host, ca, tlsServerName, clientCertificate, clientKey } = settings;
  const name = tlsServerName || host;
  return {
    // An address must not be sent as a server name.
    servername: isIP(name) ? '' : name,
    checkServerIdentity: (_: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
      checkServerIdentity(name, certificate),
    rejectUnauthorized: true,
    ...(ca === '' ? {} : { ca }),
    ...(clientKey === '' ? {} : { cert: clientCertificate, key: clientKey }),
  } satisfies ConnectionOptions;
}

/** Longest wait for a TLS alert, milliseconds: one way to the server and back. */
const TLS_PROBE_MS = 1_000;

/**
 * Why a server ended a connection at once: a TLS handshake without a byte after it shows the server's alert, which a
 * command that was sent meanwhile would have lost to a reset.
 * @returns true where the port speaks TLS and has no objection, false where it speaks none, else the alert
 */
export function tlsVerdict(settings: RedisSettings, signal: AbortSignal): Promise<boolean | Error> {
  return new Promise((resolve) => {
    let speaks = false;
    const { host, port } = settings;
    // Node takes the signal, though its types do not say so.
    const options = { host, port, ...tlsOptions(settings), signal };
    const socket = connect(options);
    const timer = setTimeout(() => done(speaks), TLS_PROBE_MS);
    const done = (verdict: boolean | Error) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(verdict);
    };
    socket.on('secureConnect', () => (speaks = true));
    socket.on('close', () => done(speaks));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? '';
      if (TLS_ALERT.test(code)) done(error);
      // A certificate that is not trusted is one, too; only what is not TLS says so by these.
      else done(speaks || !/WRONG_VERSION|PACKET_LENGTH|^E[A-Z]+$/.test(code));
    });
  });
}
