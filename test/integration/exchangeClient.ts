import WebSocket from 'ws';
import type { BookText, Exchange } from '../../exchange';

/** A bare client for the exchange's tests: it keeps what it receives, and knows no rule. */
export class Client {
  readonly frames: string[] = [];
  readonly received: unknown[] = [];
  closed: { code: number; reason: string } | null = null;
  private waiters: Array<() => void> = [];

  private constructor(readonly webSocket: WebSocket) {
    webSocket.on('message', (data: Buffer) => {
      this.frames.push(data.toString());
      this.received.push(parsed(data.toString()));
      this.wake();
    });
    webSocket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.wake();
    });
    webSocket.on('error', () => undefined);
  }

  static async open(
    exchange: Exchange,
    path: string,
    options: WebSocket.ClientOptions = {},
  ): Promise<Client> {
    const client = new Client(new WebSocket(exchange.webSocketBaseUrl + path, options));
    await new Promise<void>((resolve, reject) => {
      client.webSocket.once('open', resolve);
      client.webSocket.once('error', reject);
    });
    return client;
  }

  send(message: unknown): void {
    this.webSocket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Sends a request and gives the answer to it. */
  async ask(message: unknown): Promise<unknown> {
    const before = this.received.length;
    this.send(message);
    await this.until(() => this.received.slice(before).some(isAnswer));
    return this.received.slice(before).find(isAnswer);
  }

  async until(holds: () => boolean, ms = 5000): Promise<void> {
    const deadline = Date.now() + ms;
    while (!holds()) {
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(
          `waited ${ms} ms in vain; ${this.frames.length} frames, closed ${JSON.stringify(this.closed)}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 250));
        this.waiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  events(): WireDepth[] {
    return this.received.map(unwrapped).filter((event): event is WireDepth => isDepth(event));
  }

  /** What was sent before has come: an answer keeps the order of frames. */
  async settle(): Promise<void> {
    await this.ask({ method: 'LIST_SUBSCRIPTIONS', id: 'settle' });
  }

  close(): void {
    this.webSocket.terminate();
  }

  private wake(): void {
    for (const waiter of this.waiters.splice(0)) waiter();
  }
}

export interface WireDepth {
  e: 'depthUpdate';
  E: number;
  T?: number;
  s: string;
  U: number;
  u: number;
  pu?: number;
  ps?: string;
  b: Array<[string, string]>;
  a: Array<[string, string]>;
}

/** A book in a Map: the plainest thing that can be right. */
export class NaiveBook {
  readonly sides = { b: new Map<string, string>(), a: new Map<string, string>() };

  constructor(reply: { bids: Array<[string, string]>; asks: Array<[string, string]> }) {
    this.set('b', reply.bids);
    this.set('a', reply.asks);
  }

  apply(event: WireDepth): void {
    this.set('b', event.b);
    this.set('a', event.a);
  }

  text(): BookText {
    const sorted = (side: 'b' | 'a', direction: 1 | -1): Array<[string, string]> =>
      [...this.sides[side]].sort((x, y) => direction * (Number(x[0]) - Number(y[0])));
    return { bids: sorted('b', -1), asks: sorted('a', 1) };
  }

  private set(side: 'b' | 'a', levels: Array<[string, string]>): void {
    for (const [price, quantity] of levels) {
      if (Number(quantity) === 0) this.sides[side].delete(canonical(price));
      else this.sides[side].set(canonical(price), canonical(quantity));
    }
  }
}

export function canonical(text: string): string {
  return text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text;
}

export async function get(
  exchange: Exchange,
  path: string,
): Promise<{ status: number; headers: Headers; text: string; json: unknown }> {
  // A connection kept from an earlier request may be closed by the server just as it is used again.
  const headers = { connection: 'close' };
  const response = await fetch(exchange.restBaseUrl + path, { redirect: 'manual', headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

export interface WireReply {
  lastUpdateId: number;
  bids: Array<[string, string]>;
  asks: Array<[string, string]>;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function unwrapped(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'data' in message ? message.data : message;
}

function isDepth(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'e' in event && event.e === 'depthUpdate';
}

function isAnswer(message: unknown): boolean {
  return typeof message === 'object' && message !== null && ('result' in message || 'code' in message);
}
