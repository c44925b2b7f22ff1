import fc from 'fast-check';
import { fastCodec, type FeedCodec, plainCodec, type SymbolUpdate } from '../../../src/binance/wire/codec';
import { ENDPOINTS } from '../../../src/binance/endpoints';
import type { RestClient } from '../../../src/binance/rest/restClient';
import { SymbolFeed } from '../../../src/binance/sync/symbolFeed';
import type { SymbolHost } from '../../../src/binance/sync/symbolHost';
import { FEED_TIMINGS } from '../../../src/binance/timings';
import { parseDepthReply } from '../../../src/binance/wire/jsonReader';
import { OrderFlowError, toOrderFlowError } from '../../../src/runtime/errors';
import { ModelMarket } from '../../faults/model/market';
import { depthText, eventFrame, type ModelKind } from '../../faults/model/wireText';
import { Random } from '../../faults/random';
import { must } from '../../faults/scenario';
import { agrees } from '../../faults/scene';

/** Time and every wait are the scheduler's: what comes first is nobody's but its choice. */
const mockTime = {
  nowMs: 0,
  sleep: (_ms: number, _signal?: AbortSignal): Promise<void> => Promise.resolve(),
};
jest.mock('../../../src/runtime/time', () => ({
  ...jest.requireActual<object>('../../../src/runtime/time'),
  monotonicMs: () => mockTime.nowMs,
  wallMs: () => 1_700_000_000_000 + Math.floor(mockTime.nowMs),
  sleep: (ms: number, signal?: AbortSignal) => mockTime.sleep(ms, signal),
}));

const SYMBOL = 'BTCUSDT';
const LEVELS = 16;
const STEP_MS = 100;
/** Steps without a fault until the book has to be live, and stay so. */
const CALM_STEPS = 80;
const SETTLED_STEPS = 5;
const TASKS_A_STEP = 12;
const MOST_TASKS_AN_ACT = 20;
const MOST_TASKS_TO_END = 5_000;

/** What the outside does next; everything else (frames, replies, waits, reopening) comes when the scheduler says so. */
type Act = 'step' | 'lose' | 'garble' | 'repeat' | 'close' | 'tick' | 'refuse' | 'startOver' | 'release';

interface Plan {
  readonly kind: ModelKind;
  readonly reader: 'plain' | 'fast';
  readonly seed: number;
  /** As TCP delivers; without, frames overtake each other. */
  readonly inOrder: boolean;
  /** Quiet streams are believed and looked after at once, so that audits and refreshes race with the rest. */
  readonly eager: boolean;
  readonly acts: readonly Act[];
}

class Race<U extends SymbolUpdate> {
  readonly market: ModelMarket;
  private feed: SymbolFeed<U>;
  private gone: Array<SymbolFeed<U>> = [];
  private connection = 1;
  private refusals = 0;
  private lastFrame: Promise<void> = Promise.resolve();
  /** Requests and waits that have not ended. */
  private open = 0;
  private calmed = false;
  /** Reported at the end: thrown inside a callback it would be taken for the package's own failure. */
  private readonly wrong: string[] = [];

  constructor(
    private readonly plan: Plan,
    private readonly scheduler: fc.Scheduler,
    private readonly codec: FeedCodec<U>,
  ) {
    this.market = new ModelMarket(new Random(plan.seed), plan.kind === 'futures');
    mockTime.nowMs = 1_000;
    mockTime.sleep = (ms, signal) => this.sleep(ms, signal);
    this.feed = this.opened();
  }

  async run(): Promise<void> {
    const { acts } = this.plan;
    const outside = this.scheduler.scheduleSequence(
      acts.map((act) => ({ label: act, builder: async () => this.follow(act) })),
    );
    await this.goOn(acts.length * MOST_TASKS_AN_ACT, () => outside.done);
    await this.calm();
    this.release(false);
    await this.goOn(MOST_TASKS_TO_END);
    must(this.wrong.length === 0, () => this.wrong.slice(0, 3).join('; '));
    for (const feed of this.gone) must(feed.status().state === 'stopped', 'a released symbol goes on');
    must(this.open === 0, () => `${this.open} requests or waits are left`);
  }

  /** Lets so many things happen at most: who asks until it suits him would ask for ever while the market stands still. */
  private async goOn(tasks: number, done: () => boolean = () => false): Promise<void> {
    const { scheduler } = this;
    for (let i = 0; i < tasks && !done(); i++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (scheduler.count() === 0) return;
      await scheduler.waitNext(1);
    }
  }

  private follow(act: Act): void {
    mockTime.nowMs += STEP_MS / 2;
    switch (act) {
      case 'step':
        this.send((frame) => [frame]);
        break;
      case 'lose':
        this.send(() => []);
        break;
      case 'garble':
        this.send((frame) => [frame.subarray(0, frame.length / 2)]);
        break;
      case 'repeat':
        this.send((frame) => [frame, frame]);
        break;
      case 'close':
        this.lost(new OrderFlowError('OF_STREAM_CLOSED', 'closed'));
        break;
      case 'tick':
        this.feed.tick();
        break;
      case 'refuse':
        this.refusals++;
        break;
      case 'startOver':
        this.market.startOver();
        break;
      case 'release':
        this.release(true);
    }
    this.check();
  }

  /** Nothing goes wrong any more, and what is sent arrives in its order. */
  private async calm(): Promise<void> {
    const { market } = this;
    this.calmed = true;
    this.refusals = 0;
    let settled = 0;
    for (let step = 0; step < CALM_STEPS && settled < SETTLED_STEPS; step++) {
      mockTime.nowMs += STEP_MS;
      this.send((frame) => [frame]);
      await this.goOn(TASKS_A_STEP);
      this.feed.tick();
      await this.goOn(TASKS_A_STEP);
      this.check();
      const { state, lastUpdateId } = this.feed.status();
      settled = state === 'live' && lastUpdateId === market.id ? settled + 1 : 0;
    }
    must(settled === SETTLED_STEPS, () => `not live again: ${JSON.stringify(this.feed.status())}`);
  }

  private send(shape: (frame: Buffer) => readonly Buffer[]): void {
    const event = this.market.step();
    const { connection } = this;
    for (const frame of shape(eventFrame(event, this.plan.kind, event.final % 2 === 0))) {
      const arrive = () => this.scheduler.schedule(Promise.resolve(), `frame ${event.first}-${event.final}`);
      const before = this.plan.inOrder || this.calmed ? this.lastFrame : Promise.resolve();
      this.lastFrame = before.then(arrive).then(() => {
        if (connection === this.connection) this.take(frame);
      });
    }
  }

  private take(frame: Buffer): void {
    mockTime.nowMs += 1;
    let decoded;
    try {
      decoded = this.codec.decode(frame, this.plan.kind === 'futures');
    } catch (error) {
      this.feed.onUnreadable(toOrderFlowError(error));
      return this.check();
    }
    if (decoded.kind === 'depth') this.feed.onUpdate(decoded.update);
    this.check();
  }

  /** As the slot does it: the streams are lost, and come back on a connection that is to be opened. */
  private lost(error: OrderFlowError): void {
    const { feed } = this;
    const connection = ++this.connection;
    feed.streamLost(error);
    void this.scheduler.schedule(Promise.resolve(), 'reopened').then(() => {
      if (connection === this.connection && feed === this.feed) feed.streamUp();
      this.check();
    });
  }

  /** The symbol loses its last reader; perhaps another one takes it up again. */
  private release(again: boolean): void {
    this.feed.stop();
    this.gone.push(this.feed);
    this.connection++;
    if (again) this.feed = this.opened();
  }

  private opened(): SymbolFeed<U> {
    const feed = new SymbolFeed(this.host(), SYMBOL);
    const { connection } = this;
    void this.scheduler.schedule(Promise.resolve(), 'acknowledged').then(() => {
      if (connection === this.connection && feed === this.feed) feed.streamUp();
    });
    return feed;
  }

  private host(): SymbolHost<U> {
    const { eager } = this.plan;
    const never = 1e9;
    const budget = { usedWeight: null, waiting: 0, pause: null, clearsInMs: 0, perMinute: 3_000 };
    const depth: RestClient['depth'] = (_symbol, limit, ask) => this.depth(limit, ask?.signal);
    return {
      market: this.plan.kind === 'spot' ? ENDPOINTS.spot : ENDPOINTS.usdm,
      speedMs: STEP_MS,
      codec: this.codec,
      rest: { depth, budget } as unknown as RestClient,
      timings: {
        ...FEED_TIMINGS,
        ...{ quietSyncMs: eager ? 0 : never, firstAuditMs: eager ? 50 : 1_000, auditMs: eager ? 50 : never },
        ...{ auditWaitMs: 10, refreshPauseMs: 10, backoffFactor: 0.01 },
      },
      random: () => 0.5,
      depthPlan: () => ({ first: 20, minimal: 20, full: 100 }),
      levels: () => LEVELS,
      liveAgeMs: () => 0,
      tickAt: () => undefined,
      resubscribe: (_symbol, error) => this.lost(error),
      onBook: (feed) => {
        if (this.gone.some((gone) => gone === feed)) this.wrong.push('a released symbol tells of a book');
        this.check();
      },
      onStatus: () => this.check(),
      onEnded: () => void this.wrong.push('ended for good'),
    };
  }

  /** The exchange reads its book at one moment, and the reply arrives at another. */
  private depth(limit: number, signal?: AbortSignal): ReturnType<RestClient['depth']> {
    const { scheduler, market } = this;
    const refused = this.refusals > 0 && this.refusals-- > 0;
    const reply = scheduler.schedule(Promise.resolve(), 'the exchange reads its book').then(() => {
      const { id, timeMs } = market;
      const text = depthText(id, market.booksAt(id)[0], limit, timeMs, this.plan.kind);
      return scheduler.schedule(Promise.resolve(text), `the reply of ${id} arrives`);
    });
    return this.counted(signal, reply).then((text) => {
      if (refused) throw new OrderFlowError('OF_TIMEOUT', 'refused');
      return parseDepthReply(text);
    });
  }

  private sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const dueAt = mockTime.nowMs + ms;
    const over = this.scheduler.schedule(Promise.resolve(), `${ms.toFixed(0)} ms are over`);
    return this.counted(
      signal,
      over.then(() => void (mockTime.nowMs = Math.max(mockTime.nowMs, dueAt))),
    );
  }

  /** Ends at once where it is given up, as the package's own requests and waits do. */
  private counted<T>(signal: AbortSignal | undefined, result: Promise<T>): Promise<T> {
    this.open++;
    return new Promise<T>((resolve, reject) => {
      const giveUp = () => reject(signal?.reason as Error);
      if (signal?.aborted) giveUp();
      signal?.addEventListener('abort', giveUp, { once: true });
      void result.then(resolve, reject).finally(() => signal?.removeEventListener('abort', giveUp));
    }).finally(() => this.open--);
  }

  /** The invariant: whatever can be read is the true book at its id, and nothing can be read of what was released. */
  private check(): void {
    if (this.gone.some((feed) => feed.read(LEVELS) !== null))
      this.wrong.push('a released symbol can be read');
    const book = this.feed?.read(LEVELS) ?? null;
    if (book === null) return;
    const truths = this.market.booksAt(book.lastUpdateId);
    const same = truths.some(
      ({ bids, asks }) =>
        agrees(book.bids, bids.slice(0, LEVELS), book.bidsComplete) &&
        agrees(book.asks, asks.slice(0, LEVELS), book.asksComplete),
    );
    if (!same)
      this.wrong.push(`the book at ${book.lastUpdateId} is not the market's (${truths.length} known)`);
  }
}

const act = fc.oneof(
  { weight: 14, arbitrary: fc.constant<Act>('step') },
  { weight: 4, arbitrary: fc.constant<Act>('tick') },
  {
    weight: 6,
    arbitrary: fc.constantFrom<Act>('lose', 'garble', 'repeat', 'close', 'refuse', 'startOver', 'release'),
  },
);
const plan: fc.Arbitrary<Plan> = fc.record({
  kind: fc.constantFrom<ModelKind>('spot', 'futures'),
  reader: fc.constantFrom('plain' as const, 'fast' as const),
  seed: fc.nat(1_000),
  inOrder: fc.boolean(),
  eager: fc.boolean(),
  acts: fc.array(act, { minLength: 1, maxLength: 40 }),
});

test('in whatever order frames, replies, waits, reopenings and releases come, only true books can be read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plan, async (scheduler, one) => {
      if (one.reader === 'plain') await new Race(one, scheduler, plainCodec).run();
      else await new Race(one, scheduler, fastCodec()).run();
    }),
    { numRuns: 500, seed: 20_261_126 },
  );
});
