import type { HeartbeatRequest, RecordState, SaveRequest, WriteOutcome } from './types';

/**
 * Who may write a record, decided without I/O. The memory store uses this; Redis decides the same in its script
 * (scripts.ts), and both are held against one model by the tests.
 */

/** A record whose holder was silent for longer may be taken over by a standby writer, milliseconds. */
export const TAKEOVER_MS = 10_000;
/** How far a record's time may lie ahead of the store's clock before it is not believed, milliseconds. */
export const FUTURE_TOLERANCE_MS = 5_000;
/** A live feed status younger than this is not replaced by another writer's trouble, milliseconds. */
export const FEED_STATUS_FRESH_MS = 12_000;

/** A claim that was longer on its way is of a writer that has given it up: each command is given as long. Milliseconds. */
export const LATE_CLAIM_MS = 5_000;

/** The head of the record that stands in the store. */
export interface RecordHead {
  readonly epoch: number;
  readonly lastUpdateId: number;
  readonly state: RecordState;
  readonly levels: number;
  /** Store's now minus the time the record was last known live; negative for one from the future. */
  readonly ageMs: number;
}

export interface Decision {
  readonly outcome: WriteOutcome;
  /** The record's epoch after the decision is carried out. */
  readonly epoch: number;
}

const believable = (ageMs: number): boolean => ageMs >= -FUTURE_TOLERANCE_MS;

/**
 * @param onItsWayMs since the writer made the request, by the store's clock: one that was held up must not put an old
 *   book in the place of a newer one, nor fence who wrote it
 */
export function decideSave(
  head: RecordHead | null,
  request: SaveRequest,
  nowMs: number,
  onItsWayMs = 0,
): Decision {
  const { tenure, content } = request;
  if (head === null)
    return {
      outcome: 'saved',
      epoch: tenure === 'hold' ? request.epoch : Math.max(request.epoch + 1, nowMs),
    };
  const takeoverMs = request.takeoverMs ?? TAKEOVER_MS;
  const recent = believable(head.ageMs) && head.ageMs < takeoverMs;
  const refused = (outcome: WriteOutcome): Decision => ({ outcome, epoch: head.epoch });
  // Not below the clock either: epochs stay unique when a record expired or a promoted replica lost the last ones.
  const next: Decision = { outcome: 'saved', epoch: Math.max(head.epoch + 1, nowMs) };
  const overtaken =
    recent && head.state === 'live' && content.lastUpdateId < head.lastUpdateId && head.ageMs < onItsWayMs;
  const late = onItsWayMs > LATE_CLAIM_MS || overtaken;
  if (late && (tenure === 'claim' || tenure === 'standby')) return refused('older');
  switch (tenure) {
    case 'claim':
      return recent && head.state === 'live' && content.levels < head.levels ? refused('deferred') : next;
    case 'standby':
      return recent && head.state !== 'stopped' ? refused('fenced') : next;
    case 'renew':
      return request.epoch < head.epoch
        ? refused('fenced')
        : { outcome: 'saved', epoch: Math.max(request.epoch + 1, nowMs) };
    case 'hold': {
      if (request.epoch < head.epoch) return refused('fenced');
      if (request.epoch > head.epoch) return { outcome: 'saved', epoch: request.epoch };
      if (content.lastUpdateId < head.lastUpdateId) return refused('older');
      const same =
        content.lastUpdateId === head.lastUpdateId && content.levels === head.levels && head.state === 'live';
      return refused(same ? 'heartbeat' : 'saved');
    }
  }
}

export function decideHeartbeat(head: RecordHead | null, request: HeartbeatRequest): Decision {
  if (head === null) return { outcome: 'missing', epoch: 0 };
  const outcome = (): WriteOutcome => {
    if (request.epoch < head.epoch) return 'fenced';
    if (request.epoch > head.epoch) return 'missing';
    if (request.lastUpdateId < head.lastUpdateId) return 'older';
    const same = request.lastUpdateId === head.lastUpdateId && head.state === 'live';
    return same ? 'heartbeat' : 'missing';
  };
  return { outcome: outcome(), epoch: head.epoch };
}

export function decideMark(head: RecordHead | null, epoch: number): Decision {
  if (head === null) return { outcome: 'missing', epoch: 0 };
  if (epoch < head.epoch) return { outcome: 'fenced', epoch: head.epoch };
  return { outcome: epoch > head.epoch ? 'missing' : 'marked', epoch: head.epoch };
}
