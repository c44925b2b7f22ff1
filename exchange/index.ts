/** A stand-in for the exchange: its REST and WebSocket over real sockets, and the true book at every update id. */
export { Exchange, startExchange } from './server/exchange';
export { SyntheticMarket, type SyntheticOptions, type TopNotional } from './market/synthetic';
export { RecordingMarket, type RecordingOptions } from './market/recording';
export { TrueBook, type BookText, type TextLevel } from './market/trueBook';
export { encodeDepthEvent, encodeDepthReply, type DepthEvent } from './wire/encode';
export { PROFILES, type MarketId, type Profile } from './profiles';
export type { Fault, FaultKind, Faults } from './server/faults';
export type { ExchangeOptions, SourceOptions, SymbolOptions, TimingOptions } from './server/options';
export type { ConnectionStats, RequestRecord, Stats } from './server/stats';
