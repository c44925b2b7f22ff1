import type { Foreign } from './foreignText';

/** A value that every run puts under the key, and what has to be said of it. */
export interface NamedCase {
  readonly name: string;
  readonly value: Foreign;
  /** The code of the error, or the reason in a word where the value can be read. */
  readonly says: string;
}

type Fields = Readonly<Record<string, unknown>>;
type Level = readonly [string, string];

const text = (value: unknown): Foreign => ({ kind: 'text', bytes: Buffer.from(JSON.stringify(value)) });
const raw = (value: string): Foreign => ({ kind: 'text', bytes: Buffer.from(value) });
const HUGE = 'x'.repeat(3 << 20);
const OTHER_TYPES = ['list', 'hash', 'set'] as const;
/** Well beyond what two clocks may differ by. */
const AHEAD_MS = 60_000;

const ofOtherTypes = (sound: Fields): NamedCase[] =>
  OTHER_TYPES.map((kind) => ({
    name: `a ${kind}`,
    value: { kind, bytes: Buffer.from(JSON.stringify(sound)) },
    says: 'OF_REDIS_WRONG_TYPE',
  }));

/** What goes wrong with any value that a reader expects. */
function ofAny(sound: Fields): NamedCase[] {
  return [
    { name: 'not JSON', value: raw('{"format":1,'), says: 'OF_RECORD_INVALID' },
    { name: 'nothing', value: raw(''), says: 'missing' },
    { name: 'null', value: raw('null'), says: 'OF_RECORD_INVALID' },
    { name: 'a list of it', value: text([sound]), says: 'OF_RECORD_INVALID' },
    { name: 'without a version', value: text({ ...sound, format: undefined }), says: 'OF_RECORD_INVALID' },
    { name: 'the next version', value: text({ ...sound, format: 2 }), says: 'OF_RECORD_VERSION' },
    { name: 'the version before', value: text({ ...sound, format: 0 }), says: 'OF_RECORD_VERSION' },
    { name: 'a version in words', value: text({ ...sound, format: '1' }), says: 'OF_RECORD_INVALID' },
    { name: 'an unknown state', value: text({ ...sound, state: 'fine' }), says: 'OF_RECORD_INVALID' },
    { name: 'an unknown market', value: text({ ...sound, market: 'moon' }), says: 'OF_RECORD_INVALID' },
    { name: 'huge', value: text({ ...sound, reason: HUGE }), says: 'OF_RECORD_TOO_LARGE' },
    ...ofOtherTypes(sound),
  ];
}

/** @param sound a record that gives a signal as it is, of three levels a side or more */
export function namedRecords(sound: Fields, nowMs: number): NamedCase[] {
  const [bids, asks] = [sound.bids, sound.asks] as [Level[], Level[]];
  const [bestBid, bestAsk] = [bids[0], asks[0]];
  const wrong = (name: string, change: Fields): NamedCase => ({
    name,
    value: text({ ...sound, ...change }),
    says: 'OF_RECORD_INVALID',
  });
  const silent = (name: string, change: Fields, says: string): NamedCase => ({
    name,
    value: text({ ...sound, ...change }),
    says,
  });
  return [
    ...ofAny(sound),
    wrong('crossed', { bids: [[asks[1][0], '1.5'], ...bids] }),
    wrong('in the future', { liveAtMs: nowMs + AHEAD_MS }),
    wrong('a side that is no list', { bids: { 0: bestBid } }),
    wrong('a level that is no pair', { asks: [[bestAsk[0]], ...asks.slice(1)] }),
    wrong('a price that is a number', { bids: [[99, '1.5'], ...bids.slice(1)] }),
    wrong('a price of NaN', { bids: [['NaN', '1.5'], ...bids.slice(1)] }),
    wrong('a negative quantity', { bids: [[bestBid[0], '-1.5'], ...bids.slice(1)] }),
    wrong('a quantity of nothing', { asks: [[bestAsk[0], '0'], ...asks.slice(1)] }),
    wrong('a price twice', { asks: [bestAsk, ...asks] }),
    wrong('worst first', { bids: [...bids].reverse() }),
    wrong('more levels than it says', { levels: 1 }),
    wrong('an id below zero', { lastUpdateId: -1 }),
    wrong('without an epoch', { epoch: undefined }),
    silent('locked', { bids: [[bestAsk[0], '1.5'], ...bids] }, 'locked'),
    silent('without bids', { bids: [], bidsComplete: true }, 'empty-side'),
    silent('with no bid that is known', { bids: [], bidsComplete: false }, 'outside-coverage'),
    silent('stale', { liveAtMs: nowMs - 3_600_000 }, 'stale'),
    silent('syncing', { state: 'syncing' }, 'syncing'),
    silent('stopped', { state: 'stopped' }, 'syncing'),
    silent('of another symbol', { symbol: 'ETHUSDT' }, 'error'),
    silent('of another market', { market: 'usdm' }, 'error'),
  ];
}

/** @param sound a feed status that is called healthy as it is */
export function namedStatuses(sound: Fields, nowMs: number): NamedCase[] {
  const changed = (name: string, change: Fields, says: string): NamedCase => ({
    name,
    value: text({ ...sound, ...change }),
    says,
  });
  return [
    ...ofAny(sound),
    changed('in the future', { writtenAtMs: nowMs + AHEAD_MS }, 'OF_RECORD_INVALID'),
    changed('stale', { writtenAtMs: nowMs - 3_600_000 }, 'silent'),
    changed('of another symbol', { symbol: 'ETHUSDT' }, 'OF_RECORD_INVALID'),
    changed('stopped', { state: 'stopped', reason: 'deactivated' }, 'stopped'),
  ];
}

/** @param sound what a node remembers of its alerts; whatever else is there, it judges the record as it is */
export function namedStates(sound: Fields, nowMs: number): Foreign[] {
  const value = sound.value as { readonly gate: Fields };
  const inGate = (change: Fields): Foreign =>
    text({ ...sound, value: { ...value, gate: { ...value.gate, ...change } } });
  return [
    ...ofAny(sound).map((one) => one.value),
    text({ ...sound, version: nowMs + AHEAD_MS, writtenAtMs: nowMs + AHEAD_MS }),
    text({ ...sound, value: null }),
    ...[{ version: 2 }, { atMs: nowMs + AHEAD_MS }, { signal: 'MAYBE' }, { held: 'x' }, { smoothed: -1 }].map(
      inGate,
    ),
  ];
}
