import type { DepthReply } from '../../book/types';
import { OrderFlowError, toOrderFlowError } from '../../runtime/errors';
import { sleep } from '../../runtime/time';
import { cheapestLimit } from '../rest/depthPlan';
import type { SymbolHost } from './symbolHost';
import type { Fetch, Purpose } from './symbolEvents';
import { REFRESH_BELOW_HEADROOM } from './upkeep';

/** Who is served first when weight is short; see `urgency`. */
const URGENCY = { noBook: 30, edge: 20, audit: 10, deepen: 0 } as const;
const UPDATES_OF_THE_BUSIEST = 5_000;
/** With this many requests in the queue, a first book is asked for as cheaply as readers allow. */
const MANY_WAITING = 10;

/** What the requests of one symbol are ranked by among those of all others, asked while they wait for their turn. */
export interface Ranking {
  /** Updates received: how active the symbol is. */
  received(): number;
  /** Coverage left beyond what readers take: 1 as fresh as the reply, 0 and below: top reads leave it. */
  headroom(): number;
}

export interface FetchHandlers {
  onReply(fetch: Fetch, reply: DepthReply, limit: number): void;
  onFailed(fetch: Fetch, error: OrderFlowError): void;
}

/** The depth requests of one symbol: waits, asks and reports back. What an answer means is decided elsewhere. */
export class DepthFetcher {
  private abort = new AbortController();

  constructor(
    private readonly host: Pick<SymbolHost<never>, 'market' | 'rest' | 'depthPlan'>,
    private readonly symbol: string,
    private readonly ranking: Ranking,
    private readonly handlers: FetchHandlers,
  ) {}

  async fetch(fetch: Fetch): Promise<void> {
    const { signal } = this.abort;
    try {
      if (fetch.afterMs > 0) await sleep(fetch.afterMs, signal);
      const limit = this.limit(fetch.purpose);
      const urgency = () => this.urgency(fetch.purpose);
      const reply = await this.host.rest.depth(this.symbol, limit, { urgency, signal });
      if (!signal.aborted) this.handlers.onReply(fetch, reply, limit);
    } catch (error) {
      if (!signal.aborted) this.handlers.onFailed(fetch, toOrderFlowError(error));
    }
  }

  async wait(ms: number, then: () => void): Promise<void> {
    const { signal } = this.abort;
    await sleep(ms, signal).then(then, () => undefined);
  }

  /** Nothing that is on its way or waits reports back any more. */
  cancel(): void {
    this.abort.abort(new OrderFlowError('OF_INTERNAL', 'given up'));
    this.abort = new AbortController();
  }

  private limit(purpose: Purpose): number {
    if (purpose === 'audit') return cheapestLimit(this.host.market, 1);
    const { first, minimal, full } = this.host.depthPlan(this.symbol);
    if (purpose === 'refresh') return full;
    return this.host.rest.budget.waiting >= MANY_WAITING ? minimal : first;
  }

  private urgency(purpose: Purpose): number {
    const received = this.ranking.received();
    // Below 1 however many there were, and more for each.
    const activity = received / (received + UPDATES_OF_THE_BUSIEST);
    if (purpose === 'audit') return URGENCY.audit;
    if (purpose === 'book') return URGENCY.noBook + activity;
    const left = this.ranking.headroom();
    if (left >= REFRESH_BELOW_HEADROOM) return URGENCY.deepen + activity;
    // Nearest to its edge first; one that is past it cannot be read any more and counts as without a book.
    return left <= 0 ? URGENCY.noBook : URGENCY.edge + (1 - left);
  }
}
