/** A stand-in for the exchange: its REST and WebSocket over real sockets, and the true book at every update id. */
import { handleControl } from './server/control';
import { Exchange } from './server/exchange';
import type { ExchangeOptions } from './server/options';

export { Exchange } from './server/exchange';
export { SyntheticMarket, type SyntheticOptions, type TopNotional } from './market/synthetic';
export { RecordingMarket, type RecordingOptions } from './market/recording';
export { TrueBook, type BookText, type TextLevel } from './market/trueBook';
export { encodeDepthEvent, encodeDepthReply, type DepthEvent } from './wire/encode';
export { PROFILES, type MarketId, type Profile } from './profiles';
export type { Fault, FaultKind, Faults } from './server/faults';
export type { ExchangeOptions, SourceOptions, SymbolOptions, TimingOptions } from './server/options';
export type { ConnectionStats, RequestRecord, Stats } from './server/stats';

/** Starts an exchange on 127.0.0.1. */
export async function startExchange(options: ExchangeOptions = {}): Promise<Exchange> {
  const exchange = new Exchange(options, (...request) => void handleControl(...request));
  await exchange.listen();
  return exchange;
}
