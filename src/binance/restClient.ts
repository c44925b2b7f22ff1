import type { DepthReply } from '../book/types';
import { OrderFlowError } from '../runtime/errors';
import { monotonicMs } from '../runtime/time';
import { parseExchangeInfo, type ExchangeInfo } from './exchangeInfo';
import { httpGet, type HttpHead, type HttpReply } from './http';
import { depthWeight, type Market } from './markets';
import { FEED_TIMINGS, type FeedTimings } from './timings';
import { retryAfterMs } from './refusals';
import type { WeightBudget } from './weightBudget';
import { parseDepthReply } from './wire';

/** A reply of 5000 levels a side is below half a MiB. */
const MAX_DEPTH_BYTES = 4 * 1024 * 1024;
/** The whole list of a large market, with room to grow. */
const MAX_EXCHANGE_INFO_BYTES = 64 * 1024 * 1024;
const EXCHANGE_INFO_AGE_MS = 5 * 60_000;
const MAX_DETAIL_CHARACTERS = 200;

export interface Ask {
  /** The higher the sooner; asked anew while waiting. */
  readonly urgency?: () => number;
  readonly signal?: AbortSignal;
}

/** The REST side of one market at one base URL. Everything it sends goes through the host's weight budget. */
export class RestClient {
  private info: { readonly at: number; readonly value: Promise<ExchangeInfo> } | null = null;

  constructor(
    readonly market: Market,
    readonly url: string,
    readonly budget: WeightBudget,
    private readonly timings: FeedTimings = FEED_TIMINGS,
  ) {}

  /** @throws OrderFlowError */
  async depth(symbol: string, limit: number, ask: Ask = {}): Promise<DepthReply> {
    const query = `?symbol=${encodeURIComponent(symbol)}&limit=${limit}`;
    const weight = depthWeight(this.market, limit);
    const body = await this.get(this.market.depthPath + query, weight, MAX_DEPTH_BYTES, symbol, ask);
    return parseDepthReply(body);
  }

  /** What the market lists; kept for some minutes. @throws OrderFlowError */
  exchangeInfo(urgency: () => number = () => 0): Promise<ExchangeInfo> {
    if (this.info && monotonicMs() - this.info.at < EXCHANGE_INFO_AGE_MS) return this.info.value;
    const path =
      this.market.exchangeInfoPath + (this.market.rule === 'spot' ? '?showPermissionSets=false' : '');
    const value = this.get(path, this.market.exchangeInfoWeight, MAX_EXCHANGE_INFO_BYTES, null, {
      urgency,
    }).then(parseExchangeInfo);
    const entry = { at: monotonicMs(), value };
    this.info = entry;
    value.catch(() => {
      if (this.info === entry) this.info = null;
    });
    return value;
  }

  private async get(
    path: string,
    weight: number,
    maxBytes: number,
    symbol: string | null,
    ask: Ask,
  ): Promise<string> {
    const url = new URL(this.url + path);
    const finished = await this.budget.acquire(weight, ask.urgency ?? (() => 0), ask.signal);
    let pausedForMs = 0;
    const reply = await httpGet(url, {
      connectTimeoutMs: this.timings.connectTimeoutMs,
      requestTimeoutMs: this.timings.requestTimeoutMs,
      lateHeadMs: this.timings.lateHeadMs,
      maxBytes,
      signal: ask.signal,
      // A refusal counts although whoever asked has gone: the next one must not ask into a ban.
      onHead: (head) => (pausedForMs = this.hear(head)),
      onEnd: finished,
    });
    if (reply.status !== 200) throw this.refusal(reply, symbol, pausedForMs);
    return reply.body;
  }

  /** What the head of a reply says about this address. @returns milliseconds that nobody may ask for now; 0: none */
  private hear(head: HttpHead): number {
    const used = Number(head.headers['x-mbx-used-weight-1m']);
    if (Number.isFinite(used) && used >= 0) this.budget.report(used);
    switch (head.status) {
      case 200:
        this.budget.succeeded();
        return 0;
      case 429:
        return this.budget.refuse('OF_RATE_LIMITED', retryAfterMs(head.headers));
      case 418:
        return this.budget.refuse('OF_BANNED', retryAfterMs(head.headers));
      case 403:
        return this.budget.refuse('OF_FIREWALL', retryAfterMs(head.headers), this.timings.firewallPauseMs);
    }
    return 0;
  }

  private refusal(reply: HttpReply, symbol: string | null, pausedForMs: number): OrderFlowError {
    const host = new URL(this.url).host;
    const { code, message } = exchangeError(reply.body);
    const said = `${host}: HTTP ${reply.status}${code === null ? '' : `, ${code}`}${message === '' ? '' : `, ${message}`}`;
    const subject = symbol ?? host;
    switch (reply.status) {
      case 429:
      case 418: {
        const of = reply.status === 418 ? 'OF_BANNED' : 'OF_RATE_LIMITED';
        const detail = `${said}; next request in ${Math.ceil(pausedForMs / 1000)} s`;
        return new OrderFlowError(of, detail, { subject, retryAfterMs: pausedForMs });
      }
      case 451:
        return new OrderFlowError('OF_RESTRICTED_LOCATION', host, { subject });
      case 403:
        return new OrderFlowError('OF_FIREWALL', host, { subject, retryAfterMs: pausedForMs });
      case 407:
        return new OrderFlowError('OF_PROXY_AUTH', host, { subject });
    }
    if ((code === -1121 || code === -1100) && symbol !== null)
      return new OrderFlowError('OF_UNKNOWN_SYMBOL', `${symbol} (${this.market.name}: ${message})`, {
        subject,
      });
    if (code === -1003) {
      const forMs = this.budget.refuse('OF_RATE_LIMITED', retryAfterMs(reply.headers));
      return new OrderFlowError('OF_RATE_LIMITED', said, { subject, retryAfterMs: forMs });
    }
    if (code === -1007 || reply.status === 408 || reply.status === 504)
      return new OrderFlowError('OF_TIMEOUT', said, { subject });
    return new OrderFlowError('OF_HTTP_STATUS', said, { subject });
  }
}

/** The exchange's {"code","msg"}; a body of another shape gives neither, for HTML says nothing to a user. */
function exchangeError(body: string): { code: number | null; message: string } {
  try {
    const value: unknown = JSON.parse(body.slice(0, 4096));
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

/** Text of the exchange for a message: printable, on one line, short. */
export function oneLine(text: string, maxCharacters = MAX_DETAIL_CHARACTERS): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').slice(0, maxCharacters);
}
