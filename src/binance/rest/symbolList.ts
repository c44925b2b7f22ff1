import type { Ticker } from '../../feed/activity';
import { type Listing, UNLISTED } from '../../feed/listing';
import { isOrderFlowError } from '../../runtime/errors';
import { monotonicMs, wallMs } from '../../runtime/time';
import type { ExchangeInfo } from '../wire/exchangeInfo';
import type { Ask } from './ask';

/** A picker may show a list as old as this. Milliseconds. */
const WHOLE_LIST_AGE_MS = 5 * 60_000;
/** So many symbols still fit into the address of a request; for more the whole list is asked. */
const MAX_NAMED = 100;

interface Question<T> {
  /** Monotonic. */
  readonly askedAt: number;
  readonly answer: Promise<T>;
}

/**
 * A market's symbol list, asked as seldom as its users allow. Spot answers for the symbols that are named, in a few
 * kilobytes; futures give the whole list only. Whoever asks while an answer is on its way gets that one.
 */
export class SymbolList {
  private readonly questions = new Map<string, Question<Listing>>();
  private readonly answers = new Map<string, Listing>();
  private whole: Question<ExchangeInfo> | null = null;
  private activity: Question<Ticker[]> | null = null;

  constructor(
    private readonly request: (symbols: readonly string[] | null, ask: Ask) => Promise<ExchangeInfo>,
    private readonly requestTickers: (ask: Ask) => Promise<Ticker[]>,
    private readonly canNameSymbols: boolean,
  ) {}

  /** The whole list, as heard within `maxAgeMs`. @throws OrderFlowError */
  all(ask: Ask = {}, maxAgeMs = WHOLE_LIST_AGE_MS): Promise<ExchangeInfo> {
    if (isFresh(this.whole, maxAgeMs)) return this.whole.answer;
    const answer = this.request(null, ask);
    const question = (this.whole = { askedAt: monotonicMs(), answer });
    answer.then(
      (info) => this.keepAll(info),
      () => {
        if (this.whole === question) this.whole = null;
      },
    );
    return answer;
  }

  /** What each symbol traded in 24 hours, as heard within `maxAgeMs`. @throws OrderFlowError */
  tickers(ask: Ask = {}, maxAgeMs = WHOLE_LIST_AGE_MS): Promise<Ticker[]> {
    if (isFresh(this.activity, maxAgeMs)) return this.activity.answer;
    const answer = this.requestTickers(ask);
    const question = (this.activity = { askedAt: monotonicMs(), answer });
    answer.catch(() => {
      if (this.activity === question) this.activity = null;
    });
    return answer;
  }

  /** What the list says of these symbols, as heard within `maxAgeMs`. @throws OrderFlowError */
  async of(symbols: readonly string[], ask: Ask, maxAgeMs: number): Promise<Map<string, Listing>> {
    const missing = symbols.filter((symbol) => !isFresh(this.questions.get(symbol) ?? null, maxAgeMs));
    if (missing.length > 0) this.askFor(missing, ask, maxAgeMs);
    const asked = symbols.map((symbol) => this.questions.get(symbol) as Question<Listing>);
    const listings = await Promise.all(asked.map(({ answer }) => answer));
    return new Map(symbols.map((symbol, i) => [symbol, listings[i]]));
  }

  /** The last known listing of a symbol, however old; null before the first answer. */
  known(symbol: string): Listing | null {
    return this.answers.get(symbol) ?? null;
  }

  private askFor(symbols: readonly string[], ask: Ask, maxAgeMs: number): void {
    const reply = this.replyFor(symbols, ask, maxAgeMs);
    const askedAt = monotonicMs();
    for (const symbol of symbols) {
      const answer = reply.then((info) => this.keep(symbol, info));
      const question = { askedAt, answer };
      this.questions.set(symbol, question);
      answer.catch(() => {
        if (this.questions.get(symbol) === question) this.questions.delete(symbol);
      });
    }
  }

  private async replyFor(symbols: readonly string[], ask: Ask, maxAgeMs: number): Promise<ExchangeInfo> {
    if (!this.canNameSymbols || symbols.length > MAX_NAMED) return this.all(ask, maxAgeMs);
    try {
      return await this.request(symbols, ask);
    } catch (error) {
      // One name that is unknown or closed and the exchange refuses them all, without saying which.
      if (isOrderFlowError(error) && UNLISTED.has(error.code)) return this.all(ask, maxAgeMs);
      throw error;
    }
  }

  private keep(symbol: string, info: ExchangeInfo): Listing {
    const listing = { listed: info.get(symbol) ?? null, knownAtMs: wallMs() };
    this.answers.set(symbol, listing);
    return listing;
  }

  private keepAll(info: ExchangeInfo): void {
    for (const symbol of this.answers.keys()) this.keep(symbol, info);
  }
}

function isFresh<T>(question: Question<T> | null, maxAgeMs: number): question is Question<T> {
  return question !== null && monotonicMs() - question.askedAt < maxAgeMs;
}
