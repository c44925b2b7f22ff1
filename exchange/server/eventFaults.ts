import type { DepthEvent } from '../wire/encode';
import type { Faults } from './faults';

/** Sends an event, or bytes in its place. */
export interface EventSink {
  event(event: DepthEvent): void;
  bytes(bytes: Buffer, binary: boolean): void;
}

const ON_EVENTS = [
  'freeze',
  'drop',
  'duplicate',
  'swap',
  'merge',
  'overlap',
  'delay',
  'brokenPrevious',
  'replaceEvent',
  'extraLevel',
] as const;

/**
 * The faults between the market and a diff stream: events pass unchanged unless one is on. The ids that a later event
 * names are the market's own, so a dropped event leaves the gap that a real one would.
 */
export class EventFaults {
  private held: { event: DepthEvent; until: 'swap' | 'merge' } | null = null;
  private last: DepthEvent | null = null;
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly faults: Faults,
    private readonly sink: EventSink,
  ) {}

  pass(event: DepthEvent): void {
    const last = this.last;
    this.last = event;
    if (this.held !== null) return this.release(event);
    const fault = this.faults.any ? this.faults.take(ON_EVENTS, event.symbol) : null;
    if (fault === null) return this.sink.event(event);
    switch (fault.kind) {
      case 'freeze':
      case 'drop':
        return;
      case 'duplicate':
        this.sink.event(event);
        return this.sink.event(event);
      case 'swap':
      case 'merge':
        this.held = { event, until: fault.kind };
        return;
      case 'overlap':
        return this.sink.event(last === null ? event : merge(last, event));
      case 'delay':
        return this.later(event, fault.ms);
      case 'brokenPrevious': {
        const previousFinalUpdateId = fault.previousId ?? event.previousFinalUpdateId - 1;
        return this.sink.event(rewrite({ ...event, previousFinalUpdateId }));
      }
      case 'replaceEvent':
        return this.sink.bytes(bytesOf(fault), fault.binary ?? false);
      case 'extraLevel': {
        const level = [fault.price, fault.quantity];
        const body = { ...plain(event) } as { b: unknown[]; a: unknown[] };
        body[fault.side === 'bid' ? 'b' : 'a'] = [...body[fault.side === 'bid' ? 'b' : 'a'], level];
        return this.sink.event({ ...event, text: JSON.stringify(body) });
      }
    }
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private release(event: DepthEvent): void {
    const held = this.held as { event: DepthEvent; until: 'swap' | 'merge' };
    this.held = null;
    if (held.until === 'merge') return this.sink.event(merge(held.event, event));
    this.sink.event(event);
    this.sink.event(held.event);
  }

  private later(event: DepthEvent, ms: number): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.sink.event(event);
    }, ms);
    this.timers.add(timer);
  }
}

/** Bytes given as text or as base64. */
export function bytesOf(given: { text?: string; base64?: string }): Buffer {
  return given.base64 !== undefined ? Buffer.from(given.base64, 'base64') : Buffer.from(given.text ?? '');
}

/** Two consecutive events as one: the first's start, the second's end, each level's newest quantity. */
function merge(first: DepthEvent, second: DepthEvent): DepthEvent {
  const side = (of: 'bids' | 'asks'): Array<[string, string]> => [
    ...new Map([...first[of], ...second[of]].map(([price, quantity]) => [price, quantity])),
  ];
  return rewrite({
    ...second,
    firstUpdateId: first.firstUpdateId,
    previousFinalUpdateId: first.previousFinalUpdateId,
    bids: side('bids'),
    asks: side('asks'),
  });
}

/** A changed event is written again; a recorded one keeps its other fields. */
function rewrite(event: DepthEvent): DepthEvent {
  if (event.text === undefined) return event;
  return { ...event, text: JSON.stringify(plain(event)) };
}

function plain(event: DepthEvent): Record<string, unknown> {
  const recorded = event.text === undefined ? null : (JSON.parse(event.text) as Record<string, unknown>);
  const hasPrevious = recorded === null ? event.previousFinalUpdateId >= 0 : 'pu' in recorded;
  return {
    ...(recorded ?? { e: 'depthUpdate', E: event.eventTimeMs, s: event.symbol }),
    U: event.firstUpdateId,
    u: event.finalUpdateId,
    ...(hasPrevious ? { pu: event.previousFinalUpdateId } : {}),
    b: event.bids,
    a: event.asks,
  };
}
