import type { BookContent, SaveRequest, Tenure } from '../../src/store/types';
import type { RedisServer } from './redisServer';

/** A small true-looking book whose levels tell its update id, so that a torn record shows. */
export function content(lastUpdateId: number, over: Partial<BookContent> = {}): BookContent {
  return {
    lastUpdateId,
    levels: 2,
    market: 'spot',
    symbol: 'BTCUSDT',
    eventTimeMs: 1_700_000_000_000,
    receivedAtMs: 1_700_000_000_005,
    bidsComplete: false,
    asksComplete: true,
    resyncs: 0,
    updateSpeedMs: 100,
    bids: [
      ['100.5', `${lastUpdateId}.25`],
      ['99', '2'],
    ],
    asks: [['101', `${lastUpdateId}.5`]],
    ...over,
  };
}

export function request(
  tenure: Tenure,
  epoch: number,
  lastUpdateId: number,
  over: Partial<SaveRequest> = {},
): SaveRequest {
  return { tenure, epoch, liveAgeMs: 0, ttlMs: 60_000, content: content(lastUpdateId), ...over };
}

export function credentialsOf(
  server: RedisServer,
  over: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    host: server.host,
    port: server.port,
    user: '',
    password: '',
    database: 0,
    tls: false,
    ca: '',
    ...over,
  };
}
