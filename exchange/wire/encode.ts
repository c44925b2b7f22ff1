import type { Profile } from '../profiles';
import type { BookText, TextLevel, TrueBook } from '../market/trueBook';

/** A diff event before it is written. `text`: the bytes to send as they are (recordings, scripted faults). */
export interface DepthEvent {
  readonly symbol: string;
  readonly firstUpdateId: number;
  readonly finalUpdateId: number;
  readonly previousFinalUpdateId: number;
  readonly eventTimeMs: number;
  readonly bids: readonly TextLevel[];
  readonly asks: readonly TextLevel[];
  readonly text?: string;
}

export function encodeDepthEvent(profile: Profile, event: DepthEvent, microseconds: boolean): string {
  if (event.text !== undefined) return microseconds ? inMicroseconds(event.text) : event.text;
  const time = eventTime(event.eventTimeMs, microseconds);
  const ids = `"U":${event.firstUpdateId},"u":${event.finalUpdateId}`;
  const sides = `"b":${encodeLevels(event.bids)},"a":${encodeLevels(event.asks)}`;
  const symbol = JSON.stringify(event.symbol);
  if (profile.kind === 'spot') return `{"e":"depthUpdate","E":${time},"s":${symbol},${ids},${sides}}`;
  const transaction = eventTime(event.eventTimeMs - 2, microseconds);
  const pair = profile.kind === 'coinm' ? pairOf(event.symbol) : event.symbol;
  const previous = `"pu":${event.previousFinalUpdateId}`;
  return (
    `{"e":"depthUpdate","E":${time},"T":${transaction},"s":${symbol},"ps":${JSON.stringify(pair)},` +
    `${ids},${previous},${sides},"st":0}`
  );
}

/** Partial depth: on spot without a symbol and a time, on futures in a diff's clothes. */
export function encodePartialDepth(
  profile: Profile,
  event: Omit<DepthEvent, 'text'>,
  microseconds: boolean,
): string {
  if (profile.kind !== 'spot') return encodeDepthEvent(profile, event, microseconds);
  return `{"lastUpdateId":${event.finalUpdateId},"bids":${encodeLevels(event.bids)},"asks":${encodeLevels(event.asks)}}`;
}

/** The REST depth reply. */
export function encodeDepthReply(
  profile: Profile,
  symbol: string,
  lastUpdateId: number,
  book: BookText,
  nowMs: number,
): string {
  const sides = `"bids":${encodeLevels(book.bids)},"asks":${encodeLevels(book.asks)}`;
  if (profile.kind === 'spot') return `{"lastUpdateId":${lastUpdateId},${sides}}`;
  const head = `{"lastUpdateId":${lastUpdateId},"E":${nowMs},"T":${nowMs - 5}`;
  if (profile.kind === 'usdm') return `${head},${sides}}`;
  return `${head},"symbol":${JSON.stringify(symbol)},"pair":${JSON.stringify(pairOf(symbol))},${sides}}`;
}

export function encodeWrapped(stream: string, data: string): string {
  return `{"stream":${JSON.stringify(stream)},"data":${data}}`;
}

/** Changed levels in the order that the market sends them: spot best first, futures by rising price. */
export function sortedChanges(
  profile: Profile,
  book: TrueBook,
  keys: number[],
): { bids: TextLevel[]; asks: TextLevel[] } {
  keys.sort((x, y) => x - y);
  const bids = keys.filter((key) => key > 0);
  const asks = keys.filter((key) => key < 0).reverse();
  if (profile.kind === 'spot') bids.reverse();
  return { bids: bids.map((key) => book.level(key)), asks: asks.map((key) => book.level(key)) };
}

export function pairOf(symbol: string): string {
  const cut = symbol.indexOf('_');
  return cut < 0 ? symbol : symbol.slice(0, cut);
}

function eventTime(ms: number, microseconds: boolean): string {
  return microseconds ? `${ms}137` : String(ms);
}

function inMicroseconds(text: string): string {
  return text.replace(/"([ET])":(\d+)/g, '"$1":$2000');
}

function encodeLevels(levels: readonly TextLevel[]): string {
  let out = '[';
  for (let i = 0; i < levels.length; i++) {
    out += `${i === 0 ? '' : ','}["${levels[i][0]}","${levels[i][1]}"]`;
  }
  return `${out}]`;
}
