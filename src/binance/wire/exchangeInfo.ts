import type { ListedSymbol } from '../../feed/listing';
import { OrderFlowError } from '../../runtime/errors';

export type ExchangeInfo = ReadonlyMap<string, ListedSymbol>;

/** Figures beyond these are no request limits of an exchange. Weight a minute. */
const LEAST_LIMIT = 100;
const MOST_LIMIT = 1_000_000;
/** Limits over longer times are no concern of a budget that counts by the minute. */
const SECONDS: { readonly [interval: string]: number } = { SECOND: 1, MINUTE: 60 };

export interface ExchangeInfoReply {
  readonly symbols: ExchangeInfo;
  /** Request weight a minute that one address may spend; null where the reply does not say. */
  readonly weightPerMinute: number | null;
}

/** @throws OrderFlowError OF_BAD_RESPONSE */
export function parseExchangeInfo(text: string): ExchangeInfoReply {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new OrderFlowError('OF_BAD_RESPONSE', 'exchangeInfo is not JSON');
  }
  const reply = value as { symbols?: unknown; rateLimits?: unknown } | null;
  const listed = reply?.symbols;
  if (!Array.isArray(listed)) throw new OrderFlowError('OF_BAD_RESPONSE', 'exchangeInfo lists no symbols');
  const symbols = new Map<string, ListedSymbol>();
  for (const entry of listed as unknown[]) {
    if (typeof entry !== 'object' || entry === null) continue;
    const fields = entry as Record<string, unknown>;
    if (typeof fields.symbol !== 'string') continue;
    symbols.set(fields.symbol, {
      symbol: fields.symbol,
      // COIN-M says contractStatus.
      status: textOf(fields.status) || textOf(fields.contractStatus),
      baseAsset: textOf(fields.baseAsset),
      quoteAsset: textOf(fields.quoteAsset),
      contractType: textOf(fields.contractType),
      contractSize: amountOf(fields.contractSize),
    });
  }
  return { symbols, weightPerMinute: weightPerMinuteOf(reply?.rateLimits) };
}

/** The strictest of the request limits, by the minute. */
function weightPerMinuteOf(rateLimits: unknown): number | null {
  if (!Array.isArray(rateLimits)) return null;
  const limits = rateLimits.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const { rateLimitType, interval, intervalNum, limit } = entry as Record<string, unknown>;
    const seconds = Object.hasOwn(SECONDS, String(interval)) ? SECONDS[String(interval)] : NaN;
    if (rateLimitType !== 'REQUEST_WEIGHT' || typeof intervalNum !== 'number' || typeof limit !== 'number')
      return [];
    const perMinute = Math.floor((limit * 60) / (seconds * intervalNum));
    return perMinute >= LEAST_LIMIT && perMinute <= MOST_LIMIT ? [perMinute] : [];
  });
  return limits.length === 0 ? null : Math.min(...limits);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function amountOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}
