import { OrderFlowError } from '../../runtime/errors';
import type { Pacer } from '../../net/pacer';

/** Streams named in one SUBSCRIBE: keeps the message small enough for any gateway. */
const STREAMS_PER_MESSAGE = 100;
const PACED_RETRY_MIN_MS = 5;

type Method = 'SUBSCRIBE' | 'UNSUBSCRIBE';

interface Request {
  readonly id: number;
  readonly method: Method;
  readonly streams: readonly string[];
  /** Holds a part of what was refused together: to be asked for by itself. */
  readonly apart: boolean;
  deadline: number;
}

export interface ControlHandlers {
  send(text: string): void;
  onSubscribed(streams: readonly string[]): void;
  /** One stream that the exchange does not take; it is not wanted any more. */
  onRefused(stream: string, answer: string): void;
  onFailed(error: OrderFlowError): void;
  now(): number;
}

/**
 * SUBSCRIBE and UNSUBSCRIBE of one connection: brings what the exchange sends to what is wanted, paced, and knows which
 * streams the exchange has acknowledged. A SUBSCRIBE is refused as a whole for a single stream in it, so what was refused
 * is asked for again in halves until that stream is alone.
 */
export class ControlChannel {
  private readonly queue: Request[] = [];
  private readonly pending = new Map<number, Request>();
  private readonly wanted = new Set<string>();
  readonly acknowledged = new Set<string>();
  private nextId = 1;
  private timer: NodeJS.Timeout | null = null;
  /** Requests wait until the connection is open; afterwards they go out as the pacer allows. */
  private state: 'waiting' | 'running' | 'closed' = 'waiting';

  constructor(
    private readonly pacer: Pacer,
    private readonly acknowledgeTimeoutMs: number,
    private readonly handlers: ControlHandlers,
  ) {}

  /** The connection is open. */
  start(): void {
    if (this.state === 'closed') return;
    this.state = 'running';
    this.schedule();
  }

  subscribe(streams: readonly string[]): void {
    const fresh = streams.filter((stream) => !this.wanted.has(stream));
    for (const stream of fresh) this.wanted.add(stream);
    this.enqueue('SUBSCRIBE', fresh);
  }

  unsubscribe(streams: readonly string[]): void {
    const known = streams.filter((stream) => this.wanted.delete(stream));
    for (const stream of known) this.acknowledged.delete(stream);
    this.enqueue('UNSUBSCRIBE', known);
  }

  /** An answer of the exchange; one that matches no request is ignored. */
  onResponse(id: unknown, error: string | null): void {
    const request = typeof id === 'number' ? this.pending.get(id) : undefined;
    if (request) this.pending.delete(request.id);
    if (error !== null) return this.onRefusal(request, error);
    if (!request || request.method !== 'SUBSCRIBE') return;
    const streams = request.streams.filter((stream) => this.wanted.has(stream));
    for (const stream of streams) this.acknowledged.add(stream);
    if (streams.length > 0) this.handlers.onSubscribed(streams);
  }

  private onRefusal(request: Request | undefined, answer: string): void {
    if (request?.method !== 'SUBSCRIBE')
      return this.handlers.onFailed(
        new OrderFlowError('OF_STREAM_REFUSED', `the exchange answered ${answer}`),
      );
    const streams = request.streams.filter((stream) => this.wanted.has(stream));
    if (streams.length > 1) {
      const half = Math.ceil(streams.length / 2);
      this.enqueue('SUBSCRIBE', streams.slice(0, half), true);
      this.enqueue('SUBSCRIBE', streams.slice(half), true);
    } else if (streams.length === 1) {
      this.wanted.delete(streams[0]);
      this.handlers.onRefused(streams[0], answer);
    }
  }

  /** @param extraMs time in which this process was stalled and could not read an answer */
  check(now: number, extraMs: number): void {
    for (const request of this.pending.values()) {
      request.deadline += extraMs;
      if (now < request.deadline) continue;
      this.pending.delete(request.id);
      return this.handlers.onFailed(
        new OrderFlowError('OF_STREAM_REFUSED', `${request.method} was not answered`),
      );
    }
  }

  close(): void {
    this.state = 'closed';
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.queue.length = 0;
    this.pending.clear();
  }

  private enqueue(method: Method, streams: readonly string[], apart = false): void {
    for (let i = 0; i < streams.length; i += STREAMS_PER_MESSAGE) {
      const id = this.nextId++;
      const part = streams.slice(i, i + STREAMS_PER_MESSAGE);
      this.queue.push({ id, method, streams: part, apart, deadline: Infinity });
    }
    if (this.state === 'running') this.schedule();
  }

  /** Several symbols are often added in one turn of the event loop: they go out together. */
  private schedule(): void {
    if (this.queue.length > 0 && this.timer === null) this.timer = setTimeout(() => this.flush(), 0);
  }

  private flush(): void {
    this.timer = null;
    this.joinNeighbours();
    while (this.queue.length > 0 && this.state === 'running') {
      const now = this.handlers.now();
      const waitMs = this.pacer.waitMs(now);
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.flush(), Math.max(waitMs, PACED_RETRY_MIN_MS));
        return;
      }
      const request = this.queue.shift() as Request;
      request.deadline = now + this.acknowledgeTimeoutMs;
      this.pending.set(request.id, request);
      this.pacer.note(now);
      this.handlers.send(JSON.stringify({ method: request.method, params: request.streams, id: request.id }));
    }
  }

  /** Neighbouring requests of one method become one, as far as a message holds them. */
  private joinNeighbours(): void {
    const joined: Request[] = [];
    for (const request of this.queue) {
      const last = joined[joined.length - 1];
      if (
        last?.method === request.method &&
        !last.apart &&
        !request.apart &&
        last.streams.length + request.streams.length <= STREAMS_PER_MESSAGE
      )
        joined[joined.length - 1] = { ...last, streams: [...last.streams, ...request.streams] };
      else joined.push(request);
    }
    this.queue.splice(0, this.queue.length, ...joined);
  }
}
