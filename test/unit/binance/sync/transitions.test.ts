import type { ReplyOutcome } from '../../../../src/book/bookSync';
import type { Step, SymbolEvent, SymbolState } from '../../../../src/binance/sync/symbolEvents';
import { step, tickDueAt } from '../../../../src/binance/sync/symbolMachine';
import { INITIAL } from '../../../../src/binance/sync/transitions';
import { OrderFlowError } from '../../../../src/runtime/errors';
import { factsOf, type TestFacts } from './facts';

const LOST = new OrderFlowError('OF_STREAM_CLOSED', 'closed');
const SLOW = new OrderFlowError('OF_TIMEOUT', 'slow');
const RESTRICTED = new OrderFlowError('OF_RESTRICTED_LOCATION', 'here');
const UNKNOWN = new OrderFlowError('OF_UNKNOWN_SYMBOL', 'BTCUSDT');

let facts: TestFacts;
let state: SymbolState;
beforeEach(() => {
  facts = factsOf();
  state = INITIAL;
});

/** Sends events one after the other. @returns the last step; what it changed is the state for the next one */
function send(...events: (SymbolEvent | (() => SymbolEvent))[]): Step | null {
  let last: Step | null = null;
  for (const event of events) {
    last = step(state, typeof event === 'function' ? event() : event, facts);
    if (last !== null) state = last.state;
  }
  return last;
}

const UP: SymbolEvent = { type: 'stream-up' };
const TICK: SymbolEvent = { type: 'tick' };
const lost = (error = LOST): SymbolEvent => ({ type: 'stream-lost', error });
/** Answers carry the generation of the moment in which they are sent. */
const failed = (error: OrderFlowError) => (): SymbolEvent => ({
  type: 'failed',
  generation: state.generation,
  error,
});
const book =
  (outcome: ReplyOutcome, joined = false) =>
  (): SymbolEvent => ({
    ...{ type: 'book', generation: state.generation, outcome, joined, limit: 100 },
  });
const refresh = (outcome: ReplyOutcome) => (): SymbolEvent => ({
  ...{ type: 'refresh', generation: state.generation, outcome, joined: true, limit: 100 },
});
const audit =
  (seen: 'same' | 'moved-on' | 'older', type: 'audit' | 'second-look' = 'audit') =>
  (): SymbolEvent => ({
    ...{ type, generation: state.generation, seen },
  });
const update = (
  outcome: 'applied' | 'gap' | 'crossed' | 'ids-reset' | 'buffered' | 'ignored',
): SymbolEvent => ({
  ...{ type: 'update', outcome },
});
const types = (last: Step | null) => last?.actions.map(({ type }) => type) ?? null;
const shown = () => [state.phase, state.shown, state.error?.code ?? null];
const afterMs = (last: Step | null) =>
  last?.actions.flatMap((action) => ('afterMs' in action ? [action.afterMs] : []))[0];
const becomeLive = () => send(UP, book('live', true));

describe('from the first event to a live book', () => {
  test('a symbol begins with a connection to be opened', () => {
    expect(shown()).toEqual(['connecting', 'connecting', null]);
  });

  test('a stream that is up asks for a book at once', () => {
    expect(send(UP)?.actions).toEqual([
      { type: 'cancel-requests' },
      { type: 'fetch', purpose: 'book', generation: 1, afterMs: 0 },
      { type: 'report-status' },
    ]);
    expect(shown()).toEqual(['buffering', 'syncing', null]);
  });

  test('a reply that updates were joined to is live', () => {
    send(UP);
    expect(types(send(book('live', true)))).toEqual(['report-status', 'report-book']);
    expect(shown()).toEqual(['live', 'live', null]);
    expect(state).toMatchObject({
      wasLive: true,
      resyncs: 0,
      generation: 1,
      request: null,
      coveredDepth: 100,
    });
  });

  test('a reply alone waits for the first update', () => {
    send(UP);
    expect(send(book('live'))?.actions).toEqual([]);
    expect(shown()).toEqual(['syncing', 'syncing', null]);
    expect(types(send(update('applied')))).toEqual(['report-status', 'report-book']);
  });

  test('a quiet stream confirms a reply after 1 s, and after one and a half intervals where these are longer', () => {
    send(UP, book('live'));
    facts.now += 999;
    send(TICK);
    expect(state.phase).toBe('syncing');
    facts.now += 1;
    expect(types(send(TICK))).toEqual(['report-status', 'report-book']);
    state = INITIAL;
    facts.speedMs = 1_000;
    send(UP, book('live'));
    facts.now += 1_499;
    send(TICK);
    expect(state.phase).toBe('syncing');
    facts.now += 1;
    send(TICK);
    expect(state.phase).toBe('live');
  });

  test('updates that come and do not join are followed by an audit', () => {
    send(UP, book('live'));
    facts.now += 7_999;
    facts.lastReceivedAt = facts.now;
    expect(send(TICK)).not.toMatchObject({ state: { request: 'audit' } });
    facts.now += 1;
    send(TICK);
    expect(state).toMatchObject({ phase: 'syncing', request: 'audit' });
    expect(send(TICK)).toBeNull();
    // The exchange's book has not moved on: still no update has joined.
    send(audit('same'));
    expect(state).toMatchObject({ phase: 'syncing', request: null });
  });

  test('an acknowledgement of a stream that is up changes no book', () => {
    becomeLive();
    expect(send(UP)?.actions).toEqual([]);
    expect(state).toMatchObject({ phase: 'live', generation: 1, auditAt: facts.now + 8_000 });
    facts.random = 0;
    send(UP);
    expect(state.auditAt).toBe(facts.now + 6_000);
  });
});

describe('replies that do not fit', () => {
  test('are asked for again after growing waits, and reported from the third on', () => {
    facts.random = 0;
    send(UP);
    const waits = Array.from({ length: 9 }, (_, i) => {
      const last = send(book('reply-too-old'));
      expect(state.error?.code ?? null).toBe(i < 2 ? null : 'OF_SNAPSHOT_STALE');
      return afterMs(last);
    });
    expect(waits).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 4_000, 4_000]);
    expect(shown()).toEqual(['buffering', 'syncing', 'OF_SNAPSHOT_STALE']);
    facts.random = 1;
    expect(afterMs(send(book('gap')))).toBe(8_000);
  });

  test('are named as crossed where they are', () => {
    send(UP, book('crossed'), book('crossed'), book('crossed'));
    expect(shown()).toEqual(['buffering', 'backing-off', 'OF_BOOK_BROKEN']);
    expect(state.error).toMatchObject({
      detail: 'BTCUSDT (in a reply of the exchange)',
      subject: 'BTCUSDT',
    });
  });

  test.each([1, 3])(
    'are believed after a minute, times the backoff factor of %i, where each ends before a book that could be read',
    (factor) => {
      facts.timings = { ...facts.timings, backoffFactor: factor };
      send(UP, book('reply-too-old'));
      facts.now += 60_000 * factor;
      expect(types(send(book('behind')))).not.toContain('accept-id-reset');
      facts.now += 60_000 * factor - 1;
      expect(types(send(book('behind')))).not.toContain('accept-id-reset');
      facts.now += 1;
      expect(types(send(book('reply-too-old')))).not.toContain('accept-id-reset');
      expect(types(send(book('behind')))?.slice(0, 2)).toEqual(['accept-id-reset', 'fetch']);
    },
  );

  test('the first update that does not fit fetches the book again, and is reported the third time', () => {
    for (let i = 0; i < 2; i++) {
      send(UP, book('live'));
      expect(types(send(update('gap')))?.slice(0, 2)).toEqual(['cancel-requests', 'fetch']);
      expect(state.error).toBeNull();
    }
    send(book('live'), update('gap'));
    expect(shown()).toEqual(['buffering', 'syncing', 'OF_SNAPSHOT_STALE']);
    expect(state.error).toMatchObject({ detail: 'BTCUSDT', subject: 'BTCUSDT' });
    expect(state.resyncs).toBe(0);
  });
});

describe('requests that fail', () => {
  test('are tried again after growing waits', () => {
    facts.random = 1;
    send(UP);
    expect([1, 2, 3].map(() => afterMs(send(failed(SLOW))))).toEqual([1_000, 2_000, 4_000]);
    expect(shown()).toEqual(['buffering', 'backing-off', 'OF_TIMEOUT']);
    // Short of weight is no failure of the exchange.
    send(failed(new OrderFlowError('OF_WEIGHT_EXHAUSTED', 'full')));
    expect(shown()).toEqual(['buffering', 'syncing', 'OF_WEIGHT_EXHAUSTED']);
  });

  test('are counted from the first again where the stream is a new one', () => {
    facts.random = 1;
    send(UP, failed(SLOW), failed(SLOW), book('reply-too-old'), book('behind'), lost(), UP);
    expect(afterMs(send(failed(SLOW)))).toBe(1_000);
    expect(afterMs(send(book('reply-too-old')))).toBe(100);
  });

  test.each([RESTRICTED, UNKNOWN])('end the symbol where no retry mends them: $code', (error) => {
    send(UP);
    expect(types(send(failed(error)))).toEqual([
      'cancel-requests',
      'reset-book',
      'report-status',
      'report-end',
    ]);
    expect(shown()).toEqual(['stopped', 'stopped', error.code]);
    expect(state).toMatchObject({ terminal: true, request: null });
  });

  test('a restriction of a feed that has worked is tried again slowly, an unknown symbol is not', () => {
    becomeLive();
    send(lost(), UP);
    expect(afterMs(send(failed(RESTRICTED)))).toBe(300_000);
    send(failed(UNKNOWN));
    expect(state.phase).toBe('stopped');
  });
});

describe('a book that breaks', () => {
  test.each([
    ['gap', 'OF_SEQUENCE_GAP', 'BTCUSDT (updates are missing)'],
    ['crossed', 'OF_BOOK_BROKEN', 'BTCUSDT (an update left it crossed)'],
    ['ids-reset', 'OF_SEQUENCE_GAP', 'BTCUSDT (update ids went backwards)'],
  ] as const)('%s: is fetched again from the start', (outcome, code, detail) => {
    becomeLive();
    expect(types(send(update(outcome)))).toEqual(['cancel-requests', 'fetch', 'report-status']);
    expect(shown()).toEqual(['buffering', 'syncing', code]);
    expect(state).toMatchObject({ resyncs: 1, generation: 2 });
    expect(state.error).toMatchObject({ detail, subject: 'BTCUSDT' });
  });

  test('an unreadable frame forgets the book that was shown', () => {
    becomeLive();
    expect(send({ type: 'unreadable', error: SLOW })?.actions[0]).toEqual({
      type: 'reset-book',
      shown: true,
    });
    expect(state).toMatchObject({ resyncs: 1, phase: 'buffering', shown: 'syncing', error: SLOW });
    expect(send({ type: 'unreadable', error: SLOW })?.actions[0]).toEqual({
      type: 'reset-book',
      shown: false,
    });
  });

  test('without a stream neither an unreadable frame nor an update matters', () => {
    expect(send({ type: 'unreadable', error: SLOW })).toBeNull();
    expect(send(update('gap'))).toBeNull();
    expect(send(TICK)).toBeNull();
  });

  test('an update makes a symbol live only where a reply was taken, and one that is not applied breaks nothing', () => {
    send(UP);
    expect(send(update('applied'))).toBeNull();
    expect(send(update('buffered'))).toBeNull();
    send(book('live', true));
    expect(send(update('ignored'))).toBeNull();
  });

  test('over and over: the first two times at once, then after growing waits, until it was calm for 10 s', () => {
    facts.random = 1;
    const again = () => {
      const last = send(update('gap'));
      facts.now += afterMs(last) ?? 0;
      send(book('live', true));
      return afterMs(last);
    };
    becomeLive();
    expect([again(), again(), again(), again()]).toEqual([0, 1_000, 2_000, 4_000]);
    facts.now += 9_999;
    expect(again()).toBe(8_000);
    facts.now += 10_000;
    expect(again()).toBe(0);
  });

  test('a lost stream forgets it and says why; it counts as one resync', () => {
    becomeLive();
    expect(send(lost())?.actions).toEqual([
      { type: 'cancel-requests' },
      { type: 'reset-book', shown: true },
      { type: 'report-status' },
    ]);
    expect(shown()).toEqual(['backing-off', 'backing-off', 'OF_STREAM_CLOSED']);
    expect(send(lost())?.actions.at(-1)).toEqual({ type: 'reset-book', shown: false });
    expect(state.resyncs).toBe(1);
  });

  test('a stream that no retry brings back ends a symbol that never worked', () => {
    expect(types(send(lost(RESTRICTED)))).toContain('report-end');
    expect(state).toMatchObject({ phase: 'stopped', terminal: true, resyncs: 0 });
  });
});

describe('a live book', () => {
  beforeEach(() => {
    becomeLive();
    send(TICK);
  });

  test('is renewed when less than half of its coverage is left', () => {
    Object.assign(facts, { moved: true, headroom: 0.5 });
    expect(send(TICK)).toBeNull();
    facts.headroom = 0.49;
    expect(send(TICK)?.actions).toEqual([
      { type: 'begin-refresh' },
      { type: 'fetch', purpose: 'refresh', generation: 1, afterMs: 0 },
    ]);
    expect(send(TICK)).toBeNull();
    facts.headroom = 1;
    expect(types(send(refresh('refreshed')))).toEqual(['report-book']);
    expect(state).toMatchObject({ phase: 'live', generation: 1, resyncs: 0, request: null });
  });

  test('is deepened where readers want more than it was asked for', () => {
    facts.fullDepth = 101;
    expect(types(send(TICK))).toEqual(['begin-refresh', 'fetch']);
  });

  test('that a fresh one contradicts begins a new generation', () => {
    Object.assign(facts, { moved: true, headroom: 0 });
    send(TICK, refresh('refreshed-different'));
    expect(state).toMatchObject({ phase: 'live', generation: 2, resyncs: 1 });
  });

  test('a renewal that does not help is asked for again after growing pauses', () => {
    Object.assign(facts, { moved: true, headroom: 0, random: 1 });
    const pauses = Array.from({ length: 7 }, () => {
      send(TICK, refresh('refreshed'));
      const pause = state.refreshAt - facts.now;
      facts.now += pause - 1;
      facts.lastAppliedAt = facts.now;
      expect(send(TICK)).toBeNull();
      facts.now += 1;
      return pause;
    });
    expect(pauses).toEqual([2, 4, 8, 16, 32, 32, 32].map((factor) => factor * 1_000));
    send(TICK);
    facts.headroom = 1;
    send(refresh('refreshed'));
    expect(state.refreshAt - facts.now).toBe(1_000);
    facts.headroom = 0;
    facts.now = state.refreshAt;
    facts.random = 0;
    send(TICK, refresh('refreshed'));
    expect(state.refreshAt - facts.now).toBe(1_500);
  });

  test('is not looked at before an update has moved it', () => {
    facts.headroom = 0;
    expect(send(TICK)).toBeNull();
  });

  test('whose renewal finds that the exchange does not know the symbol any more ends it at once', () => {
    Object.assign(facts, { moved: true, headroom: 0 });
    expect(types(send(TICK, failed(UNKNOWN)))).toContain('report-end');
    expect(shown()).toEqual(['stopped', 'stopped', 'OF_UNKNOWN_SYMBOL']);
  });

  test('a renewal that fails keeps the book, is reported the third time, and its success ends the report', () => {
    Object.assign(facts, { moved: true, headroom: 0 });
    const next = (event: () => SymbolEvent) => {
      facts.now = Math.max(facts.now, state.refreshAt);
      send(TICK);
      return types(send(event));
    };
    expect(next(refresh('reply-too-old'))).toEqual([]);
    expect(next(failed(SLOW))).toEqual(['cancel-refresh']);
    expect(next(failed(SLOW))).toEqual(['cancel-refresh', 'report-status']);
    expect(shown()).toEqual(['live', 'live', 'OF_TIMEOUT']);
    expect(next(refresh('refreshed'))).toEqual(['report-status', 'report-book']);
    expect(shown()).toEqual(['live', 'live', null]);
  });

  test('a buffer that a late renewal left behind is dropped once it is not needed', () => {
    Object.assign(facts, { moved: true, headroom: 0 });
    send(TICK, refresh('reply-too-old'));
    facts.headroom = 1;
    facts.now = state.refreshAt - 1;
    expect(send(TICK)).toBeNull();
    facts.now++;
    expect(types(send(TICK))).toEqual(['cancel-refresh']);
    expect(send(TICK)).toBeNull();
  });

  test('is checked 8 s after the stream was confirmed, and a minute after its last update', () => {
    facts.now += 7_999;
    expect(send(TICK)).toBeNull();
    facts.now += 1;
    expect(send(TICK)?.actions).toEqual([{ type: 'fetch', purpose: 'audit', generation: 1, afterMs: 0 }]);
    facts.random = 0;
    facts.received++;
    expect(send(audit('same'))?.actions).toEqual([]);
    expect(state).toMatchObject({ request: null, auditAt: facts.now + 45_000, auditedAt: facts.now });
    facts.now += 30_000;
    facts.lastAppliedAt = facts.now;
    facts.now += 59_999;
    expect(send(TICK)).toBeNull();
    facts.now += 1;
    send(TICK);
    expect(state.request).toBe('audit');
  });
});

describe('a check of a quiet stream', () => {
  const ask = () => {
    facts.now += 100_000;
    send(TICK);
    expect(state.request).toBe('audit');
  };
  beforeEach(() => {
    becomeLive();
    send(TICK);
    ask();
  });

  test('that shows a book ahead looks again after 2 s, and asks for the stream again where nothing came', () => {
    expect(send(audit('moved-on'))?.actions).toEqual([{ type: 'look-again', generation: 1, afterMs: 2_000 }]);
    const last = send(audit('moved-on', 'second-look'));
    expect(last?.actions).toMatchObject([
      { type: 'resubscribe', afterMs: 0, error: { code: 'OF_STREAM_SILENT', subject: 'BTCUSDT' } },
    ]);
    expect(state.silent).toBe(1);
  });

  test('waits two intervals where these are longer', () => {
    facts.speedMs = 1_500;
    expect(afterMs(send(audit('moved-on')))).toBe(3_000);
  });

  test.each([
    ['the book has caught up', 'same', 0],
    ['an update came', 'moved-on', 1],
  ] as const)('leaves the stream alone where %s', (_, seen, received) => {
    send(audit('moved-on'));
    facts.received += received;
    expect(send(audit(seen, 'second-look'))?.actions).toEqual([]);
    expect(state).toMatchObject({ phase: 'live', silent: 0, request: null, auditedAt: facts.now });
  });

  test('after a silent one the stream is not believed without another check, and is asked for after growing waits', () => {
    facts.random = 1;
    facts.timings = { ...facts.timings, backoffFactor: 3 };
    send(audit('moved-on'), audit('moved-on', 'second-look'), lost(), UP, book('live'));
    facts.now += 1_000;
    expect(send(TICK)?.actions).toEqual([
      { type: 'fetch', purpose: 'audit', generation: state.generation, afterMs: 0 },
    ]);
    expect(send(TICK)).not.toMatchObject({ state: { phase: 'live' } });
    send(audit('moved-on'));
    expect(afterMs(send(audit('moved-on', 'second-look')))).toBe(6_000);
    send(lost(), UP, book('live'));
    facts.now += 1_000;
    send(TICK);
    expect(types(send(audit('same')))).toContain('report-book');
    expect(state).toMatchObject({ phase: 'live', silent: 0 });
  });

  test('that ends before the book while updates come without fitting accepts that the ids were reset', () => {
    send(audit('older'));
    expect(state.phase).toBe('live');
    ask();
    facts.received++;
    expect(types(send(audit('older')))).toEqual([
      ...['reset-book', 'accept-id-reset', 'cancel-requests', 'fetch', 'report-status'],
    ]);
    expect(shown()).toEqual(['buffering', 'syncing', 'OF_SEQUENCE_GAP']);
    const detail = 'BTCUSDT (update ids went backwards)';
    expect(state.error).toMatchObject({ detail, subject: 'BTCUSDT' });
  });

  test('that fails is let go, unless the exchange does not know the symbol any more', () => {
    expect(send(failed(SLOW))?.actions).toEqual([]);
    expect(state).toMatchObject({ phase: 'live', error: null, request: null, auditedAt: facts.now });
    ask();
    send(audit('moved-on'), failed(SLOW));
    expect(state).toMatchObject({ phase: 'live', error: null, request: null, auditedAt: facts.now });
    ask();
    send(failed(UNKNOWN));
    expect(state.phase).toBe('stopped');
  });
});

describe('a symbol that waits for its turn', () => {
  test('reports the queue every 2 s, where the wait is long enough', () => {
    facts.queue = { pause: null, waiting: 7, clearsInMs: 1_999 };
    send(UP, TICK);
    expect(state.error).toBeNull();
    facts.queue = { pause: null, waiting: 7, clearsInMs: 2_000 };
    facts.now += 1_999;
    expect(send(TICK)).toBeNull();
    facts.now += 1;
    expect(types(send(TICK))).toEqual(['report-status']);
    expect(shown()).toEqual(['buffering', 'syncing', 'OF_WEIGHT_EXHAUSTED']);
    expect(state.error?.message).toContain('7 requests wait, the last of them for about 2 s');
  });

  test('names the end of a pause once', () => {
    facts.queue = { pause: { code: 'OF_BANNED', forMs: 60_000 }, waiting: 1, clearsInMs: 0 };
    send(UP);
    expect(types(send(TICK))).toEqual(['report-status']);
    expect(shown()).toEqual(['buffering', 'backing-off', 'OF_BANNED']);
    const until = new Date(facts.wallMs + 60_000).toISOString();
    expect(state.error?.message).toContain(`api.example (no request before ${until})`);
    const { error } = state;
    facts.now += 2_000;
    send(TICK);
    expect(state.error).toBe(error);
  });

  test('keeps another reason than waiting', () => {
    facts.queue = { pause: null, waiting: 7, clearsInMs: 9_000 };
    send(UP, failed(SLOW), TICK);
    expect(state.error).toBe(SLOW);
  });

  test('does not speak of the queue once a reply was taken, but of a pause', () => {
    facts.queue = { pause: null, waiting: 7, clearsInMs: 9_000 };
    send(UP, book('live'), TICK);
    expect(state.error).toBeNull();
    facts.queue = { pause: { code: 'OF_BANNED', forMs: 60_000 }, waiting: 7, clearsInMs: 9_000 };
    facts.now = state.explainAt;
    facts.lastReceivedAt = facts.now;
    send(TICK);
    expect(shown()).toEqual(['syncing', 'backing-off', 'OF_BANNED']);
  });
});

describe('the end', () => {
  test('a stopped symbol gives up what is on its way, and begins again only when it is wanted', () => {
    becomeLive();
    expect(send({ type: 'stop' })?.actions).toEqual([
      { type: 'cancel-requests' },
      { type: 'reset-book', shown: true },
      { type: 'report-status' },
    ]);
    expect(shown()).toEqual(['stopped', 'stopped', null]);
    for (const event of [UP, TICK, lost(), book('live'), failed(SLOW), { type: 'stop' } as const])
      expect(send(event)).toBeNull();
    expect(types(send({ type: 'restart' }))).toEqual(['report-status']);
    expect(shown()).toEqual(['connecting', 'connecting', null]);
    expect(send({ type: 'restart' })).toBeNull();
  });

  test('an answer of an earlier generation, or to another question, changes nothing', () => {
    send(UP);
    const late = book('live', true)();
    send(lost(), UP);
    expect(send(late)).toBeNull();
    expect(send(refresh('refreshed'))).toBeNull();
    expect(send(audit('same'))).toBeNull();
    becomeLive();
    expect(send(failed(SLOW))).toBeNull();
  });
});

describe('the next tick', () => {
  const BEGIN = factsOf().now;
  const dueIn = (changes: Partial<SymbolState> = {}) => tickDueAt({ ...state, ...changes }, facts) - BEGIN;

  test('is not needed before there is a stream, nor after the end', () => {
    expect(dueIn()).toBe(Infinity);
    send({ type: 'stop' });
    expect(dueIn()).toBe(Infinity);
  });

  test('explains a wait for the book', () => {
    send(UP);
    expect(dueIn({ explainAt: BEGIN + 700 })).toBe(700);
  });

  test('comes for a book without an update when the stream is quiet, when that lasts, or to explain it', () => {
    send(UP, book('live'));
    expect(shown()).toEqual(['syncing', 'syncing', null]);
    const silent = { explainAt: Infinity };
    expect(dueIn(silent)).toBe(1_000);
    expect(dueIn({ explainAt: BEGIN + 700 })).toBe(700);
    facts.lastReceivedAt = BEGIN + 7_500;
    expect(dueIn(silent)).toBe(8_000);
    // The answer to what is asked already is waited for.
    expect(dueIn({ ...silent, request: 'audit' })).toBe(8_500);
  });

  test('looks after a live book, unless a request is on its way', () => {
    becomeLive();
    facts.lastAppliedAt = BEGIN;
    const looked = { lookPending: false, auditAt: BEGIN, refreshAt: BEGIN + 400 };
    expect(dueIn({ ...looked, auditAt: BEGIN + 90_000 })).toBe(90_000);
    expect(dueIn(looked)).toBe(60_000);
    expect(dueIn({ ...looked, lookPending: true })).toBe(400);
    expect(dueIn({ ...looked, coveredDepth: facts.fullDepth - 1 })).toBe(400);
    facts.moved = true;
    expect(dueIn(looked)).toBe(400);
    expect(dueIn({ ...looked, refreshAt: BEGIN + 70_000 })).toBe(60_000);
    expect(dueIn({ ...looked, request: 'audit' })).toBe(Infinity);
  });
});
