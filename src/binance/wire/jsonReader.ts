import { canonicalDecimal, compareDecimals } from '../../book/decimal';
import type { DepthReply, DepthUpdate, Level } from '../../book/types';
import { MAX_SYMBOL_LENGTH } from '../../feed/symbols';
import { isOrderFlowError, OrderFlowError } from '../../runtime/errors';
import { FIRST_MICROSECONDS } from '../../runtime/time';

/**
 * The exchange's JSON, read and checked. The letters U, u, pu, E, b and a are known here (and in the fast reader beside
 * this file) and nowhere else.
 *
 * Spot:    {"e":"depthUpdate","E":1672515782136,"s":"BNBBTC","U":157,"u":160,"b":[["0.0024","10"]],"a":[]}
 * Futures: also "T" (transaction time) and "pu" (final id of the previous update).
 */

/** No real update or reply has more levels a side. */
export const MAX_LEVELS_PER_SIDE = 20_000;

/** What a frame turned out to be. */
export type StreamMessage<U = DepthUpdate> =
  | { readonly kind: 'depth'; readonly update: U }
  /** The server is about to close this connection. */
  | { readonly kind: 'shutdown' }
  /** The answer to a SUBSCRIBE or another request. */
  | { readonly kind: 'response'; readonly id: unknown; readonly error: string | null }
  /** Something the exchange may send and this package has no use for. */
  | { readonly kind: 'other' };

/**
 * Reads one text frame, raw (`/ws`) or combined (`/stream`: {"stream","data"}).
 * @throws OrderFlowError OF_FRAME_INVALID
 */
export function parseFrame(text: string, requirePrevious: boolean): StreamMessage {
  const frame = asObject(parseJson(text), 'frame');
  if (typeof frame.stream === 'string' && 'data' in frame) {
    if (frame.stream === '!serverShutdown') return { kind: 'shutdown' };
    return parseEvent(asObject(frame.data, 'data'), requirePrevious);
  }
  if ('result' in frame || 'error' in frame || ('code' in frame && 'msg' in frame))
    return parseResponse(frame);
  return parseEvent(frame, requirePrevious);
}

function parseResponse(frame: Record<string, unknown>): StreamMessage {
  const error = 'error' in frame ? frame.error : 'code' in frame ? frame : null;
  return {
    kind: 'response',
    id: frame.id ?? null,
    error: error === null ? null : JSON.stringify(error).slice(0, 300),
  };
}

function parseEvent(event: Record<string, unknown>, requirePrevious: boolean): StreamMessage {
  if (event.e === 'serverShutdown') return { kind: 'shutdown' };
  if (event.e !== 'depthUpdate') return { kind: 'other' };
  return { kind: 'depth', update: parseDepthUpdate(event, requirePrevious) };
}

/** @throws OrderFlowError OF_FRAME_INVALID */
function parseDepthUpdate(event: Record<string, unknown>, requirePrevious: boolean): DepthUpdate {
  const firstUpdateId = asId(event.U, 'U');
  const finalUpdateId = asId(event.u, 'u');
  if (firstUpdateId > finalUpdateId) throw invalid(`U ${firstUpdateId} is above u ${finalUpdateId}`);
  if (typeof event.s !== 'string' || event.s === '' || event.s.length > MAX_SYMBOL_LENGTH)
    throw invalid('s is not a symbol');
  return {
    symbol: event.s,
    firstUpdateId,
    finalUpdateId,
    // A new or reset futures book may name no previous id but -1 or 0; anything that is not an id matches none.
    previousFinalUpdateId: requirePrevious ? asPreviousId(event.pu) : null,
    eventTimeMs: asTime(event.E),
    bids: asLevels(event.b, 'b'),
    asks: asLevels(event.a, 'a'),
  };
}

/** @throws OrderFlowError OF_BAD_RESPONSE */
export function parseDepthReply(text: string): DepthReply {
  try {
    const reply = asObject(parseJson(text), 'reply');
    return {
      lastUpdateId: asId(reply.lastUpdateId, 'lastUpdateId'),
      bids: asOrdered(asLevels(reply.bids, 'bids'), 'bids', -1),
      asks: asOrdered(asLevels(reply.asks, 'asks'), 'asks', 1),
      eventTimeMs: reply.E === undefined ? null : asTime(reply.E),
    };
  } catch (error) {
    const detail = isOrderFlowError(error) ? error.detail : String(error);
    throw new OrderFlowError('OF_BAD_RESPONSE', `in the depth reply ${detail}`, { cause: error });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(`${JSON.stringify(text.slice(0, 80))} is not JSON`);
  }
}

function asObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${name} is not an object`);
  return value as Record<string, unknown>;
}

function asId(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw invalid(`${name} is not a whole number`);
  return value as number;
}

function asTime(value: unknown): number {
  return eventTimeMs(asId(value, 'E'));
}

/** Streams opened with timeUnit=MICROSECOND, and recordings of them, give microseconds: the size shows which. */
export function eventTimeMs(time: number): number {
  return time < FIRST_MICROSECONDS ? time : Math.floor(time / 1000);
}

function asPreviousId(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw invalid('pu is not a whole number');
  return value as number;
}

function asLevels(value: unknown, name: string): Level[] {
  if (!Array.isArray(value)) throw invalid(`${name} is not a list`);
  if (value.length > MAX_LEVELS_PER_SIDE) throw invalid(`${name} has ${value.length} levels`);
  return value.map((entry: unknown, i): Level => {
    if (!Array.isArray(entry) || entry.length < 2) throw invalid(`${name}[${i}] is not [price, quantity]`);
    const price = canonicalDecimal(entry[0]);
    const quantity = canonicalDecimal(entry[1]);
    if (price === null || price === '0') throw invalid(`${name}[${i}] has no usable price`);
    if (quantity === null) throw invalid(`${name}[${i}] has no usable quantity`);
    return [price, quantity];
  });
}

/** A side of a reply: best first and nothing empty. Its last price says how far the reply reaches. */
function asOrdered(levels: Level[], name: string, direction: 1 | -1): Level[] {
  levels.forEach(([price, quantity], i) => {
    if (quantity === '0') throw invalid(`${name}[${i}] has no quantity`);
    if (i > 0 && compareDecimals(price, levels[i - 1][0]) * direction <= 0)
      throw invalid(`${name}[${i}] is out of order`);
  });
  return levels;
}

function invalid(detail: string): OrderFlowError {
  return new OrderFlowError('OF_FRAME_INVALID', detail);
}
