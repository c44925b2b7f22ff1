import { OrderFlowError } from '../runtime/errors';

/** One trigger or one item may name so many symbols at most. */
export const MAX_SYMBOLS = 1_024;
/** Longer than any symbol the exchange lists. */
export const MAX_SYMBOL_LENGTH = 64;

/**
 * Letters, digits and what listed symbols hold besides (`BTCUSD_PERP`, `币安人生USDT`). Symbols are opaque text, so only
 * what could leave its place in a URL, a stream name, a key or a topic is refused.
 */
const SYMBOL = /^[\p{L}\p{M}\p{N}_.-]+$/u;

/**
 * The symbols that a user typed, picked or computed: upper case, each once, in the order given.
 * @param input a list, or a text separated by commas or white space
 * @throws OrderFlowError OF_PARAMETER that names the field
 */
export function parseSymbols(input: unknown, field = 'Symbols'): string[] {
  const parts = splitInput(input, field);
  const symbols = new Set<string>();
  for (const part of parts) {
    symbols.add(parseSymbol(part, field));
    if (symbols.size > MAX_SYMBOLS)
      throw refuse(field, `more than ${MAX_SYMBOLS} symbols; split them over several triggers`);
  }
  if (symbols.size === 0) throw refuse(field, 'is empty; name at least one symbol, for example BTCUSDT');
  return [...symbols];
}

/** One symbol, upper case. @throws OrderFlowError OF_PARAMETER that names the field */
export function parseSymbol(input: unknown, field = 'Symbol'): string {
  if (typeof input !== 'string') throw refuse(field, `holds ${describe(input)} where a symbol belongs`);
  const text = input.trim();
  if (text === '') throw refuse(field, 'holds an empty symbol');
  if (text.length > MAX_SYMBOL_LENGTH)
    throw refuse(field, `holds a symbol longer than ${MAX_SYMBOL_LENGTH} characters`);
  if (!SYMBOL.test(text)) throw refuse(field, `${JSON.stringify(text)} is not a symbol`);
  return text.toUpperCase();
}

function splitInput(input: unknown, field: string): unknown[] {
  if (Array.isArray(input)) {
    if (input.length > MAX_SYMBOLS * 4) throw refuse(field, `more than ${MAX_SYMBOLS} symbols`);
    return input.flatMap((entry: unknown) => (typeof entry === 'string' ? splitText(entry, field) : [entry]));
  }
  if (typeof input === 'string') return splitText(input, field);
  throw refuse(field, `is ${describe(input)}; give a list or a comma-separated text`);
}

function splitText(text: string, field: string): string[] {
  if (text.length > MAX_SYMBOLS * (MAX_SYMBOL_LENGTH + 2))
    throw refuse(field, `is longer than ${MAX_SYMBOLS} symbols can be`);
  // An expression often ends in a line end; inside, every control character is an accident or an attempt.
  const trimmed = text.trim();
  if (/[\p{Cc}\p{Cf}]/u.test(trimmed)) throw refuse(field, 'holds a control character');
  return trimmed.split(/[,;\s]+/u).filter((part) => part !== '');
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return `a value of type ${typeof value}`;
}

function refuse(field: string, detail: string): OrderFlowError {
  return new OrderFlowError('OF_PARAMETER', `${field}: ${detail}`, { subject: field });
}
