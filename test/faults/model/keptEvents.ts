import type { UpdateIds } from '../../../src/book/types';
import type { ModelKind } from './wireText';

interface Delivered {
  readonly first: number;
  readonly final: number;
  readonly previous: number | null;
  readonly timeMs: number;
}

/**
 * What was delivered since the client last began to wait for a reply. By it is known whether a reply can be joined: a
 * client that calls one too old which its events reach has not kept them, and one that is live below its newest event
 * has lost that.
 */
export class KeptEvents {
  private events: Delivered[] = [];
  /** A break inside the buffer was found: what remains of it is the client's to know. */
  private broken = false;

  constructor(private readonly kind: ModelKind) {}

  /** Id of the newest that was delivered; 0 where none was. */
  get newestId(): number {
    return this.events[this.events.length - 1]?.final ?? 0;
  }

  /** The waiting starts again. */
  forget(): void {
    this.events = [];
    this.broken = false;
  }

  breakOff(): void {
    this.broken = true;
  }

  take(ids: UpdateIds, timeMs: number): void {
    const { firstUpdateId: first, finalUpdateId: final, previousFinalUpdateId: previous } = ids;
    const last = this.events[this.events.length - 1];
    // A new count of ids: what came before belongs to no reply that is to come.
    if (last !== undefined && final < last.final && timeMs > last.timeMs) this.forget();
    this.events.push({ first, final, previous, timeMs });
  }

  /** Do the events reach back to this reply? False where there is none that would show it, or where nobody knows. */
  reachBackTo(replyId: number): boolean {
    if (this.broken) return false;
    const spot = this.kind === 'spot';
    const next = this.events.find(({ final }) => (spot ? final > replyId : final >= replyId));
    if (next === undefined) return false;
    return spot ? next.first <= replyId + 1 : next.first <= replyId || next.previous === replyId;
  }
}
