import type { DepthReply } from '../../book/types';
import type { Ticker } from '../../feed/activity';
import { about, OrderFlowError, toOrderFlowError } from '../../runtime/errors';
import { processShared } from '../../runtime/processShared';
import { oneLine } from '../../runtime/text';
import { parseExchangeInfo, type ExchangeInfo } from '../wire/exchangeInfo';
import { httpGet, type HttpHead, type HttpReply } from '../../net/http';
import { depthWeight, type MarketEndpoints } from '../endpoints';
import { FEED_TIMINGS, type FeedTimings } from '../timings';
import { type BanCode, banCode, bannedUntilMs, MAX_REFUSAL_TEXT, retryAfterMs } from '../../limits/refusals';
import { sharedBudgets, type SharedBudgets } from '../../limits/sharedBudgets';
import type { WeightBudget } from '../../limits/weightBudget';
import { restBaseUrl, weightPool } from '../addresses';
import { parseDepthReply } from '../wire/jsonReader';
import { parseTickers } from '../wire/tickers';
import type { Ask } from './ask';
import { SymbolList } from './symbolList';

/** A reply of 5000 levels a side is below half a MiB. */
const MAX_DEPTH_BYTES = 4 * 1024 * 1024;
/** The whole list of a large market, with room to grow. */
const MAX_EXCHANGE_INFO_BYTES = 64 * 1024 * 1024;
/** The exchange's code of a refusal for too many requests, whatever the HTTP status. */
const TOO_MANY_REQUESTS = -1003;

/** The REST side of one market at one base URL. Everything it sends goes through the host's weight budget. */
export class RestClient {
  /** What the market lists, asked through this client. */
  readonly symbols: SymbolList;

  constructor(
    readonly market: MarketEndpoints,
    readonly url: string,
    readonly budget: WeightBudget,
    private readonly timings: FeedTimings = FEED_TIMINGS,
  ) {
    this.symbols = new SymbolList(
      (symbols, ask) => this.exchangeInfo(symbols, ask),
      (ask) => this.tickers(ask),
      market.listsNamedSymbols,
    );
  }

  /** @throws OrderFlowError */
  async depth(symbol: string, limit: number, ask: Ask = {}): Promise<DepthReply> {
    const query = `?symbol=${encodeURIComponent(symbol)}&limit=${limit}`;
    const weight = depthWeight(this.market, limit);
    const body = await this.get(this.market.depthPath + query, weight, MAX_DEPTH_BYTES, symbol, ask);
    return this.read(body, parseDepthReply);
  }

  /** What the market lists, asked now; `symbols` has the rest. @param symbols null: all of them. @throws OrderFlowError */
  async exchangeInfo(symbols: readonly string[] | null, ask: Ask = {}): Promise<ExchangeInfo> {
    const named = symbols === null ? '' : `&symbols=${encodeURIComponent(JSON.stringify(symbols))}`;
    const query = this.market.listsNamedSymbols ? `?showPermissionSets=false${named}` : '';
    const { exchangeInfoPath, exchangeInfoWeight } = this.market;
    const subject = symbols === null ? null : symbols.join(', ');
    const path = exchangeInfoPath + query;
    const body = await this.get(path, exchangeInfoWeight, MAX_EXCHANGE_INFO_BYTES, subject, ask);
    const { symbols: listed, weightPerMinute } = this.read(body, parseExchangeInfo);
    if (weightPerMinute !== null) this.budget.setLimit(weightPerMinute);
    return listed;
  }

  /** What every symbol of the market traded in 24 hours, asked now. @throws OrderFlowError */
  async tickers(ask: Ask = {}): Promise<Ticker[]> {
    const { tickerPath, tickerWeight } = this.market;
    return this.read(
      await this.get(tickerPath, tickerWeight, MAX_EXCHANGE_INFO_BYTES, null, ask),
      parseTickers,
    );
  }

  /** What is wrong with a reply is reported with the server that sent it. */
  private read<T>(body: string, parse: (body: string) => T): T {
    try {
      return parse(body);
    } catch (error) {
      throw about(toOrderFlowError(error), new URL(this.url).host);
    }
  }

  private async get(
    path: string,
    weight: number,
    maxBytes: number,
    symbol: string | null,
    ask: Ask,
  ): Promise<string> {
    const url = new URL(this.url + path);
    const finished = await this.turn(weight, ask);
    let pausedForMs = 0;
    // The code of a refusal whose body may say for how long, until that has been read.
    let held: BanCode | null = null;
    const reply = await httpGet(url, {
      connectTimeoutMs: this.timings.connectTimeoutMs,
      requestTimeoutMs: this.timings.requestTimeoutMs,
      lateHeadMs: this.timings.lateHeadMs,
      maxBytes,
      signal: ask.signal,
      // A refusal counts although its caller has gone: the next request must not run into a ban.
      onHead: (head) => {
        pausedForMs = this.onHead(head);
        const code = banCode(head.status);
        held = pausedForMs === 0 ? code : null;
        if (held !== null) this.budget.hold(held, this.timings.requestTimeoutMs);
        return code !== null;
      },
      onReply: (whole) => {
        pausedForMs = Math.max(pausedForMs, this.onReply(whole));
        held = null;
      },
      onEnd: () => {
        if (held !== null) this.budget.refuse(held, null);
        finished();
      },
    });
    if (reply.status !== 200) throw this.refusal(reply, url.pathname, symbol, pausedForMs);
    return reply.body;
  }

  private async turn(weight: number, { urgency = () => 0, signal, turnWithinMs }: Ask): Promise<() => void> {
    if (turnWithinMs === undefined) return this.budget.acquire(weight, urgency, signal);
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(noTurn(this.url, turnWithinMs)), turnWithinMs);
    const signals = signal === undefined ? [patience.signal] : [signal, patience.signal];
    try {
      return await this.budget.acquire(weight, urgency, AbortSignal.any(signals));
    } finally {
      clearTimeout(timer);
    }
  }

  /** What the head of a reply says about this address. @returns milliseconds to wait from now; 0: none named */
  private onHead({ status, headers }: HttpHead): number {
    const used = Number(headers['x-mbx-used-weight-1m']);
    if (Number.isFinite(used) && used >= 0) this.budget.report(used);
    const askedMs = retryAfterMs(headers);
    const code = banCode(status);
    if (status === 200) this.budget.succeeded();
    if (status === 403) return this.budget.refuse('OF_FIREWALL', askedMs, this.timings.firewallPauseMs);
    return code === null || askedMs === null ? 0 : this.budget.refuse(code, askedMs);
  }

  /** The text of a refusal may name a later time than its head, or be the only one that names any. @returns as onHead */
  private onReply({ status, headers, body }: HttpReply): number {
    if (status === 200) return 0;
    const code = banCode(status);
    if (code === null && exchangeError(body).code !== TOO_MANY_REQUESTS) return 0;
    const bannedMs = bannedUntilMs(body.slice(0, MAX_REFUSAL_TEXT), headers);
    if (bannedMs !== null) return this.budget.refuse('OF_BANNED', bannedMs);
    const askedMs = retryAfterMs(headers);
    if (code === null) return this.budget.refuse('OF_RATE_LIMITED', askedMs);
    return askedMs === null ? this.budget.refuse(code, null) : 0;
  }

  private refusal(
    reply: HttpReply,
    path: string,
    symbol: string | null,
    pausedForMs: number,
  ): OrderFlowError {
    const { status, body } = reply;
    const host = new URL(this.url).host;
    const { code, message } = exchangeError(body);
    const said = `${host} answered HTTP ${status}${code === null ? '' : `, ${code}`}${message === '' ? '' : `, ${message}`}`;
    const subject = symbol ?? host;
    if (banCode(status) !== null || code === TOO_MANY_REQUESTS) {
      const of = status === 418 || this.budget.pause?.code === 'OF_BANNED' ? 'OF_BANNED' : 'OF_RATE_LIMITED';
      const detail = `${said}; next request in ${Math.ceil(pausedForMs / 1000)} s`;
      return new OrderFlowError(of, detail, { subject, retryAfterMs: pausedForMs });
    }
    switch (status) {
      case 451:
        return new OrderFlowError('OF_RESTRICTED_LOCATION', host, { subject });
      case 403:
        return new OrderFlowError('OF_FIREWALL', host, { subject, retryAfterMs: pausedForMs });
      case 407:
        return new OrderFlowError('OF_PROXY_AUTH', host, { subject });
    }
    if ((code === -1121 || code === -1100) && symbol !== null)
      return new OrderFlowError(
        'OF_UNKNOWN_SYMBOL',
        `${symbol} (${this.market.name} says ${JSON.stringify(message)})`,
        { subject },
      );
    if (code === -4108 && symbol !== null)
      return new OrderFlowError('OF_CONTRACT_CLOSED', `${symbol} (${said})`, { subject });
    if ((status === 404 || status === 410) && code === null)
      return new OrderFlowError('OF_WRONG_ADDRESS', `${host}${path} answered HTTP ${status}`, {
        subject: host,
      });
    if (code === -1007 || status === 408 || status === 504)
      return new OrderFlowError('OF_TIMEOUT', said, { subject });
    return new OrderFlowError('OF_HTTP_STATUS', said, { subject });
  }
}

/** Why a request was given up before it was sent. */
export function noTurn(url: string, withinMs: number): OrderFlowError {
  const { host } = new URL(url);
  const detail = `${host} had no turn for it within ${Math.ceil(withinMs / 1000)} s`;
  return new OrderFlowError('OF_WEIGHT_EXHAUSTED', detail, { subject: host });
}

/** The exchange's {"code","msg"}; a body of another shape gives neither, for HTML says nothing to a user. */
function exchangeError(body: string): { code: number | null; message: string } {
  try {
    const value: unknown = JSON.parse(body.slice(0, MAX_REFUSAL_TEXT));
    if (typeof value !== 'object' || value === null) return { code: null, message: '' };
    const { code, msg } = value as { code?: unknown; msg?: unknown };
    return {
      code: typeof code === 'number' ? code : null,
      message: typeof msg === 'string' ? oneLine(msg) : '',
    };
  } catch {
    return { code: null, message: '' };
  }
}

export interface RestOptions {
  /** Of the field; the market's own address where it is empty. */
  readonly restBaseUrl?: string;
  readonly timings?: FeedTimings;
  /** The process's own unless given: tests play several processes in one. */
  readonly budgets?: SharedBudgets;
}

/** The REST client of a market and address, one for all who share the budgets, so that what it keeps is kept once. */
export function restClientFor(market: MarketEndpoints, options: RestOptions = {}): RestClient {
  const { timings = FEED_TIMINGS, budgets = sharedBudgets() } = options;
  const url = restBaseUrl(market, options.restBaseUrl);
  const all = processShared('rest-clients', 4, () => new WeakMap<SharedBudgets, Map<string, RestClient>>());
  const clients = all.get(budgets) ?? new Map<string, RestClient>();
  all.set(budgets, clients);
  const key = JSON.stringify([market.id, url, timings]);
  let client = clients.get(key);
  if (!client) {
    const { host, pool } = weightPool(market, url);
    const budget = budgets.budgetFor(host, { pool, weightPerMinute: market.weightPerMinute });
    clients.set(key, (client = new RestClient(market, url, budget, timings)));
  }
  return client;
}
