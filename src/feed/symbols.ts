import { type OrderFlowError } from '../runtime/errors';
import { fieldError } from '../runtime/validate';
import { type Market, type MarketId, MARKETS } from './markets';

/** The most symbols that one trigger or one item may name. */
export const MAX_SYMBOLS = 1_024;
/** Longer than any symbol the exchange lists. */
export const MAX_SYMBOL_LENGTH = 64;

/**
 * Letters, digits and what listed symbols hold besides (`BTCUSD_PERP`, `币安人生USDT`). Symbols are opaque text, so only
 * what could leave its place in a URL, a stream name, a key or a topic is refused.
 */
const SYMBOL = /^[\p{L}\p{M}\p{N}_.-]+$/u;

/** A symbol as a user named it. */
export interface NamedSymbol {
  /** As Binance writes it, upper case. */
  readonly symbol: string;
  /** What was written in another tool's form; null where Binance writes it so itself. */
  readonly writtenAs: string | null;
}

/**
 * The symbols that a user typed, picked or computed: upper case, each once, in the order given. Other tools' forms are
 * understood where they can mean one symbol of the market only: `btc/usdt`, `BTC-USDT`, `BINANCE:BTCUSDT`,
 * `BTC/USDT:USDT`, `BTCUSD.P`. Whether it exists is for the exchange's list to say.
 * @param input a list, or a text separated by commas or white space
 * @throws OrderFlowError OF_PARAMETER that names the field and, where it can, what to write instead
 */
export function parseNamedSymbols(input: unknown, market: MarketId, field = 'Symbols'): NamedSymbol[] {
  return parseEach(input, field, (part) => namedSymbol(part, MARKETS[market], field));
}

/** The same for a caller that writes as Binance does. */
export function parseSymbols(input: unknown, field = 'Symbols'): string[] {
  const named = parseEach(input, field, (part) => ({ symbol: parseSymbol(part, field) }));
  return named.map(({ symbol }) => symbol);
}

/** One symbol, upper case. @throws OrderFlowError OF_PARAMETER that names the field */
export function parseSymbol(input: unknown, field = 'Symbol'): string {
  const text = readText(input, field);
  if (!SYMBOL.test(text)) throw fieldError(field, `holds ${JSON.stringify(text)}, which is not a symbol`);
  return text;
}

/** The value where a symbol belongs: text on one line, upper case. */
function readText(input: unknown, field: string): string {
  if (typeof input !== 'string') throw fieldError(field, `holds ${describe(input)} where a symbol belongs`);
  const text = input.trim();
  if (text === '') throw fieldError(field, 'holds an empty symbol');
  if (text.length > MAX_SYMBOL_LENGTH)
    throw fieldError(field, `holds a symbol longer than ${MAX_SYMBOL_LENGTH} characters`);
  if (/[\s\p{Cc}\p{Cf}]/u.test(text))
    throw fieldError(field, 'holds a symbol with white space or invisible characters');
  return text.toUpperCase();
}

/** How other tools say that they mean a perpetual contract. */
const PERPETUAL = /(?:\.P|[-_]PERP)$/;
/** A contract with its date; Binance writes `BTCUSDT_260327`. */
const CONTRACT = /[-_]\d{6}$/;
/** `BTC/USDT`, `BTC/USDT:USDT`, `BTC/USDT:USDT-260327`. */
const SLASHED = /^([\p{L}\p{M}\p{N}]+)\/([\p{L}\p{M}\p{N}]+)(?::([\p{L}\p{M}\p{N}]+)(?:-(\d{6}))?)?$/u;
/** `BTC-USDT`, `BTC_USDT`. */
const JOINED = /^([\p{L}\p{M}\p{N}]+)[-_]([\p{L}\p{M}\p{N}]+)$/u;
/** `BINANCE:BTCUSDT`. */
const PREFIXED = /^([A-Z0-9]+):([^:]+)$/;

function namedSymbol(input: unknown, market: Market, field: string): NamedSymbol {
  const writtenAs = readText(input, field);
  const meant = (symbol: string | null): NamedSymbol => {
    if (symbol === null || !SYMBOL.test(symbol)) throw notCertain(field, writtenAs, market);
    return { symbol, writtenAs: symbol === writtenAs ? null : writtenAs };
  };
  const prefixed = PREFIXED.exec(writtenAs);
  if (prefixed !== null && prefixed[1] !== market.chartPrefix)
    throw fieldError(
      field,
      `holds ${JSON.stringify(writtenAs)}, which names another exchange than ${market.name}`,
    );
  const text = prefixed === null ? writtenAs : prefixed[2];
  const slashed = SLASHED.exec(text);
  if (slashed !== null) return meant(ofPair(slashed[1], slashed[2], slashed[3], slashed[4], market));
  if (PERPETUAL.test(text)) return meant(perpetual(text.replace(PERPETUAL, ''), market));
  if (market.contracts !== 'none' && CONTRACT.test(text)) return meant(text.replace('-', '_'));
  const joined = JOINED.exec(text);
  return meant(joined === null ? text : ofPair(joined[1], joined[2], undefined, undefined, market));
}

/** The symbol of a pair, with what a contract is settled in and its date where these were written; null where unclear. */
function ofPair(
  base: string,
  quote: string,
  settledIn: string | undefined,
  date: string | undefined,
  market: Market,
): string | null {
  const pair = base + quote;
  switch (market.contracts) {
    case 'none':
      return settledIn === undefined ? pair : null;
    case 'linear':
      if (settledIn !== undefined && settledIn !== quote) return null;
      return date === undefined ? pair : `${pair}_${date}`;
    case 'inverse':
      // Without the coin it may be the perpetual contract or any dated one.
      return settledIn === base ? `${pair}_${date ?? 'PERP'}` : null;
  }
}

function perpetual(written: string, market: Market): string | null {
  if (market.contracts === 'none') return null;
  const pair = written.replace(/[-_/]/, '');
  return market.contracts === 'linear' ? pair : `${pair}_PERP`;
}

const EXAMPLES = { none: 'BTCUSDT', linear: 'BTCUSDT', inverse: 'BTCUSD_PERP' } as const;

function notCertain(field: string, writtenAs: string, market: Market): OrderFlowError {
  const example = EXAMPLES[market.contracts];
  return fieldError(
    field,
    `holds ${JSON.stringify(writtenAs)}, which does not say which symbol of ${market.name} is meant; write it as Binance does, with no dash or slash, for example ${example}`,
  );
}

function parseEach<T extends { readonly symbol: string }>(
  input: unknown,
  field: string,
  parse: (part: unknown) => T,
): T[] {
  const found = new Map<string, T>();
  for (const part of splitInput(input, field)) {
    const parsed = parse(part);
    if (!found.has(parsed.symbol)) found.set(parsed.symbol, parsed);
    if (found.size > MAX_SYMBOLS)
      throw fieldError(field, `names more than ${MAX_SYMBOLS} symbols; split them over several triggers`);
  }
  if (found.size === 0) throw fieldError(field, 'is empty; name at least one symbol, for example BTCUSDT');
  return [...found.values()];
}

function splitInput(input: unknown, field: string): unknown[] {
  if (Array.isArray(input)) {
    if (input.length > MAX_SYMBOLS * 4) throw fieldError(field, `names more than ${MAX_SYMBOLS} symbols`);
    return input.flatMap((entry: unknown) => (typeof entry === 'string' ? splitText(entry, field) : [entry]));
  }
  if (typeof input === 'string') return splitText(input, field);
  throw fieldError(field, `is ${describe(input)}; give a list or a comma-separated text`);
}

function splitText(text: string, field: string): string[] {
  if (text.length > MAX_SYMBOLS * (MAX_SYMBOL_LENGTH + 2))
    throw fieldError(field, `is longer than ${MAX_SYMBOLS} symbols can be`);
  // An expression often ends in a line end; inside, every control character is an accident or an attempt.
  const trimmed = text.trim();
  if (/[\p{Cc}\p{Cf}]/u.test(trimmed)) throw fieldError(field, 'holds a control character');
  return trimmed.split(/[,;\s]+/u).filter((part) => part !== '');
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return `a value of type ${typeof value}`;
}

/** Can the text be part of a key or a topic? A label like `BTC/USDT`, which an item may carry, cannot. */
export function isSymbol(text: string): boolean {
  return SYMBOL.test(text);
}
