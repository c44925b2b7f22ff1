/** A request's place in the queue for the host's request weight. */
export interface Ask {
  /** The higher the sooner; read again while the request waits. */
  readonly urgency?: () => number;
  readonly signal?: AbortSignal;
  /** Given up where it has no turn within this; for ever unless given. A request that was sent goes on. */
  readonly turnWithinMs?: number;
}
