import { MAX_SYMBOL_LENGTH } from '../../feed/symbols';

/** Symbols kept at most; one connection carries no more streams than this. */
const MAX_SYMBOLS = 4_096;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

interface Known {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Finds a symbol's string by its bytes, so that a frame of a known symbol makes no new string. */
export class SymbolTable {
  /** The symbol that read() found last. */
  text = '';
  private last: Known = { bytes: new Uint8Array(0), text: '' };
  private readonly known = new Map<number, Known>();

  /**
   * Reads a symbol up to its closing quote into `text`.
   * @returns the place behind the quote; -1 where the string is empty, too long, or has escapes or control characters
   */
  read(bytes: Uint8Array, start: number): number {
    let hash = 0;
    let at = start;
    for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[++at]) {
      if (byte < SPACE || byte === BACKSLASH) return -1;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    // Before anything is known, nothing at all would be taken for it.
    if (at === start) return -1;
    if (!same(this.last.bytes, bytes, start, at)) {
      const known = this.find(hash, bytes, start, at);
      if (known === null) return -1;
      this.last = known;
    }
    this.text = this.last.text;
    return at + 1;
  }

  private find(hash: number, bytes: Uint8Array, start: number, end: number): Known | null {
    const found = this.known.get(hash);
    if (found !== undefined && same(found.bytes, bytes, start, end)) return found;
    const text = Buffer.from(bytes.subarray(start, end)).toString('utf8');
    if (text.length > MAX_SYMBOL_LENGTH) return null;
    const added = { bytes: bytes.slice(start, end), text };
    if (this.known.size >= MAX_SYMBOLS) this.known.clear();
    this.known.set(hash, added);
    return added;
  }
}

function same(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
