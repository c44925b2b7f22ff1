import type { HeartbeatRequest, RecordState, SaveRequest, WriteOutcome } from './types';

/**
 * Who may write a record, decided without I/O. The memory store uses this; Redis decides the same in its script
 * (scripts.ts), and the tests compare both with one model.
 */

/** A record whose holder was silent for longer may be taken over by a standby writer, milliseconds. */
export const TAKEOVER_MS = 10_000;
/** Longest time between two saves of a changing book, milliseconds: a book is stale soon after. */
export const MAX_SAVE_EVERY_MS = 10_000;
/** How far a record's time may lie ahead of the store's clock before it is not believed, milliseconds. */
export const FUTURE_TOLERANCE_MS = 5_000;
/** A live feed status younger than this is not replaced by another writer's trouble, milliseconds. */
export const FEED_STATUS_FRESH_MS = 12_000;

/** A claim that took longer to arrive is refused: its writer has given it up, as each command has this limit. Milliseconds. */
export const LATE_CLAIM_MS = 5_000;
/** Claims at the same moment count on from each other, so an epoch may be ahead of the clock by this much, milliseconds. */
export const EPOCH_TIE_MS = 10;
/** By how much a claim may be older than the live record in its place: the way to a far store and back, milliseconds. */
export const CLAIM_SLACK_MS = 1_000;
/**
 * An epoch or version further ahead of the store's clock was not made by this package, milliseconds: a century, more
 * than any wrong clock. Counting on from it would soon exceed the digits that are exact.
 */
export const MAX_LEAD_MS = 3_155_760_000_000;

/** The head of the stored record. */
export interface RecordHead {
  readonly epoch: number;
  readonly lastUpdateId: number;
  readonly state: RecordState;
  readonly levels: number;
  /** How often its holder saves a changing book; 0 where it does not say. */
  readonly saveEveryMs: number;
  /** Store's now minus the time the record was last known live; negative for one from the future. */
  readonly ageMs: number;
}

export interface Decision {
  readonly outcome: WriteOutcome;
  /** The record's epoch after the decision is carried out. */
  readonly epoch: number;
}

/** How long the holder may be silent: one that saves seldom gets the time of two of its saves. */
function patienceMs(head: RecordHead, takeoverMs: number): number {
  return Math.max(takeoverMs, 2 * Math.min(head.saveEveryMs, MAX_SAVE_EVERY_MS));
}

const believable = (ageMs: number): boolean => ageMs >= -FUTURE_TOLERANCE_MS;

/**
 * Was the claim of a new or standby writer delayed on its way? It must not fence a writer that came after it, nor
 * replace a newer book.
 * @param onItsWayMs since the request was made, by the store's clock
 */
function isLate(head: RecordHead | null, nowMs: number, onItsWayMs: number): boolean {
  if (onItsWayMs > LATE_CLAIM_MS) return true;
  if (head === null) return false;
  // An epoch is the clock when it began, unless it had to count on from another: someone has claimed since.
  const claimedSince = head.epoch <= nowMs && head.epoch > nowMs - onItsWayMs + EPOCH_TIE_MS;
  const knownSince = head.ageMs >= 0 && head.ageMs < onItsWayMs - CLAIM_SLACK_MS;
  return claimedSince || knownSince;
}

/** @param onItsWayMs since the request was made, by the store's clock; 0 where nothing is between writer and store */
export function decideSave(
  head: RecordHead | null,
  request: SaveRequest,
  nowMs: number,
  onItsWayMs = 0,
): Decision {
  const { role, content } = request;
  if ((role === 'claim' || role === 'standby') && isLate(head, nowMs, onItsWayMs))
    return { outcome: 'late', epoch: head?.epoch ?? 0 };
  if (head === null)
    return {
      outcome: 'saved',
      epoch: role === 'hold' ? request.epoch : Math.max(request.epoch + 1, nowMs),
    };
  const recent = believable(head.ageMs) && head.ageMs < patienceMs(head, request.takeoverMs ?? TAKEOVER_MS);
  const refused = (outcome: WriteOutcome): Decision => ({ outcome, epoch: head.epoch });
  // Not below the clock either: epochs stay unique when a record expired or a promoted replica lost the last ones.
  const next: Decision = { outcome: 'saved', epoch: Math.max(head.epoch + 1, nowMs) };
  switch (role) {
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
