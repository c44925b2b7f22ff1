import type { Ticker } from '../../feed/activity';
import { OrderFlowError } from '../../runtime/errors';

/** @throws OrderFlowError OF_BAD_RESPONSE */
export function parseTickers(text: string): Ticker[] {
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch {
    throw new OrderFlowError('OF_BAD_RESPONSE', 'ticker/24hr is not JSON');
  }
  if (!Array.isArray(entries)) throw new OrderFlowError('OF_BAD_RESPONSE', 'ticker/24hr is not a list');
  return (entries as unknown[]).flatMap((entry) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const { symbol, lastPrice, quoteVolume, volume } = entry as Record<string, unknown>;
    if (typeof symbol !== 'string') return [];
    return {
      symbol,
      lastPrice: amountOf(lastPrice),
      quoteVolume: quoteVolume === undefined ? null : amountOf(quoteVolume),
      volume: amountOf(volume),
    };
  });
}

/** Nothing that can be used counts as nothing traded. */
function amountOf(value: unknown): number {
  const amount = Number(value);
  return Number.isFinite(amount) && amount > 0 ? amount : 0;
}
