import { canonicalDecimal, compareDecimals } from '../book/decimal';
import type { Level } from '../book/types';
import { isMarketId } from '../feed/markets';
import type { FeedState } from '../feed/types';
import { OrderFlowError } from '../runtime/errors';
import { LAST_TIME_MS } from '../runtime/time';
import { FUTURE_TOLERANCE_MS, MAX_LEAD_MS } from './saveRule';
import {
  FLOW_FIELDS,
  RECORD_FORMAT,
  type BookContent,
  type FeedStatusContent,
  type FeedStatusRecord,
  type OrderBookRecord,
  type RecordState,
  type StoredBook,
  type StoredFeedStatus,
  type StoredFlow,
} from './types';

/** Most levels a side of a record: no exchange depth reply has more. */
export const MAX_RECORD_LEVELS = 5_000;
/** Largest record read from a store, in bytes: 5 000 levels a side of the longest decimals, and room. */
export const MAX_RECORD_BYTES = 2 * 1024 * 1024;
/** Largest small value (feed status, imbalance, alert state) read from a store, in bytes. */
export const MAX_SMALL_BYTES = 64 * 1024;
/** Longest status of a symbol, in characters. */
const MAX_STATUS = 100;

const RECORD_STATES: ReadonlySet<unknown> = new Set<RecordState>(['live', 'syncing', 'stopped']);
const FEED_STATES: ReadonlySet<unknown> = new Set<FeedState>([
  'connecting',
  'syncing',
  'live',
  'backing-off',
  'stopped',
]);

function encodeLevels(levels: readonly Level[]): string {
  if (levels.length === 0) return '[]';
  // Canonical decimals hold digits and a point only, so nothing needs escaping.
  let text = '[["' + levels[0][0] + '","' + levels[0][1] + '"]';
  for (let i = 1; i < levels.length; i++) text += ',["' + levels[i][0] + '","' + levels[i][1] + '"]';
  return text + ']';
}

/** Missing as a rule, so that a record costs no more. */
function encodeFacts({ tradingStatus, contractSize }: BookContent): string {
  const status = tradingStatus === undefined ? '' : `"tradingStatus":${JSON.stringify(tradingStatus)},`;
  return contractSize === undefined ? status : `${status}"contractSize":${contractSize},`;
}

/** Everything of a record behind its head, closing brace included: what does not depend on the store's state. */
export function encodeBookTail(content: BookContent): string {
  const { saveEveryMs } = content;
  // First, so that the store's script finds it where it reads the head.
  const pace = saveEveryMs === undefined ? '' : `"saveEveryMs":${Math.round(saveEveryMs)},`;
  const flow = content.flow === undefined ? '' : `,"flow":${JSON.stringify(content.flow) ?? 'null'}`;
  return (
    `${pace}"exchange":"binance","market":"${content.market}","symbol":${JSON.stringify(content.symbol)},` +
    `"eventTimeMs":${content.eventTimeMs},"receivedAtMs":${content.receivedAtMs},` +
    `"bidsComplete":${content.bidsComplete},"asksComplete":${content.asksComplete},` +
    `"resyncs":${content.resyncs},"updateSpeedMs":${content.updateSpeedMs},${encodeFacts(content)}` +
    `"bids":${encodeLevels(content.bids)},"asks":${encodeLevels(content.asks)}${flow}}`
  );
}

type HeadFields = Pick<OrderBookRecord, 'epoch' | 'lastUpdateId' | 'liveAtMs' | 'state' | 'levels'>;

export function encodeBookHead(head: HeadFields): string {
  return (
    `{"format":${RECORD_FORMAT},"epoch":${head.epoch},"lastUpdateId":${head.lastUpdateId},` +
    `"liveAtMs":${head.liveAtMs},"state":"${head.state}","levels":${head.levels},`
  );
}

const invalid = (subject: string, what: string): OrderFlowError =>
  new OrderFlowError('OF_RECORD_INVALID', `${subject} (${what})`, { subject });

type Fields = Readonly<Record<string, unknown>>;

function parseJson(text: string, subject: string, maxLength: number): unknown {
  if (text.length > maxLength) throw new OrderFlowError('OF_RECORD_TOO_LARGE', subject, { subject });
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw invalid(subject, 'it is not JSON');
  }
}

/** Never negative. @throws OrderFlowError for a time from the future */
function ageOf(timeMs: number, nowMs: number, subject: string): number {
  const ageMs = nowMs - timeMs;
  if (ageMs < -FUTURE_TOLERANCE_MS)
    throw invalid(subject, `it is ${Math.round(-ageMs / 1000)} s ahead of the store's clock`);
  return Math.max(0, ageMs);
}

function parseObject(text: string, subject: string, maxLength: number): Fields {
  const value = parseJson(text, subject, maxLength);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(subject, 'it is not an object');
  const fields = value as Fields;
  if (!Number.isSafeInteger(fields.format)) throw invalid(subject, 'it names no format version');
  if (fields.format !== RECORD_FORMAT) {
    throw new OrderFlowError('OF_RECORD_VERSION', `${subject} has version ${String(fields.format)}`, {
      subject,
    });
  }
  return fields;
}

/** Reads fields of an untrusted object one by one, naming the first that does not fit. */
class FieldReader {
  constructor(
    private readonly fields: Fields,
    private readonly subject: string,
  ) {}

  count(name: string, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.fields[name];
    if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > max)
      throw this.wrong(name);
    return value as number;
  }

  /** Milliseconds since 1970 that can be written as a date. */
  time(name: string): number {
    return this.count(name, LAST_TIME_MS);
  }

  timeOrNull(name: string): number | null {
    return this.fields[name] === null ? null : this.time(name);
  }

  countOrNull(name: string): number | null {
    return this.fields[name] === null ? null : this.count(name);
  }

  amount(name: string): number {
    const value = this.fields[name];
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) throw this.wrong(name);
    return value;
  }

  flag(name: string): boolean {
    const value = this.fields[name];
    if (typeof value !== 'boolean') throw this.wrong(name);
    return value;
  }

  text(name: string, maxLength: number): string {
    const value = this.fields[name];
    if (typeof value !== 'string' || value.length === 0 || value.length > maxLength) throw this.wrong(name);
    return value;
  }

  textOrNull(name: string, maxLength: number): string | null {
    return this.fields[name] === null ? null : this.text(name, maxLength);
  }

  oneOf<T>(name: string, values: ReadonlySet<unknown>): T {
    const value = this.fields[name];
    if (!values.has(value)) throw this.wrong(name);
    return value as T;
  }

  /** Canonical decimals, best first, no price twice, no empty level. */
  levels(name: string, bestFirst: -1 | 1, max: number): Level[] {
    const list = this.fields[name];
    if (!Array.isArray(list) || list.length > max) throw this.wrong(name);
    let previous: string | null = null;
    for (const level of list as unknown[]) {
      if (!Array.isArray(level) || level.length !== 2) throw this.wrong(name);
      const [price, quantity] = level as unknown[];
      if (typeof price !== 'string' || canonicalDecimal(price) !== price || price === '0')
        throw this.wrong(name);
      if (typeof quantity !== 'string' || canonicalDecimal(quantity) !== quantity || quantity === '0')
        throw this.wrong(name);
      if (previous !== null && compareDecimals(price, previous) * bestFirst <= 0) throw this.wrong(name);
      previous = price;
    }
    return list as Level[];
  }

  /** The known fields of `flow`: somebody else's may hold anything, nested deeper than an item can be written. */
  flow(): StoredFlow {
    const { flow } = this.fields;
    if (typeof flow !== 'object' || flow === null || Array.isArray(flow)) throw this.wrong('flow');
    const known: Record<string, number | null> = {};
    for (const name of FLOW_FIELDS) {
      const value = (flow as Fields)[name];
      if (value === undefined) continue;
      if (value !== null && !Number.isFinite(value)) throw this.wrong(`flow.${name}`);
      known[name] = value as number | null;
    }
    return known;
  }

  wrong(name: string): OrderFlowError {
    return invalid(this.subject, `the field ${name} cannot be used`);
  }
}

/**
 * Reads a record that anyone may have written. Throws OF_RECORD_INVALID, OF_RECORD_VERSION or OF_RECORD_TOO_LARGE.
 * @param nowMs the store's clock at the time of reading
 * @param subject the key, for the message
 */
export function decodeBook(text: string, nowMs: number, subject: string): StoredBook {
  const fields = parseObject(text, subject, MAX_RECORD_BYTES);
  const read = new FieldReader(fields, subject);
  if (fields.exchange !== 'binance') throw read.wrong('exchange');
  if (!isMarketId(fields.market)) throw read.wrong('market');
  const levels = read.count('levels', MAX_RECORD_LEVELS);
  const bids = read.levels('bids', -1, levels);
  const asks = read.levels('asks', 1, levels);
  if (bids.length > 0 && asks.length > 0 && compareDecimals(bids[0][0], asks[0][0]) > 0) {
    throw invalid(subject, 'its best bid is above its best ask');
  }
  const liveAtMs = read.count('liveAtMs');
  const ageMs = ageOf(liveAtMs, nowMs, subject);
  const flow = fields.flow === undefined ? undefined : read.flow();
  const record: OrderBookRecord = {
    format: RECORD_FORMAT,
    epoch: read.count('epoch', nowMs + MAX_LEAD_MS),
    lastUpdateId: read.count('lastUpdateId'),
    liveAtMs,
    state: read.oneOf<RecordState>('state', RECORD_STATES),
    levels,
    exchange: 'binance',
    market: fields.market,
    symbol: read.text('symbol', 100),
    eventTimeMs: read.timeOrNull('eventTimeMs'),
    receivedAtMs: read.time('receivedAtMs'),
    bidsComplete: read.flag('bidsComplete'),
    asksComplete: read.flag('asksComplete'),
    resyncs: read.count('resyncs'),
    updateSpeedMs: read.count('updateSpeedMs'),
    ...(fields.saveEveryMs === undefined ? {} : { saveEveryMs: read.count('saveEveryMs') }),
    ...(fields.tradingStatus === undefined ? {} : { tradingStatus: read.text('tradingStatus', MAX_STATUS) }),
    ...(fields.contractSize === undefined ? {} : { contractSize: read.amount('contractSize') }),
    bids,
    asks,
    ...(flow === undefined ? {} : { flow }),
  };
  return { record, ageMs };
}

/** A feed status behind its head, closing brace included. */
export function encodeFeedTail(status: FeedStatusContent): string {
  // The head has these.
  const { writer: _writer, state: _state, ...tail } = status;
  return JSON.stringify(tail).slice(1);
}

/** As decodeBook, for a feed status. */
export function decodeFeedStatus(text: string, nowMs: number, subject: string): StoredFeedStatus {
  const fields = parseObject(text, subject, MAX_SMALL_BYTES);
  const read = new FieldReader(fields, subject);
  if (!isMarketId(fields.market)) throw read.wrong('market');
  const writtenAtMs = read.count('writtenAtMs');
  const ageMs = ageOf(writtenAtMs, nowMs, subject);
  const record: FeedStatusRecord = {
    format: RECORD_FORMAT,
    writtenAtMs,
    writer: read.text('writer', 64),
    state: read.oneOf<FeedState>('state', FEED_STATES),
    market: fields.market,
    symbol: read.text('symbol', 100),
    sinceMs: read.time('sinceMs'),
    reason: read.textOrNull('reason', 10_000),
    errorCode: read.textOrNull('errorCode', 100),
    resyncs: read.count('resyncs'),
    lastEventAgeMs: read.countOrNull('lastEventAgeMs'),
    usedWeight: read.countOrNull('usedWeight'),
    lastUpdateId: read.countOrNull('lastUpdateId'),
    ...(fields.tradingStatus === undefined
      ? {}
      : { tradingStatus: read.textOrNull('tradingStatus', MAX_STATUS) }),
    ...(fields.tradingStatusAtMs === undefined
      ? {}
      : { tradingStatusAtMs: read.timeOrNull('tradingStatusAtMs') }),
    ...(fields.notTrading === undefined ? {} : { notTrading: read.textOrNull('notTrading', MAX_STATUS) }),
  };
  return { record, ageMs };
}

/** Any small JSON value written by this package. */
export function decodeJson(text: string, subject: string): unknown {
  return parseJson(text, subject, MAX_SMALL_BYTES);
}
