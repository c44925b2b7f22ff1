import { encodeWrapped } from '../wire/encode';
import { syntheticOf } from './bookFaults';
import type { Connection } from './connection';
import { bytesOf } from './eventFaults';
import type { Strike } from './faults';
import type { Hub } from './hub';
import type { SymbolFeed } from './symbolFeed';
import type { WeightMeter } from './weight';

/** Where ids begin after a reset. */
const RESET_ID = 1000;

/** The parts of an exchange that a strike reaches. */
export interface StrikeTarget {
  readonly hub: Hub;
  readonly weight: WeightMeter;
  readonly feeds: ReadonlyMap<string, SymbolFeed>;
  readonly shutdownNoticeMs: number;
  /** @throws Error for a symbol that this server never had */
  feed(symbol: string): SymbolFeed;
  /** Runs once after `ms` unless the server is closed before. */
  later(ms: number, run: () => void): void;
}

/** Does what a fault of one moment asks for. */
export function strike(exchange: StrikeTarget, fault: Strike & { symbol?: string }): void {
  const only = 'only' in fault ? fault.only : undefined;
  switch (fault.kind) {
    case 'halfOpen':
      return connections(exchange, fault.symbol, only).forEach((connection) => connection.freeze());
    case 'reset':
      return connections(exchange, fault.symbol, only).forEach((connection) => connection.reset());
    case 'cut':
      return connections(exchange, fault.symbol, only).forEach((connection) => connection.cut());
    case 'close':
      return connections(exchange, fault.symbol, only).forEach((connection) =>
        connection.close(fault.code, fault.reason ?? ''),
      );
    case 'serverShutdown':
      return shutdown(
        exchange,
        connections(exchange, undefined, only),
        fault.closeAfterMs ?? exchange.shutdownNoticeMs,
      );
    case 'lag':
      return connections(exchange, fault.symbol, only).forEach((connection) => connection.lag(fault.ms));
    case 'rawFrame':
      return connections(exchange, fault.symbol).forEach((connection) =>
        connection.send(bytesOf(fault), fault.binary ?? false),
      );
    case 'jump':
      for (const feed of feeds(exchange, fault.symbol)) {
        syntheticOf(feed).jump(fault.bps);
        feed.flush();
      }
      return;
    case 'resetIds':
      return feeds(exchange, fault.symbol).forEach((feed) => feed.resetIds(fault.to ?? RESET_ID));
    case 'rateLimited':
      return exchange.weight.block(429, fault.retryAfterSeconds * 1000);
    case 'banned':
      return exchange.weight.block(418, fault.retryAfterSeconds * 1000);
    case 'useWeight':
      return exchange.weight.spend(fault.weight);
  }
}

/** All connections, those that listen to a symbol, or the newest one. */
function connections(exchange: StrikeTarget, symbol?: string, only?: 'newest'): Connection[] {
  const all = [...exchange.hub.connections];
  const name = symbol === undefined ? null : `${symbol.toLowerCase()}@`;
  const wanted =
    name === null ? all : all.filter(({ streams }) => [...streams].some((stream) => stream.startsWith(name)));
  return only === 'newest' ? wanted.slice(-1) : wanted;
}

function feeds(exchange: StrikeTarget, symbol?: string): SymbolFeed[] {
  return symbol === undefined ? [...exchange.feeds.values()] : [exchange.feed(symbol)];
}

/** The announcement, raw or combined as each connection has it, and the close. */
function shutdown(exchange: StrikeTarget, announced: readonly Connection[], closeAfterMs: number): void {
  const body = JSON.stringify({ e: 'serverShutdown', E: Date.now() });
  for (const connection of announced) {
    connection.send(connection.combined ? encodeWrapped('!serverShutdown', body) : body);
  }
  exchange.later(closeAfterMs, () =>
    announced.forEach((connection) => connection.close(1001, 'server shutdown')),
  );
}
