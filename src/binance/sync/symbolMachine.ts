/**
 * The life of one symbol, as a pure function from a state and an event to the next state and what to do. Only `live` is
 * ever read, saved or emitted.
 *
 *              stream up              reply taken           confirmed
 *  connecting ───────────▶ buffering ────────────▶ syncing ───────────▶ live
 *      ▲                   ▲    ▲  ▲                  │                   │
 *      │         stream up │    │  └─ it does not fit ┘                   │
 *      │                   │    └─ gap, crossed, ids reset, unreadable ───┘
 *   restart           backing-off ◀─ stream lost ── any of them
 *      │
 *   stopped ◀─ nobody needs the symbol, or no retry mends its error ── any of them
 *
 *   connecting   the WebSocket is being opened for the first time
 *   backing-off  it was lost or refused, and is opened again after a wait
 *   buffering    updates are buffered; a REST reply is on its way, or is asked for again after a wait
 *   syncing      a reply was taken; the first update that fits, or a quiet stream, confirms it
 *   live         the book is exact; its coverage is renewed and a quiet stream is checked beside it
 *   stopped      nothing is done any more
 *
 * Each fetch of a book from the start begins a new generation. Requests carry the generation they were made in, and what
 * comes back from an earlier one changes nothing.
 */

import type { ReplyOutcome, UpdateOutcome } from '../../book/bookSync';
import { backoffMs } from '../../runtime/backoff';
import { OrderFlowError } from '../../runtime/errors';
import { retryMs } from '../timings';
import type { Comparison } from './compareBooks';
import type { BookEvent, Purpose, Step, SymbolAction, SymbolEvent, SymbolState } from './symbolEvents';
import {
  explainEveryMs,
  nextStart,
  quietMs,
  refetchMs,
  secondLookMs,
  type SyncFacts,
  whyWaiting,
} from './syncFacts';
import {
  begin,
  end,
  endAll,
  enter,
  forgetBook,
  goLive,
  hasStream,
  lose,
  report,
  resync,
  WELL,
} from './transitions';
import { auditEnded, confirmed, need, needDueAt, REFRESH_BELOW_HEADROOM, refreshEnded } from './upkeep';

/** So many replies in a row that do not fit are worth reporting. */
const UNFIT_TO_REPORT = 3;
/** So many refreshes in a row that fail are worth reporting, though the book is still good. */
const FAILED_REFRESHES_TO_REPORT = 3;
/** When a reply older than the last book that could be read is believed after all: ids may have started over. */
const BEHIND_BELIEVED_MS = 60_000;

const RESYNC_CODES: { readonly [outcome in UpdateOutcome]?: readonly [OrderFlowError['code'], string] } = {
  gap: ['OF_SEQUENCE_GAP', 'updates are missing'],
  crossed: ['OF_BOOK_BROKEN', 'an update left it crossed'],
  'ids-reset': ['OF_SEQUENCE_GAP', 'update ids went backwards'],
};

/** The next state and what to do; null: nothing changes. */
export function step(state: SymbolState, event: SymbolEvent, facts: SyncFacts): Step | null {
  const { phase } = state;
  if (event.type === 'restart')
    return phase === 'stopped' ? enter(state, { phase: 'connecting', shown: 'connecting', ...WELL }) : null;
  if (phase === 'stopped') return null;
  switch (event.type) {
    case 'stream-up':
      if (hasStream(state)) return enter(state, confirmed(facts));
      return begin(state, facts, { shown: 'syncing', ...WELL, ...confirmed(facts) });
    case 'stream-lost':
      return lose(state, event.error);
    case 'unreadable':
      return hasStream(state) ? resync(state, event.error, facts, [forgetBook(state)]) : null;
    case 'update':
      return takeUpdate(state, event.outcome, facts);
    case 'tick':
      return tick(state, facts);
    case 'stop':
      return enter(state, { phase: 'stopped', shown: 'stopped', request: null, ...WELL }, endAll(state));
  }
  if (event.generation !== state.generation) return null;
  if (event.type === 'failed') return requestFailed(state, event.error, facts);
  if (event.type !== state.request) return null;
  switch (event.type) {
    case 'book':
      return takeBook(state, event, facts);
    case 'refresh':
      return takeRefresh(state, event, facts);
    case 'audit':
      return takeAudit(state, event.seen, facts);
    case 'second-look':
      return takeSecondLook(state, event.seen, facts);
  }
}

function takeUpdate(state: SymbolState, outcome: UpdateOutcome, facts: SyncFacts): Step | null {
  if (outcome === 'applied') return state.phase === 'syncing' ? goLive(state) : null;
  const why = RESYNC_CODES[outcome];
  if (why === undefined || !hasStream(state)) return null;
  const { symbol: subject } = facts;
  if (state.phase === 'live')
    return resync(state, new OrderFlowError(why[0], `${subject} (${why[1]})`, { subject }), facts);
  // The first update did not fit: the reply was too old, and no book of it was shown.
  const next = nextStart(state.startedAt, state.startsInRow, facts);
  const tooOften = next.startsInRow >= UNFIT_TO_REPORT;
  return begin(state, facts, tooOften ? { shown: 'syncing', error: stale(facts) } : {});
}

function takeBook(state: SymbolState, { outcome, joined, limit }: BookEvent, facts: SyncFacts): Step {
  if (outcome === 'live') {
    const taken = { request: null, replyAt: facts.now, coveredDepth: limit, lookPending: true } as const;
    return joined ? goLive(state, taken) : enter(state, { ...taken, phase: 'syncing' });
  }
  const { now, timings } = facts;
  const { generation } = state;
  const times = state.unfit + 1;
  const behindSince = outcome === 'behind' ? (state.behindSince ?? now) : state.behindSince;
  const believed =
    outcome === 'behind' && now - (behindSince ?? now) >= BEHIND_BELIEVED_MS * timings.backoffFactor;
  const actions: SymbolAction[] = [
    { type: 'fetch', purpose: 'book', generation, afterMs: refetchMs(times, facts) },
  ];
  if (believed) actions.unshift({ type: 'accept-id-reset' });
  const changes = { unfit: times, behindSince };
  if (times < UNFIT_TO_REPORT) return enter(state, changes, actions);
  return report(state, unfit(outcome, facts), changes, actions);
}

function takeRefresh(state: SymbolState, { outcome, limit }: BookEvent, facts: SyncFacts): Step {
  if (outcome !== 'refreshed' && outcome !== 'refreshed-different')
    // What was buffered is kept: where replies are always late, the next one is joined with it.
    return refreshFailed(state, unfit(outcome, facts), facts);
  const different = outcome === 'refreshed-different' ? 1 : 0;
  const changes = {
    ...refreshEnded(state, facts.headroom >= REFRESH_BELOW_HEADROOM, facts),
    ...{ request: null, replyAt: facts.now, coveredDepth: limit, failedRefreshes: 0 },
    ...{ resyncs: state.resyncs + different, generation: state.generation + different },
    // It may have been said that its renewal failed.
    ...WELL,
  } as const;
  return enter(state, changes, [], [{ type: 'report-book' }]);
}

/** The book is as good as before; where it stays so, readers will leave what is known of it and ask why. */
function refreshFailed(
  state: SymbolState,
  error: OrderFlowError,
  facts: SyncFacts,
  actions: readonly SymbolAction[] = [],
): Step {
  const failedRefreshes = state.failedRefreshes + 1;
  const changes = { ...refreshEnded(state, false, facts), request: null, failedRefreshes } as const;
  const isReported = error.code === 'OF_UNKNOWN_SYMBOL' || failedRefreshes >= FAILED_REFRESHES_TO_REPORT;
  return isReported ? report(state, error, changes, actions) : enter(state, changes, actions);
}

function takeAudit(state: SymbolState, seen: Comparison, facts: SyncFacts): Step {
  const { received, symbol: subject } = facts;
  if (seen === 'moved-on') {
    const { generation } = state;
    const look = { type: 'look-again', generation, afterMs: secondLookMs(facts) } as const;
    return enter(state, { request: 'second-look', receivedAtLook: received }, [look]);
  }
  // Updates came since the last check, none of them fitted, and the exchange's own id is below the book's.
  if (seen === 'older' && received > state.receivedAtAudit) {
    const error = new OrderFlowError('OF_SEQUENCE_GAP', `${subject} (update ids went backwards)`, {
      subject,
    });
    return resync(state, error, facts, [forgetBook(state), { type: 'accept-id-reset' }]);
  }
  const changes = { request: null, ...auditEnded(facts) } as const;
  return state.silent > 0 ? goLive(state, changes) : enter(state, changes);
}

/** Does the exchange's book move on while nothing arrives here? */
function takeSecondLook(state: SymbolState, seen: Comparison, facts: SyncFacts): Step {
  if (seen !== 'moved-on' || facts.received !== state.receivedAtLook)
    return enter(state, { request: null, ...auditEnded(facts) });
  const { random, timings, symbol } = facts;
  const { silent } = state;
  const error = new OrderFlowError('OF_STREAM_SILENT', symbol, { subject: symbol });
  const afterMs = silent === 0 ? 0 : backoffMs(silent, random) * timings.backoffFactor;
  return enter(state, { request: null, silent: silent + 1 }, [{ type: 'resubscribe', error, afterMs }]);
}

function requestFailed(state: SymbolState, error: OrderFlowError, facts: SyncFacts): Step | null {
  const { request, failures, generation } = state;
  switch (request) {
    case 'book': {
      const afterMs = retryMs(error, failures, facts);
      const again = { type: 'fetch', purpose: 'book', generation, afterMs } as const;
      return report(state, error, { failures: failures + 1 }, [again]);
    }
    case 'refresh':
      return refreshFailed(state, error, facts, [{ type: 'cancel-refresh' }]);
    case 'audit':
    case 'second-look': {
      const changes = { request: null, ...auditEnded(facts) } as const;
      return error.code === 'OF_UNKNOWN_SYMBOL' ? end(state, error) : enter(state, changes);
    }
    case null:
      return null;
  }
}

function tick(state: SymbolState, facts: SyncFacts): Step | null {
  switch (state.phase) {
    case 'live':
      return state.request === null ? keepUp(state, facts) : null;
    case 'syncing':
      return confirmOrAudit(state, facts) ?? explain(state, facts);
    case 'buffering':
      return explain(state, facts);
    default:
      return null;
  }
}

/**
 * Before this time a tick changes nothing, unless something else happens first: an event, or an update that is applied.
 * Infinity: no tick is needed. What others decide (how deep books are to be) is looked at when a tick comes.
 */
export function tickDueAt(state: SymbolState, facts: SyncFacts): number {
  switch (state.phase) {
    case 'live':
      return state.request === null ? needDueAt(state, facts) : Infinity;
    case 'syncing': {
      const quietAt = quietSince(state, facts) + quietMs(facts);
      const auditAt = auditSince(state) + facts.timings.firstAuditMs;
      return Math.min(quietAt, state.request === null ? auditAt : Infinity, state.explainAt);
    }
    case 'buffering':
      return state.explainAt;
    default:
      return Infinity;
  }
}

function quietSince({ replyAt, confirmedAt }: SymbolState, { lastReceivedAt }: SyncFacts): number {
  return Math.max(replyAt, confirmedAt, lastReceivedAt);
}

function auditSince({ replyAt, auditedAt }: SymbolState): number {
  return Math.max(replyAt, auditedAt);
}

function keepUp(state: SymbolState, facts: SyncFacts): Step | null {
  switch (need(state, facts)) {
    case 'refresh':
      return ask(state, 'refresh', [{ type: 'begin-refresh' }]);
    case 'audit':
      return ask(state, 'audit');
    case 'nothing': {
      if (!state.lookPending || facts.now < state.refreshAt) return null;
      // A reply that was too old had left its buffer behind.
      return enter(state, { lookPending: false }, [{ type: 'cancel-refresh' }]);
    }
  }
}

/** No update has been joined to the reply yet. */
function confirmOrAudit(state: SymbolState, facts: SyncFacts): Step | null {
  const { now, timings } = facts;
  const isQuiet = now - quietSince(state, facts) >= quietMs(facts);
  if (isQuiet && state.silent === 0) return goLive(state);
  if (state.request !== null) return null;
  // A stream that was silent while the book moved on is not believed to be quiet without a second look. And where
  // updates come and none joins, the reply may be of a count of ids that is over.
  const waitedMs = now - auditSince(state);
  return isQuiet || waitedMs >= timings.firstAuditMs ? ask(state, 'audit') : null;
}

function ask(state: SymbolState, purpose: Purpose, actions: readonly SymbolAction[] = []): Step {
  const { generation } = state;
  return enter(state, { request: purpose }, [...actions, { type: 'fetch', purpose, generation, afterMs: 0 }]);
}

/** While requests have to wait, says why, how many wait and about how long. */
function explain(state: SymbolState, facts: SyncFacts): Step | null {
  if (facts.now < state.explainAt) return null;
  const explainAt = facts.now + explainEveryMs(facts);
  const error = whyWaiting(state.error, facts);
  if (error === null || (facts.queue.pause === null && state.phase !== 'buffering'))
    return enter(state, { explainAt });
  const shown = facts.queue.pause === null ? 'syncing' : 'backing-off';
  return enter(state, { explainAt, shown, error });
}

function unfit(outcome: ReplyOutcome, facts: SyncFacts): OrderFlowError {
  const { symbol: subject } = facts;
  return outcome === 'crossed'
    ? new OrderFlowError('OF_BOOK_BROKEN', `${subject} (in a reply of the exchange)`, { subject })
    : stale(facts);
}

function stale({ symbol: subject }: SyncFacts): OrderFlowError {
  return new OrderFlowError('OF_SNAPSHOT_STALE', subject, { subject });
}
