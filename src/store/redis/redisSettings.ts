import { createHmac, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import { OrderFlowError } from '../../runtime/errors';
import { processShared } from '../../runtime/processShared';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

export type RedisTopology = 'single' | 'sentinel' | 'cluster';

/** The values of an Order Flow Redis credential, checked. */
export interface RedisSettings extends RedisAddress {
  readonly topology: RedisTopology;
  /** The Sentinels that know the primary server, or nodes to ask for the cluster's slots; else empty. */
  readonly nodes: readonly RedisAddress[];
  readonly sentinel: {
    /** Name under which the Sentinels watch the primary server. */
    readonly master: string;
    readonly user: string;
    readonly password: string;
  };
  /** A name or an address, without brackets, port and final dot. */
  readonly host: string;
  readonly port: number;
  /** Empty: the server's default user. */
  readonly user: string;
  /** Empty: none is sent. */
  readonly password: string;
  readonly database: number;
  readonly tls: boolean;
  /** PEM of a private certificate authority; empty: those that Node trusts. */
  readonly ca: string;
  /** The name that is sent to the server (SNI) and that its certificate has to be for; empty: the host. */
  readonly tlsServerName: string;
  /** PEM of the certificate that the server asks of its clients, and of its key; both or neither. */
  readonly clientCertificate: string;
  readonly clientKey: string;
}

/** Addresses to start from: one that answers is enough. */
const MAX_NODES = 20;

const refuse = (detail: string): OrderFlowError => new OrderFlowError('OF_REDIS_CREDENTIAL', detail);

type Values = Readonly<Record<string, unknown>>;

function text(values: Values, name: string, label: string): string {
  const value = values[name] ?? '';
  if (typeof value !== 'string') throw refuse(`${label} must be text`);
  return value;
}

function whole(value: unknown, label: string, min: number, max: number): number {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < min || number > max)
    throw refuse(`${label} must be a whole number from ${min} to ${max}`);
  return number;
}

/** Checks the values of a credential; throws OF_REDIS_CREDENTIAL naming the field and no value. */
export function readRedisSettings(credential: unknown): RedisSettings {
  if (typeof credential !== 'object' || credential === null) throw refuse('it has no values');
  const values = credential as Values;
  const { topology = 'single' } = values;
  if (topology !== 'single' && topology !== 'sentinel' && topology !== 'cluster')
    throw refuse('Topology must be single, sentinel or cluster');
  const nodes = topology === 'single' ? [] : readNodes(values, topology);
  const [place]: readonly Place[] =
    nodes.length > 0 ? nodes : [readHost(text(values, 'host', 'Host').trim())];
  const tls = place.tls === true || values.tls === true;
  const database = place.database ?? whole(values.database ?? 0, 'Database Number', 0, 1_000_000);
  if (topology === 'cluster' && database !== 0) throw refuse('Database Number must be 0 in a cluster');
  return {
    ...{ topology, nodes, host: place.host },
    port: place.port ?? whole(values.port ?? 6379, 'Port', 1, 65_535),
    user: oneOf(place.user, text(values, 'user', 'User'), 'User'),
    password: oneOf(place.password, text(values, 'password', 'Password'), 'Password'),
    ...{ database, tls },
    ...readTls(values, tls),
    sentinel: {
      master: text(values, 'sentinelMaster', 'Master Name').trim() || 'mymaster',
      user: text(values, 'sentinelUser', 'Sentinel User'),
      password: text(values, 'sentinelPassword', 'Sentinel Password'),
    },
  };
}

/** A list like `10.0.0.1:26379, [::1]:26379, redis-3`. */
function readNodes(values: Values, topology: RedisTopology): RedisAddress[] {
  const typed = text(values, 'nodes', 'Nodes')
    .split(/[\s,;]+/)
    .filter((one) => one !== '');
  if (typed.length === 0) throw refuse('Nodes is empty; fill in at least one host:port');
  if (typed.length > MAX_NODES) throw refuse(`Nodes holds more than ${MAX_NODES} addresses`);
  return typed.map((one) => {
    const [, host, port = topology === 'sentinel' ? '26379' : '6379'] =
      /^(\[[^\]]*\]|[^\s:/@]+)(?::(\d+))?$/.exec(one) ?? [];
    if (host === undefined) throw refuse('Nodes must be a list of host:port, separated by commas');
    return { host: bareHost(host), port: whole(port, 'A port in Nodes', 1, 65_535) };
  });
}

/** What a host field may hold beside the host, where a URL was pasted into it. */
interface Place {
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: number;
  readonly tls?: boolean;
}

function readHost(host: string): Place {
  if (host === '') throw refuse('Host is empty');
  const url = /^([a-z][a-z\d+.-]*):\/\/(.*)$/is.exec(host);
  if (url !== null) return readUrl(url[1].toLowerCase(), url[2]);
  if (/[\s/@]/.test(host))
    throw refuse('Host must be a name or an address alone, or a whole redis:// or rediss:// URL');
  return { host: bareHost(host) };
}

/** Brackets and a final dot are forms of an address that people paste. */
function bareHost(host: string): string {
  const bare = /^\[(.*)\]$/.exec(host)?.[1] ?? host.replace(/\.$/, '');
  if (bare.includes(':') && !isIPv6(bare)) throw refuse('Host must be without a port; use the Port field');
  if (bare === '') throw refuse('Host is empty');
  return bare;
}

/** By hand: in a pasted URL a password often holds what a URL must not, and no part of it may reach a message. */
function readUrl(scheme: string, rest: string): Place {
  if (!['redis', 'rediss', 'valkey', 'valkeys'].includes(scheme))
    throw refuse('Host holds a URL; of these only redis:// and rediss:// are understood');
  const at = rest.lastIndexOf('@');
  const [, host, port, database] =
    /^(\[[^\]]*\]|[^\s:/?#]+)(?::(\d+))?(?:\/(\d*))?$/.exec(rest.slice(at + 1)) ?? [];
  if (host === undefined)
    throw refuse(
      'Host holds a URL that cannot be read; write redis://user:password@host:port/database, or use the fields',
    );
  const userInfo = at < 0 ? '' : rest.slice(0, at);
  const colon = userInfo.indexOf(':');
  return {
    host: bareHost(host),
    user: decoded(colon < 0 ? userInfo : userInfo.slice(0, colon)),
    password: decoded(colon < 0 ? '' : userInfo.slice(colon + 1)),
    tls: scheme.endsWith('ss') || scheme.endsWith('ys'),
    ...(port === undefined ? {} : { port: whole(port, 'The port in the URL in Host', 1, 65_535) }),
    ...(database ? { database: whole(database, 'The database in the URL in Host', 0, 1_000_000) } : {}),
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The URL's or the field's; two different ones leave it open which is meant. */
function oneOf(inUrl: string | undefined, inField: string, label: string): string {
  if (inUrl && inField && inUrl !== inField)
    throw refuse(`${label} is filled in, and the URL in Host holds another one; leave one of the two out`);
  return inUrl || inField;
}

function readTls(values: Values, tls: boolean) {
  const ca = normalPem(text(values, 'ca', 'Certificate Authority'));
  const clientCertificate = normalPem(text(values, 'clientCertificate', 'Client Certificate'));
  const clientKey = normalPem(text(values, 'clientPrivateKey', 'Client Key'));
  const tlsServerName = text(values, 'tlsServerName', 'TLS Server Name').trim().replace(/\.$/, '');
  if (!tls) return { ca, clientCertificate, clientKey, tlsServerName };
  if (/[\s:/@]/.test(tlsServerName) && !isIP(tlsServerName))
    throw refuse('TLS Server Name must be a name or an address alone');
  if ((clientCertificate === '') !== (clientKey === ''))
    throw refuse('Client Certificate and Client Key belong together, so fill in both or neither');
  if (ca !== '') pem('Certificate Authority', 'certificate', () => new X509Certificate(ca));
  if (clientKey !== '') {
    if (clientKey.includes('ENCRYPTED'))
      throw refuse('Client Key is protected by a passphrase; give it without one');
    const certificate = pem(
      'Client Certificate',
      'certificate',
      () => new X509Certificate(clientCertificate),
    );
    const key = pem('Client Key', 'private key', () => createPrivateKey(clientKey));
    if (!certificate.checkPrivateKey(key)) throw refuse('Client Key is not the key of Client Certificate');
  }
  return { ca, clientCertificate, clientKey, tlsServerName };
}

function pem<T>(label: string, kind: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw refuse(`${label} is not a ${kind} in PEM form`);
  }
}

/** A one-line input field turns the line breaks of a PEM into spaces or a written \n; both are undone. */
function normalPem(field: string): string {
  const block = /(-----BEGIN [A-Z ]+-----)([^-]*)(-----END [A-Z ]+-----)\s*/g;
  const inLines = (_: string, begin: string, body: string, end: string) =>
    `${begin}\n${body.trim().replace(/\s+/g, '\n')}\n${end}\n`;
  return field.replaceAll('\\n', '\n').replace(block, inLines).trim();
}

/** Equal for equal settings within this process; says nothing about them. */
export function redisIdentity(settings: RedisSettings): string {
  const key = processShared('identityKey', 1, () => randomBytes(32));
  const sorted = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHmac('sha256', key).update(JSON.stringify(sorted)).digest('hex');
}

/** How messages name the server: `host:port`, an IPv6 address in brackets. */
export function serverName({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
