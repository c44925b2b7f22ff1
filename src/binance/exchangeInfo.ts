import { OrderFlowError } from '../runtime/errors';

export interface ListedSymbol {
  readonly symbol: string;
  /** TRADING, HALT, BREAK, CANCEL_ONLY, … as the exchange says it; empty where it says nothing. */
  readonly status: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
}

export type ExchangeInfo = ReadonlyMap<string, ListedSymbol>;

/** @throws OrderFlowError OF_BAD_RESPONSE */
export function parseExchangeInfo(text: string): ExchangeInfo {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new OrderFlowError('OF_BAD_RESPONSE', 'exchangeInfo is not JSON');
  }
  const listed = (value as { symbols?: unknown } | null)?.symbols;
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
    });
  }
  return symbols;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
