import type { IncomingMessage, ServerResponse } from 'node:http';
import { depthWeight, type Profile } from '../profiles';
import type { BookText } from '../market/trueBook';
import { encodeDepthReply } from '../wire/encode';
import { exchangeInfo, ticker24h, type ListedSymbol } from '../wire/info';
import type { Faults } from './faults';
import { answerFault, takeRestFault } from './restFaults';
import type { Counters, RequestRecord } from './stats';
import type { SymbolFeed } from './symbolFeed';
import type { WeightMeter } from './weight';

export interface RestContext {
  readonly profile: Profile;
  readonly faults: Faults;
  readonly weight: WeightMeter;
  readonly counters: Counters;
  readonly feeds: ReadonlyMap<string, SymbolFeed>;
  readonly bansInTextOnly: boolean;
  readonly now: () => number;
}

/** A reply: what to write, and what it cost. */
interface Reply {
  readonly status: number;
  readonly body: string;
}

const SYMBOL_RANGE = '^[A-Z0-9-_.]{1,20}$';
/** What futures call a contract that has ended, or is about to. */
const ENDED: ReadonlySet<string> = new Set(['SETTLING', 'DELIVERING', 'DELIVERED', 'CLOSE']);
/** Symbols are letters of any script, but no lower-case ones. */
const LEGAL_SYMBOL = /^[\p{Lu}\p{Lo}0-9\-_.]{1,50}$/u;

export function handleRest(context: RestContext, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const params = Object.fromEntries(url.searchParams);
  const record: RequestRecord = { atMs: Date.now(), path: url.pathname, params, status: 0 };
  context.counters.request(record);
  response.once('close', () => (record.status ||= response.headersSent ? response.statusCode : 0));
  const { profile } = context;
  const name = url.pathname.startsWith(`${profile.restPrefix}/`)
    ? url.pathname.slice(profile.restPrefix.length + 1)
    : '';

  const admission = context.weight.admit(weightOf(profile, name, params));
  response.setHeader('X-MBX-USED-WEIGHT-1M', String(admission.used));
  response.setHeader('Content-Type', 'application/json;charset=UTF-8');
  if (!admission.admitted) {
    if (!context.bansInTextOnly) response.setHeader('Retry-After', String(admission.retryAfterSeconds));
    return finish(response, refusal(admission.status, context.weight.limit, admission.untilMs));
  }
  if (request.method !== 'GET') return finish(response, { status: 405, body: '' });
  const reply = replyTo(context, name, params);
  const fault = takeRestFault(context.faults, name, params.symbol);
  if (fault !== null) return answerFault(fault, reply, response);
  finish(response, reply);
}

function finish(response: ServerResponse, { status, body }: Reply): void {
  response.statusCode = status;
  response.end(body);
}

function refusal(status: 429 | 418, limit: number, untilMs: number): Reply {
  const msg =
    status === 429
      ? `Too much request weight used; current limit is ${limit} request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.`
      : `Way too much request weight used; IP banned until ${untilMs}. Please use WebSocket Streams for live updates to avoid bans.`;
  return { status, body: JSON.stringify({ code: -1003, msg }) };
}

function failure(code: number, msg: string): Reply {
  return { status: 400, body: JSON.stringify({ code, msg }) };
}

function weightOf(profile: Profile, name: string, params: Record<string, string>): number {
  switch (name) {
    case 'depth': {
      const limit = params.limit === undefined ? profile.defaultDepthLimit : Number(params.limit);
      return Number.isFinite(limit) ? depthWeight(profile, limit) : 1;
    }
    case 'exchangeInfo':
      return profile.exchangeInfoWeight;
    case 'ticker/24hr':
      return profile.tickerWeights[params.symbol === undefined ? 1 : 0];
    default:
      return 1;
  }
}

function replyTo(context: RestContext, name: string, params: Record<string, string>): Reply {
  switch (name) {
    case 'depth':
      return depth(context, params);
    case 'exchangeInfo':
      return listing(context, params);
    case 'ticker/24hr':
      return ticker(context, params);
    case 'ping':
      return { status: 200, body: '{}' };
    case 'time':
      return { status: 200, body: JSON.stringify({ serverTime: context.now() }) };
    default:
      return { status: 404, body: '<html><head><title>404 Not Found</title></head></html>' };
  }
}

/** The symbol that a request names, or what is wrong with it. */
function symbolOf(context: RestContext, symbol: string | undefined): SymbolFeed | Reply {
  if (symbol === undefined || symbol === '') {
    return failure(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
  }
  if (!LEGAL_SYMBOL.test(symbol)) {
    return failure(
      -1100,
      `Illegal characters found in parameter 'symbol'; legal range is '${SYMBOL_RANGE}'.`,
    );
  }
  const feed = context.feeds.get(symbol);
  if (feed !== undefined && ENDED.has(feed.status))
    return failure(-4108, 'Symbol is on delivering or delivered or settling or closed or pre-trading.');
  return feed?.isListed === true ? feed : failure(-1121, 'Invalid symbol.');
}

function depth(context: RestContext, params: Record<string, string>): Reply {
  const { profile } = context;
  const feed = symbolOf(context, params.symbol);
  if ('status' in feed && 'body' in feed) return feed;
  let limit = profile.defaultDepthLimit;
  if (params.limit !== undefined) {
    if (!/^\d{1,20}$/.test(params.limit)) {
      return failure(-1100, "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.");
    }
    limit = Number(params.limit);
    const largest = profile.depthWeights[profile.depthWeights.length - 1][0];
    if (profile.anyDepthLimit ? limit < 1 : !profile.depthLimits.includes(limit)) {
      return failure(-1130, "Data sent for parameter 'limit' is not valid.");
    }
    limit = Math.min(limit, largest);
  }
  const { lastUpdateId, book } = snapshot(context, feed, limit);
  return { status: 200, body: encodeDepthReply(profile, feed.symbol, lastUpdateId, book, context.now()) };
}

/** The book that a depth request gets: the present one, unless a fault asks for another. */
function snapshot(
  context: RestContext,
  feed: SymbolFeed,
  limit: number,
): { lastUpdateId: number; book: BookText } {
  const { book } = feed.market;
  const fault = context.faults.take(['staleSnapshot', 'straddle', 'snapshotId'], feed.symbol);
  const present = (): BookText => ({
    bids: book.wireTop(book.bids, limit),
    asks: book.wireTop(book.asks, limit),
  });
  if (fault === null) return { lastUpdateId: book.lastUpdateId, book: present() };
  let lastUpdateId = book.lastUpdateId;
  if (fault.kind === 'snapshotId') lastUpdateId = fault.lastUpdateId;
  else if (fault.kind === 'staleSnapshot') {
    lastUpdateId = fault.ids === undefined ? feed.staleId() : book.lastUpdateId - fault.ids;
  } else if (feed.newest !== null) {
    const { firstUpdateId, finalUpdateId } = feed.newest;
    const inside = Math.floor((firstUpdateId + finalUpdateId) / 2);
    lastUpdateId = { before: firstUpdateId - 1, inside, end: finalUpdateId }[fault.at];
  }
  // An id older than the history has no book any more; the rule makes clients refuse it by its id alone.
  return { lastUpdateId, book: book.at(lastUpdateId, limit)[0] ?? present() };
}

function listed(feed: SymbolFeed): ListedSymbol {
  const { book, rules } = feed.market;
  const lastPrice = book.bids.length > 0 ? book.wireTop(book.bids, 1)[0][0] : '0';
  const { status, quoteVolume, contractType } = feed;
  return { rules, status, quoteVolume, contractType, lastPrice };
}

function listing(context: RestContext, params: Record<string, string>): Reply {
  const all = [...context.feeds.values()].filter((feed) => feed.isListed);
  let wanted = all;
  if (context.profile.kind === 'spot' && (params.symbol !== undefined || params.symbols !== undefined)) {
    const names = params.symbol !== undefined ? [params.symbol] : namesIn(params.symbols);
    if (names === null)
      return failure(
        -1100,
        "Illegal characters found in parameter 'symbols'; legal range is a list of symbols.",
      );
    const found = names.map((name) => symbolOf(context, name));
    const wrong = found.find((entry): entry is Reply => 'body' in entry);
    if (wrong !== undefined) return wrong;
    wanted = found as SymbolFeed[];
  }
  if (params.symbolStatus !== undefined)
    wanted = wanted.filter((feed) => feed.status === params.symbolStatus);
  if (params.permissions !== undefined && !params.permissions.includes('SPOT')) wanted = [];
  return {
    status: 200,
    body: JSON.stringify(
      exchangeInfo(context.profile, context.weight.limit, wanted.map(listed), context.now()),
    ),
  };
}

function namesIn(text: string): string[] | null {
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) && names.every((name) => typeof name === 'string')
      ? (names as string[])
      : null;
  } catch {
    return null;
  }
}

function ticker(context: RestContext, params: Record<string, string>): Reply {
  const one = (feed: SymbolFeed): object => ticker24h(context.profile, listed(feed), context.now());
  if (params.symbol === undefined) {
    const all = [...context.feeds.values()].filter((feed) => feed.isListed).map(one);
    return { status: 200, body: JSON.stringify(all) };
  }
  const feed = symbolOf(context, params.symbol);
  if ('body' in feed) return feed;
  // COIN-M answers with a list even for one symbol.
  const entry = one(feed);
  return { status: 200, body: JSON.stringify(context.profile.kind === 'coinm' ? [entry] : entry) };
}
