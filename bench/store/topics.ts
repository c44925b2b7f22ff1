import { createConnection, type Socket } from 'node:net';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { acquireDepthPublisher, type DepthPublisher } from '../../src/store/writers/depthPublisher';
import { RedisStore } from '../../src/store/redis/redisStore';
import { threadCpuUs } from '../lib/cpuTime';
import { median } from '../lib/stats';
import { steppedSymbols } from './books';
import type { BenchRedis } from './redis';

const SYMBOLS = 64;
/** Events on their way at once over all symbols; a symbol alone may have 1 000. */
const MOST_UNANSWERED = 512;
const EVENTS_A_TURN = 64;
const STALL_TIMEOUT_MS = 60_000;
const SAMPLE_EVERY_MS = 20;
/** There is no feed behind these events. */
const ALIVE = { status: () => ({ state: 'live' as const, lastUpdateId: null }) };

export interface PublishFigures {
  readonly bytesAnEvent: number;
  readonly eventsPerSecond: number;
  readonly threadUs: number;
  readonly redisUs: number;
  /** What one subscriber that reads all topics received. */
  readonly received: number;
  readonly published: number;
  readonly dropped: number;
}

class Publishers {
  private readonly publishers: readonly DepthPublisher[];
  private readonly frames: readonly Buffer[];
  private sent = 0;

  constructor(private readonly store: RedisStore) {
    const symbols = steppedSymbols(SYMBOLS);
    this.publishers = symbols.map(({ symbol }) =>
      acquireDepthPublisher(store, `bench-${symbol.toLowerCase()}-depth`, ALIVE),
    );
    this.frames = symbols.map(({ frame }) => frame);
  }

  get bytesAnEvent(): number {
    return this.frames.reduce((sum, frame) => sum + frame.length, 0) / this.frames.length;
  }

  totals(): { published: number; dropped: number; failed: number } {
    const totals = { published: 0, dropped: 0, failed: 0 };
    for (const publisher of this.publishers) {
      const { published, dropped, failed } = publisher.stats();
      totals.published += published;
      totals.dropped += dropped;
      totals.failed += failed;
    }
    return totals;
  }

  /** Publishes as fast as Redis takes it, until `done`; resolves when everything was answered. */
  async run(done: (events: number) => boolean): Promise<number> {
    const before = this.totals();
    const settled = () => {
      const { published, dropped, failed } = this.totals();
      return published + dropped + failed - before.published - before.dropped - before.failed;
    };
    let events = 0;
    while (!done(events)) {
      if (events - settled() < MOST_UNANSWERED)
        for (let i = 0; i < EVENTS_A_TURN; i++, events++) this.publish();
      await turn();
    }
    while (settled() < events) await turn();
    return events;
  }

  async close(): Promise<void> {
    await Promise.all(this.publishers.map((publisher) => publisher.release()));
    await this.store.close();
  }

  private publish(): void {
    const i = this.sent++ % SYMBOLS;
    this.publishers[i].publish(this.frames[i]);
  }
}

/** Depth events to their topics with one subscriber that reads them all. */
export async function timePublishing(
  redis: BenchRedis,
  events: number,
  passes: number,
  progress: (text: string) => void,
): Promise<PublishFigures> {
  const publishers = new Publishers(new RedisStore(redis.settings, { keepConnected: true }));
  const subscriber = await Subscriber.connect(redis.server.port);
  const rates: number[] = [];
  const thread: number[] = [];
  const server: number[] = [];
  try {
    await publishers.run(counter(events / 4));
    for (let pass = 0; pass < passes; pass++) {
      progress(`publishing: pass ${pass + 1} of ${passes}`);
      const redisBefore = await redis.cpuUs();
      const threadBefore = threadCpuUs();
      const begun = performance.now();
      const sent = await publishers.run(counter(events));
      rates.push(sent / ((performance.now() - begun) / 1_000));
      thread.push((threadCpuUs() - threadBefore) / sent);
      server.push(((await redis.cpuUs()) - redisBefore) / sent);
    }
    await pause(100);
    const { published, dropped } = publishers.totals();
    return {
      bytesAnEvent: publishers.bytesAnEvent,
      eventsPerSecond: median(rates),
      threadUs: median(thread),
      redisUs: median(server),
      received: subscriber.messages,
      published,
      dropped,
    };
  } finally {
    subscriber.close();
    await publishers.close();
  }
}

function counter(wanted: number): (events: number) => boolean {
  return (events) => events >= wanted;
}

export interface StallFigures {
  readonly limits: string;
  /** Published from the moment it stopped reading until Redis cut it off. */
  readonly publishedMb: number;
  readonly secondsToCut: number;
  readonly mostBufferMb: number;
  readonly mostMemoryGrowthMb: number;
  readonly memoryGrowthAfterMb: number;
  readonly eventsPerSecondBefore: number;
  readonly eventsPerSecondWhile: number;
  /** Events that another subscriber, who went on reading, missed. */
  readonly missedByOthers: number;
  readonly failed: number;
}

/** A subscriber that stops reading: what it costs Redis until Redis cuts it off, and whether others notice. */
export async function stallSubscriber(
  redis: BenchRedis,
  progress: (text: string) => void,
): Promise<StallFigures> {
  const publishers = new Publishers(new RedisStore(redis.settings, { keepConnected: true }));
  const reading = await Subscriber.connect(redis.server.port);
  const stalled = await Subscriber.connect(redis.server.port);
  try {
    progress('stalled subscriber: everybody reads');
    await publishers.run(counter(5_000));
    const begunAll = performance.now();
    const before = await publishers.run(counter(20_000));
    const eventsPerSecondBefore = before / ((performance.now() - begunAll) / 1_000);

    progress('stalled subscriber: it stops reading');
    const memoryBefore = Number(await redis.info('memory', 'used_memory'));
    stalled.stopReading();
    const watch = watchClient(redis, await stalled.clientId, memoryBefore);
    const begun = performance.now();
    const events = await publishers.run(() => watch.gone || performance.now() - begun > STALL_TIMEOUT_MS);
    const seconds = (performance.now() - begun) / 1_000;
    await watch.ended;
    if (!watch.gone) throw new Error('Redis did not cut off the subscriber that does not read');
    await pause(200);
    const { published, failed } = publishers.totals();
    return {
      limits: (await redis.plain.configGet('client-output-buffer-limit'))['client-output-buffer-limit'],
      publishedMb: (events * publishers.bytesAnEvent) / 2 ** 20,
      secondsToCut: seconds,
      mostBufferMb: watch.mostBuffer / 2 ** 20,
      mostMemoryGrowthMb: watch.mostMemory / 2 ** 20,
      memoryGrowthAfterMb: (Number(await redis.info('memory', 'used_memory')) - memoryBefore) / 2 ** 20,
      eventsPerSecondBefore,
      eventsPerSecondWhile: events / seconds,
      missedByOthers: published - reading.messages,
      failed,
    };
  } finally {
    reading.close();
    stalled.close();
    await publishers.close();
  }
}

interface Watch {
  readonly gone: boolean;
  readonly mostBuffer: number;
  readonly mostMemory: number;
  readonly ended: Promise<void>;
}

/** Looks at one client of Redis at an interval until it is gone. */
function watchClient(redis: BenchRedis, clientId: number, memoryBefore: number): Watch {
  const state = { gone: false, mostBuffer: 0, mostMemory: 0 };
  const look = async () => {
    const end = performance.now() + STALL_TIMEOUT_MS + 5_000;
    while (!state.gone && performance.now() < end) {
      const list = String(await redis.plain.sendCommand(['CLIENT', 'LIST', 'ID', String(clientId)]));
      const omem = /\bomem=(\d+)/.exec(list);
      if (omem === null) state.gone = true;
      else {
        const memory = Number(await redis.info('memory', 'used_memory')) - memoryBefore;
        state.mostBuffer = Math.max(state.mostBuffer, Number(omem[1]));
        state.mostMemory = Math.max(state.mostMemory, memory);
        await pause(SAMPLE_EVERY_MS);
      }
    }
  };
  return Object.assign(state, { ended: look() });
}

const PATTERN = 'bench-*-depth';
const MESSAGE = Buffer.from('pmessage\r\n');

/** A subscriber over a bare socket, so that it can stop reading as a real one does. */
class Subscriber {
  messages = 0;
  readonly clientId: Promise<number>;

  private constructor(private readonly socket: Socket) {
    let carry = Buffer.alloc(0);
    this.clientId = new Promise((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        if (chunk[0] === 0x3a) resolve(Number(chunk.toString('latin1', 1, chunk.indexOf(0x0d))));
        const data = Buffer.concat([carry, chunk]);
        let at = data.indexOf(MESSAGE);
        let end = 0;
        for (; at >= 0; at = data.indexOf(MESSAGE, end)) {
          this.messages++;
          end = at + MESSAGE.length;
        }
        carry = data.subarray(Math.max(end, data.length - MESSAGE.length + 1));
      });
    });
    socket.on('error', () => undefined);
  }

  static async connect(port: number): Promise<Subscriber> {
    const socket = createConnection(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => resolve());
    });
    const subscriber = new Subscriber(socket);
    socket.write('CLIENT ID\r\n');
    await subscriber.clientId;
    socket.write(`PSUBSCRIBE ${PATTERN}\r\n`);
    await pause(50);
    return subscriber;
  }

  stopReading(): void {
    this.socket.pause();
  }

  close(): void {
    this.socket.destroy();
  }
}
