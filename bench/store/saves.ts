import { createHash } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import { bookContent } from '../../src/store/writers/bookContent';
import { encodeBookHead, encodeBookTail } from '../../src/store/recordFormat';
import { RedisStore } from '../../src/store/redis/redisStore';
import type { BookContent } from '../../src/store/types';
import { threadCpuUs } from '../lib/cpuTime';
import { median } from '../lib/stats';
import { steppedSymbols, type SteppedSymbol } from './books';
import type { BenchRedis, PlainClient } from './redis';

/** Saves on their way at once, each of a symbol of its own. */
export const IN_FLIGHT = 64;
export const LEVELS = 20;
const TTL_MS = 60_000;
const KEY_PREFIX = 'bench/';
const CONTENTS_A_SYMBOL = 16;

export interface SaveSide {
  readonly name: string;
  /** Saves the book of symbol `slot`; ids grow from call to call. */
  save(slot: number): Promise<unknown>;
  /** Throws where the store does not have the last save. */
  verify(): Promise<void>;
  close(): Promise<void>;
}

export interface SaveFigures {
  readonly name: string;
  readonly savesPerSecond: number;
  readonly threadUs: number;
  readonly redisUs: number;
}

/** Interleaved passes of all sides, so that a noisy minute of the machine hits all of them; medians of the passes. */
export async function timeSaves(
  redis: BenchRedis,
  saves: number,
  passes: number,
  progress: (text: string) => void,
): Promise<SaveFigures[]> {
  const symbols = steppedSymbols(IN_FLIGHT);
  const sides = [
    await ourSide(redis, 'ours: the store’s save', prepared(symbols)),
    await ourSide(redis, 'ours, the book read from the feed each time', (slot) => fromFeed(symbols[slot])),
    bareScriptSide(redis.plain, symbols),
    setAndPublishSide(redis.plain, symbols),
    await rawSocketSide(redis, symbols),
  ];
  const taken = sides.map(() => ({ rate: [] as number[], thread: [] as number[], redis: [] as number[] }));
  try {
    for (let pass = -1; pass < passes; pass++) {
      progress(pass < 0 ? 'saves: warm-up' : `saves: pass ${pass + 1} of ${passes}`);
      for (const [i, side] of sides.entries()) {
        const redisBefore = await redis.cpuUs();
        const threadBefore = threadCpuUs();
        const begun = performance.now();
        await pump(side, saves);
        const seconds = (performance.now() - begun) / 1_000;
        const threadUs = threadCpuUs() - threadBefore;
        const redisUs = (await redis.cpuUs()) - redisBefore;
        await side.verify();
        if (pass < 0) continue;
        taken[i].rate.push(saves / seconds);
        taken[i].thread.push(threadUs / saves);
        taken[i].redis.push(redisUs / saves);
      }
    }
  } finally {
    await Promise.all(sides.map((side) => side.close()));
  }
  return sides.map(({ name }, i) => ({
    name,
    savesPerSecond: median(taken[i].rate),
    threadUs: median(taken[i].thread),
    redisUs: median(taken[i].redis),
  }));
}

/** Each slot sends its next save when its last one was answered. */
async function pump(side: SaveSide, saves: number): Promise<void> {
  let left = saves;
  const slot = async (index: number) => {
    while (left-- > 0) await side.save(index);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, index) => slot(index)));
}

/** Books read beforehand, so that only the store's share is timed. */
function prepared(symbols: readonly SteppedSymbol[]): (slot: number) => BookContent {
  const contents = symbols.map((symbol) =>
    Array.from({ length: CONTENTS_A_SYMBOL }, () => {
      symbol.step();
      return fromFeed(symbol);
    }),
  );
  let turn = 0;
  return (slot) => contents[slot][turn++ % CONTENTS_A_SYMBOL];
}

function fromFeed(symbol: SteppedSymbol): BookContent {
  const book = symbol.read(LEVELS);
  if (book === null) throw new Error(`${symbol.symbol} is not live`);
  return bookContent(book, LEVELS, 100);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

async function ourSide(
  redis: BenchRedis,
  name: string,
  next: (slot: number) => BookContent,
): Promise<SaveSide> {
  const store = new RedisStore(redis.settings, { keepConnected: true });
  await store.ready();
  const keys = keysOf(name);
  const ids = new Float64Array(IN_FLIGHT).fill(1e9);
  const claim = { role: 'claim', epoch: 0, liveAgeMs: 0, ttlMs: TTL_MS } as const;
  const claims = keys.map((key, slot) =>
    store.save(key, { ...claim, content: { ...next(slot), lastUpdateId: 1e9 } }),
  );
  const epochs = (await Promise.all(claims)).map(({ epoch }) => epoch);
  return {
    name,
    async save(slot) {
      // Only the id is made up: a copy of the content would cost as much as its text.
      const content: Mutable<BookContent> = next(slot);
      content.lastUpdateId = ++ids[slot];
      const request = { role: 'hold', epoch: epochs[slot], liveAgeMs: 1, ttlMs: TTL_MS, content } as const;
      const { outcome } = await store.save(keys[slot], request);
      if (outcome !== 'saved') throw new Error(`a save was answered with ${outcome}`);
    },
    async verify() {
      const records = await store.readBooks(keys);
      records.forEach((found, slot) => {
        if (found === null || found instanceof Error) throw found ?? new Error(`${keys[slot]} is missing`);
        if (found.record.lastUpdateId !== ids[slot]) throw new Error(`${keys[slot]} is not the last save`);
      });
    },
    close: () => store.close(),
  };
}

const BARE = `
local id = string.match(redis.call('GETRANGE', KEYS[1], 0, 159), '"lastUpdateId":(%d+)')
if id and tonumber(id) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

/** The least that a newer-than check can be, with a record that was made once: no encoding, no epochs, no clock. */
function bareScriptSide(client: PlainClient, symbols: readonly SteppedSymbol[]): SaveSide {
  const sha = createHash('sha1').update(BARE).digest('hex');
  const keys = keysOf('bare');
  const texts = symbols.map(recordText);
  let loaded: Promise<unknown> | null = null;
  let id = 1e9;
  return {
    name: 'a bare newer-than script',
    async save(slot) {
      await (loaded ??= client.scriptLoad(BARE));
      await client.sendCommand(['EVALSHA', sha, '1', keys[slot], String(++id), texts[slot], String(TTL_MS)]);
    },
    verify: () => verifyTexts(client, keys, texts),
    close: () => Promise.resolve(),
  };
}

function setAndPublishSide(client: PlainClient, symbols: readonly SteppedSymbol[]): SaveSide {
  const keys = keysOf('set');
  const texts = symbols.map(recordText);
  return {
    name: 'SET and PUBLISH, nothing checked',
    save: (slot) =>
      Promise.all([
        client.sendCommand(['SET', keys[slot], texts[slot], 'PX', String(TTL_MS)]),
        client.sendCommand(['PUBLISH', keys[slot], texts[slot]]),
      ]),
    verify: () => verifyTexts(client, keys, texts),
    close: () => Promise.resolve(),
  };
}

/** SET over a socket without any client library: what the wire itself allows. */
async function rawSocketSide(redis: BenchRedis, symbols: readonly SteppedSymbol[]): Promise<SaveSide> {
  const keys = keysOf('raw');
  const texts = symbols.map(recordText);
  const commands = keys.map((key, slot) => {
    const args = ['SET', key, texts[slot], 'PX', String(TTL_MS)];
    return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
  });
  const socket = await connect(redis.server.port);
  const waiting: Array<() => void> = [];
  let answered = 0;
  socket.on('data', (chunk: Buffer) => {
    for (const byte of chunk) if (byte === 0x0a) waiting[answered++]();
    if (answered === waiting.length) answered = waiting.length = 0;
  });
  return {
    name: 'SET over a raw socket',
    save: (slot) =>
      new Promise<void>((resolve) => {
        waiting.push(resolve);
        socket.write(commands[slot], 'latin1');
      }),
    verify: () => verifyTexts(redis.plain, keys, texts),
    async close() {
      socket.destroy();
    },
  };
}

function connect(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.setNoDelay(true);
    socket.once('error', reject);
    socket.once('connect', () => resolve(socket));
  });
}

async function verifyTexts(
  client: PlainClient,
  keys: readonly string[],
  texts: readonly string[],
): Promise<void> {
  const found = await client.mGet([...keys]);
  if (found.some((text, i) => text !== texts[i])) throw new Error('a record is not what was written');
}

function keysOf(name: string): string[] {
  return Array.from({ length: IN_FLIGHT }, (_, slot) => `${KEY_PREFIX}${name}-${slot}`);
}

export function recordText(symbol: SteppedSymbol): string {
  const content = fromFeed(symbol);
  const { lastUpdateId, levels } = content;
  const head = encodeBookHead({ epoch: 1, lastUpdateId, liveAtMs: Date.now(), state: 'live', levels });
  return head + encodeBookTail(content);
}
