import { type BaseUrlKind, parseBaseUrl } from '../net/baseUrl';
import { MARKETS, isMarketId, type MarketId } from '../feed/markets';
import { type NamedSymbol, parseNamedSymbols } from '../feed/symbols';
import { readChoice, refused } from '../runtime/validate';
import { checkPrefix } from '../store/keys';
import type { StoreKind } from '../store/openStore';

const DEFAULT_KEY_PREFIX = 'examples/';

/** Readers for fields that more than one node has. Each refuses with the field's name: OF_PARAMETER, OF_BASE_URL. */

/** The value of a field; undefined where the field is hidden (n8n throws for these unless it is given a fallback). */
export type ParameterReader = (name: string) => unknown;

export function readMarket(value: unknown): MarketId {
  if (!isMarketId(value)) throw refused('Market', `must be one of ${Object.keys(MARKETS).join(', ')}`, value);
  return value;
}

/**
 * Symbols picked from the list or typed (a resource locator), or what an expression gave: text or a list; then those that
 * were picked besides.
 */
export function readSymbols(parameter: ParameterReader, market: MarketId): NamedSymbol[] {
  const value = parameter('symbols');
  const picked = typeof value === 'object' && value !== null && '__rl' in value && 'value' in value;
  const first = parseNamedSymbols(picked ? value.value : value, market);
  const more = parameter('moreSymbols');
  if (more === undefined || (Array.isArray(more) && more.length === 0)) return first;
  const names = new Set(first.map(({ symbol }) => symbol));
  const others = parseNamedSymbols(more, market, 'More Symbols');
  return [...first, ...others.filter(({ symbol }) => !names.has(symbol))];
}

/** Undefined where the field is empty: the market's own address is used. */
export function optionalBaseUrl(value: unknown, kind: BaseUrlKind, field: string): string | undefined {
  return value === undefined || value === '' ? undefined : parseBaseUrl(value, kind, field);
}

export function readKeyPrefix(value: unknown): string {
  return value === undefined ? DEFAULT_KEY_PREFIX : checkPrefix('Key Prefix', value);
}

export function readTopicPrefix(value: unknown): string {
  return value === undefined ? '' : checkPrefix('Topic Prefix', value);
}

/** The values of a collection field; none where it was never opened. */
export function asCollection(value: unknown, field = 'Options'): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw refused(field, 'must be a collection of settings', value);
  return value as Record<string, unknown>;
}

export function readStoreKind(value: unknown): StoreKind {
  return readChoice('Snapshot Store', value, ['memory', 'redis'] as const, 'memory');
}
