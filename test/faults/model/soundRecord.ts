/** What a record has to be before a signal may rest on it, written down again without the package's code. */

const CANONICAL = /^(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/;
/** By how much a record's time may lie ahead of the store's clock, milliseconds, with room for the time of reading. */
const AHEAD_MS = 5_200;
const LAST_TIME_MS = 8.64e15;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isTime = (value: unknown): boolean => isCount(value) && value <= LAST_TIME_MS;

/** An exact whole number of 10^-60. */
function units(text: string): bigint {
  const [whole, part = ''] = text.split('.');
  return BigInt(whole + part.padEnd(60, '0'));
}

function isSide(value: unknown, most: number, bestFirst: 1 | -1): boolean {
  if (!Array.isArray(value) || value.length > most) return false;
  let last: bigint | null = null;
  for (const level of value as unknown[]) {
    if (!Array.isArray(level) || level.length !== 2) return false;
    for (const text of level as unknown[])
      if (typeof text !== 'string' || !CANONICAL.test(text) || text === '0' || text.length > 60) return false;
    const price = units(level[0] as string);
    if (last !== null && (bestFirst === 1 ? price <= last : price >= last)) return false;
    last = price;
  }
  return true;
}

interface Wanted {
  readonly market: string;
  readonly symbol: string;
  readonly nowMs: number;
  readonly maxAgeMs: number;
}

function parsed(bytes: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/**
 * The imbalance by quantity over `levels` levels in percent of the larger side, where the bytes are a whole, live and
 * fresh record of this symbol; null where no signal may rest on them.
 */
export function soundPercent(bytes: Buffer, wanted: Wanted, levels: number): number | null {
  const record = parsed(bytes);
  if (record === null) return null;
  const { market, symbol, nowMs, maxAgeMs } = wanted;
  const most = record.levels;
  if (!isCount(most) || most > 5_000) return null;
  const head =
    record.format === 1 &&
    record.exchange === 'binance' &&
    record.market === market &&
    record.symbol === symbol &&
    record.state === 'live';
  if (!head || !isCount(record.epoch) || !isCount(record.lastUpdateId) || !isCount(record.liveAtMs))
    return null;
  const ageMs = nowMs - record.liveAtMs;
  if (ageMs < -AHEAD_MS || ageMs > maxAgeMs) return null;
  if (record.eventTimeMs !== null && !isTime(record.eventTimeMs)) return null;
  if (!isTime(record.receivedAtMs) || !isCount(record.resyncs) || !isCount(record.updateSpeedMs)) return null;
  if (typeof record.bidsComplete !== 'boolean' || typeof record.asksComplete !== 'boolean') return null;
  if (!isSide(record.bids, most, -1) || !isSide(record.asks, most, 1)) return null;
  const bids = record.bids as string[][];
  const asks = record.asks as string[][];
  if (bids.length === 0 || asks.length === 0 || units(bids[0][0]) >= units(asks[0][0])) return null;
  const sum = (side: string[][]): number =>
    Number(side.slice(0, levels).reduce((total, [, quantity]) => total + units(quantity), 0n));
  const [bid, ask] = [sum(bids), sum(asks)];
  return (100 * (ask - bid)) / Math.max(ask, bid);
}

/** May this feed status be called healthy? */
export function soundStatus(bytes: Buffer, wanted: Wanted): boolean {
  const status = parsed(bytes);
  if (status === null || status.format !== 1 || status.state !== 'live') return false;
  if (status.market !== wanted.market || status.symbol !== wanted.symbol) return false;
  if (!isCount(status.writtenAtMs) || !isTime(status.sinceMs)) return false;
  const ageMs = wanted.nowMs - status.writtenAtMs;
  return ageMs >= -AHEAD_MS && ageMs <= wanted.maxAgeMs;
}
