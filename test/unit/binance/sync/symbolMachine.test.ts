import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { ReplyOutcome, UpdateOutcome } from '../../../../src/book/bookSync';
import type { Fetch, Step, SymbolEvent, SymbolState } from '../../../../src/binance/sync/symbolEvents';
import { step, tickDueAt } from '../../../../src/binance/sync/symbolMachine';
import { INITIAL } from '../../../../src/binance/sync/transitions';
import { OrderFlowError } from '../../../../src/runtime/errors';
import { must } from '../../../faults/scenario';
import { runs } from '../../../support/runs';
import { factsOf, type TestFacts } from './facts';

const ERRORS = [
  new OrderFlowError('OF_TIMEOUT', 'slow'),
  new OrderFlowError('OF_STREAM_CLOSED', 'closed'),
  new OrderFlowError('OF_RESTRICTED_LOCATION', 'here'),
  new OrderFlowError('OF_UNKNOWN_SYMBOL', 'NONE'),
];
const UNFIT: ReplyOutcome[] = ['reply-too-old', 'behind', 'gap', 'crossed'];

/** What the outside does next. Numbers choose among what is possible at that moment. */
type Act =
  | { readonly kind: 'up' | 'stop' | 'restart' | 'late' }
  | { readonly kind: 'lost' | 'unreadable' | 'failed'; readonly error: OrderFlowError }
  | { readonly kind: 'update' | 'answer'; readonly choice: number }
  | { readonly kind: 'wait'; readonly ms: number; readonly headroom: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'up' } as const) },
  { weight: 1, arbitrary: fc.constantFrom('stop' as const, 'restart' as const).map((kind) => ({ kind })) },
  { weight: 3, arbitrary: fc.constant({ kind: 'late' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('lost' as const, 'unreadable' as const, 'failed' as const),
      error: fc.constantFrom(...ERRORS),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constantFrom('update' as const, 'answer' as const, 'answer' as const),
      choice: fc.nat(5),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 100, 1_000, 8_000, 100_000),
      headroom: fc.constantFrom(-1, 0.2, 0.9, Infinity),
    }),
  },
);

/** The outside of one symbol: what BookSync holds, what was asked for, and every promise that a step has to keep. */
class Outside {
  state: SymbolState = INITIAL;
  readonly facts: TestFacts = factsOf();
  /** BookSync holds a book; an update was joined to it. */
  private book: 'none' | 'reply' | 'joined' = 'none';
  /** Requests and waits that have not been answered or given up; those that were given up may still answer late. */
  private pending: { readonly purpose: SymbolState['request']; readonly generation: number }[] = [];
  private readonly late: SymbolEvent[] = [];

  follow(act: Act): void {
    switch (act.kind) {
      case 'up':
        return this.send({ type: 'stream-up' });
      case 'lost':
        return this.send({ type: 'stream-lost', error: act.error });
      case 'unreadable':
        return this.send({ type: 'unreadable', error: act.error });
      case 'stop':
      case 'restart':
        return this.send({ type: act.kind });
      case 'late':
        return this.answerLate();
      case 'failed':
        return this.answer((generation) => ({ type: 'failed', generation, error: act.error }));
      case 'answer':
        return this.answer((generation, purpose) => this.reply(generation, purpose, act.choice));
      case 'update':
        return this.update(act.choice);
      case 'wait':
        this.facts.now += act.ms;
        this.facts.headroom = act.headroom;
        this.tickBeforeItsTime();
        this.send({ type: 'tick' });
        this.facts.moved = false;
    }
  }

  /** Nothing goes wrong any more: the symbol has to become live, whatever came before. */
  settle(): void {
    if (this.state.phase === 'stopped') this.send({ type: 'restart' });
    this.facts.headroom = 1;
    this.send({ type: 'stream-up' });
    for (let i = 0; i < 40 && this.state.phase !== 'live'; i++) {
      if (this.state.request === 'second-look')
        this.answer((generation) => ({ type: 'second-look', generation, seen: 'same' }));
      else this.answer((generation, purpose) => this.reply(generation, purpose, 0));
      this.facts.now += 10_000;
      this.send({ type: 'tick' });
    }
    must(this.state.phase === 'live', 'not live although nothing goes wrong');
  }

  /** Who skips the ticks before the time that the machine names misses nothing. */
  private tickBeforeItsTime(): void {
    if (this.facts.now >= tickDueAt(this.state, this.facts)) return;
    must(
      step(this.state, { type: 'tick' }, this.facts) === null,
      'a tick that was not due changes something',
    );
  }

  private update(choice: number): void {
    const possible: UpdateOutcome[] =
      this.book === 'none' ? ['buffered'] : ['applied', 'applied', 'ignored', 'gap', 'crossed', 'ids-reset'];
    const outcome = possible[choice % possible.length];
    this.facts.received++;
    this.facts.lastReceivedAt = this.facts.now;
    if (outcome === 'applied') {
      Object.assign(this.facts, { lastAppliedAt: this.facts.now, moved: true });
      this.book = 'joined';
    } else if (outcome !== 'buffered' && outcome !== 'ignored') this.book = 'none';
    // The fast path: it does not reach the state machine.
    if (this.state.phase === 'live' && outcome === 'applied') return;
    if (outcome !== 'buffered' && outcome !== 'ignored') this.send({ type: 'update', outcome });
  }

  private reply(generation: number, purpose: SymbolState['request'], choice: number): SymbolEvent {
    const limit = 100;
    if (purpose === 'audit' || purpose === 'second-look') {
      const seen = (['same', 'moved-on', 'older'] as const)[choice % 3];
      return { type: purpose, generation, seen };
    }
    if (purpose === 'refresh') {
      const outcome = (['refreshed', 'refreshed-different', 'reply-too-old'] as const)[choice % 3];
      return { type: 'refresh', generation, outcome, joined: this.book === 'joined', limit };
    }
    const outcome = choice < 2 ? 'live' : UNFIT[choice - 2];
    if (outcome === 'live') this.book = choice === 0 ? 'reply' : 'joined';
    return { type: 'book', generation, outcome, joined: this.book === 'joined', limit };
  }

  private answer(event: (generation: number, purpose: SymbolState['request']) => SymbolEvent): void {
    const asked = this.pending.shift();
    if (asked !== undefined) this.send(event(asked.generation, asked.purpose));
  }

  private answerLate(): void {
    const event = this.late.shift();
    if (event === undefined) return;
    must(step(this.state, event, this.facts) === null, 'a late answer changes something');
  }

  private send(event: SymbolEvent): void {
    const before = Object.freeze(this.state);
    const next = step(before, event, this.facts);
    must(isDeepStrictEqual(step(before, event, this.facts), next), 'the same event led to something else');
    must(before.phase !== 'stopped' || event.type === 'restart' || next === null, 'it acts after its end');
    if (next === null) return;
    this.state = next.state;
    this.perform(next);
    this.check(before, next);
  }

  private perform({ actions }: Step): void {
    for (const action of actions) {
      if (action.type === 'reset-book') this.book = 'none';
      if (action.type === 'cancel-requests') this.giveUp();
      if (action.type === 'fetch') this.ask(action);
      if (action.type === 'look-again')
        this.pending.push({ purpose: 'second-look', generation: action.generation });
    }
  }

  private ask({ purpose, generation, afterMs }: Fetch): void {
    must(afterMs >= 0, 'a wait that is none');
    this.pending.push({ purpose, generation });
  }

  private giveUp(): void {
    for (const { purpose, generation } of this.pending) {
      const book = this.book;
      this.late.push({ type: 'failed', generation, error: ERRORS[0] });
      this.late.push(this.reply(generation, purpose, 1));
      this.book = book;
    }
    this.pending = [];
  }

  private check(before: SymbolState, { state, actions }: Step): void {
    const { phase, shown, request, generation } = state;
    const types = actions.map(({ type }) => type);
    const reports = types.filter((type) => type.startsWith('report-'));
    must((shown === 'live') === (phase === 'live'), 'what is not live is shown as live');
    must((phase === 'live' || phase === 'syncing') === (this.book !== 'none'), `${phase} with ${this.book}`);
    must(phase !== 'syncing' || this.book === 'reply', 'a joined book is not live');
    const runs = phase === 'buffering' || phase === 'syncing' || phase === 'live';
    const waits = request === null ? [] : [{ purpose: request, generation }];
    must(isDeepStrictEqual(this.pending, waits), 'not the one request that the state knows of');
    must(phase !== 'buffering' || request === 'book', 'buffering waits for nothing');
    must(runs || request === null, `${phase} asks`);
    must(
      isDeepStrictEqual(types.slice(types.length - reports.length), reports),
      'a report is not last: what follows may come too late',
    );
    const news =
      shown !== before.shown ||
      state.terminal !== before.terminal ||
      state.error?.code !== before.error?.code;
    must(
      reports.includes('report-status') === news,
      'a change that nobody hears of, or none that is reported',
    );
    must(!reports.includes('report-book') || phase === 'live', 'a book that cannot be read is reported');
    must(
      phase !== 'live' || before.phase === 'live' || reports.includes('report-book'),
      'live, and not said',
    );
    must(reports.includes('report-end') === (state.terminal && !before.terminal), 'an end');
    must(shown !== 'backing-off' || state.error !== null, 'backing off without a reason');
    must(state.terminal === (phase === 'stopped' && state.error !== null), 'terminal and not stopped');
    must(generation >= before.generation, 'an earlier generation');
    must(
      actions.every((action) => action.type !== 'reset-book' || action.shown === (before.phase === 'live')),
      'BookSync hears wrongly whether the book was shown',
    );
  }
}

test('keeps every promise in whatever order events come, and becomes live once nothing goes wrong', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const outside = new Outside();
      for (const one of acts) outside.follow(one);
      outside.settle();
    }),
    runs(2_000),
  );
});
