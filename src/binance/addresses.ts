import { parseBaseUrl } from '../net/baseUrl';
import { MARKETS, type MarketId } from '../feed/markets';
import { OrderFlowError } from '../runtime/errors';

interface Paths {
  readonly name: string;
  readonly restBaseUrl: string;
  readonly webSocketBaseUrl: string;
  /** Between the WebSocket host and `/stream`; empty where streams are not routed. */
  readonly streamPath: string;
  readonly depthPath: string;
}

const REST_FIELD = 'REST Base URL';
const WEB_SOCKET_FIELD = 'WebSocket Base URL';

/** `/api/v3`, as the exchange writes its REST addresses, also with one endpoint behind it. */
const REST_ENDING = /\/(api|fapi|dapi)\/v\d+(\/[A-Za-z0-9]+)?$/;
/** `/ws` or `/stream`, also with names of streams behind it. */
const STREAM_ENDING = /\/(ws|stream)(\/[^/]*@[^/]*)*$/;
/** Where streams are routed: the route of depth data, or any route before `/ws` or `/stream`. */
const ROUTE = /\/public$/;
const ANY_ROUTE = /\/(public|market|private)$/;

/**
 * Where a market's REST requests go, without the path that they begin with. An address as the exchange documents it,
 * path and all, is understood; any other path stays as the prefix of a reverse proxy.
 * @param given of the field; the market's own address where it is empty
 * @throws OrderFlowError OF_BASE_URL
 */
export function restBaseUrl(market: Paths, given?: string): string {
  const [origin, path] = parts(parseBaseUrl(given || market.restBaseUrl, 'rest', REST_FIELD));
  const ending = REST_ENDING.exec(path);
  if (ending === null) return origin + path;
  const own = market.depthPath.slice(0, market.depthPath.lastIndexOf('/'));
  if (own.split('/')[1] !== ending[1]) {
    const detail = `${REST_FIELD} must not end in ${ending[0]}, the path of another market; that of ${market.name} is ${own}`;
    throw new OrderFlowError('OF_BASE_URL', detail, { subject: REST_FIELD });
  }
  return origin + path.slice(0, ending.index);
}

/**
 * The address of a market's combined streams; see `restBaseUrl`.
 * @throws OrderFlowError OF_BASE_URL
 */
export function streamUrl(market: Paths, given?: string): URL {
  const [origin, path] = parts(parseBaseUrl(given || market.webSocketBaseUrl, 'webSocket', WEB_SOCKET_FIELD));
  let prefix = path.replace(STREAM_ENDING, '');
  if (market.streamPath !== '') prefix = prefix.replace(prefix === path ? ROUTE : ANY_ROUTE, '');
  return new URL(`${origin}${prefix}${market.streamPath}/stream`);
}

function parts(baseUrl: string): [origin: string, path: string] {
  const { origin, pathname } = new URL(baseUrl);
  return [origin, pathname === '/' ? '' : pathname];
}

/**
 * Which requests the exchange counts together. Since June 2026 those of USD-M and COIN-M are, over both hosts: one
 * limit, one counter, and a ban of one concerns both. The pool has the name of the USD-M host.
 * @param url of the market's REST requests
 */
export function weightPool({ id }: { readonly id: MarketId }, url: string): { host: string; pool: string } {
  const { host } = new URL(url);
  if (MARKETS[id].contracts === 'none') return { host, pool: id };
  return { host: host.replace(/\bdapi\b/, 'fapi'), pool: 'futures' };
}
