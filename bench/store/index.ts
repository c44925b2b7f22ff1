import type { Part, PartOptions, PartResult, Table } from '../lib/part';
import { THREAD_CPU_SOURCE } from '../lib/cpuTime';
import { figure } from '../lib/stats';
import { countWrites, timeNotification, type CoalescingFigures } from './coalescing';
import { SLOW_LINE_MS, timeReads, type ReadFigures } from './reads';
import { startBenchRedis } from './redis';
import { IN_FLIGHT, LEVELS, timeSaves, type SaveFigures } from './saves';
import { stallSubscriber, timePublishing, type PublishFigures, type StallFigures } from './topics';

const LEAST_SAVES_PER_SECOND = 75_000;
const MOST_US_A_SAVE = 15;

export const part: Part = {
  name: 'store',
  summary: 'saves, reads and topics with a real Redis on loopback',
  needsPeers: false,
  run,
};

async function run({ quick, progress }: PartOptions): Promise<PartResult> {
  const redis = await startBenchRedis();
  try {
    const saves = await timeSaves(redis, quick ? 2_000 : 20_000, quick ? 1 : 11, progress);
    const reads = await timeReads(redis, quick ? 100 : 1_000, quick ? 5 : 50, progress);
    const coalescing = await countWrites(redis, 50, quick ? 1 : 10, progress);
    const { onBookUs } = await timeNotification(redis, quick ? 100_000 : 2_000_000);
    const publishing = await timePublishing(redis, quick ? 5_000 : 50_000, quick ? 1 : 7, progress);
    const stall = await stallSubscriber(redis, progress);
    const [ours] = saves;
    return {
      figures: {
        saves: saves.map((side) => ({ ...side })),
        reads: { ...reads },
        coalescing: { symbols: coalescing.symbols, rows: coalescing.rows.map((row) => ({ ...row })) },
        onBookUs,
        publishing: { ...publishing },
        stalledSubscriber: { ...stall },
      },
      tables: [
        savesTable(saves),
        readsTable(reads),
        writesTable(coalescing),
        publishTable(publishing),
        stallTable(stall),
      ],
      notes: [
        `Processor time of our thread is that of ${THREAD_CPU_SOURCE}, with encoding, sending and reading the reply; that of Redis is what INFO cpu says.`,
        `An update notifies the writer that the book changed; where nothing is due, that takes ${figure(onBookUs * 1_000)} ns.`,
      ],
      versions: { 'redis-server': await redis.info('server', 'redis_version') },
      targets: [
        {
          text: `saves a second with ${IN_FLIGHT} in flight`,
          value: ours.savesPerSecond,
          limit: LEAST_SAVES_PER_SECOND,
          kind: 'atLeast',
        },
        {
          text: 'µs of the feed’s thread for a save',
          value: ours.threadUs,
          limit: MOST_US_A_SAVE,
          kind: 'atMost',
        },
        {
          text: 'writes of one record in flight at once',
          value: Math.max(...coalescing.rows.map(({ mostInFlight }) => mostInFlight)),
          limit: 1,
          kind: 'atMost',
        },
        {
          text: 'saves of books that did not change',
          value: coalescing.rows[1].saves,
          limit: 0,
          kind: 'atMost',
        },
      ],
    };
  } finally {
    await redis.close();
  }
}

function savesTable(sides: readonly SaveFigures[]): Table {
  return {
    title: `Saves of ${LEVELS} levels a side, ${IN_FLIGHT} in flight on one connection`,
    head: ['side', 'saves a second', 'µs of our thread', 'µs of Redis'],
    rows: sides.map(({ name, savesPerSecond, threadUs, redisUs }) => [
      name,
      figure(savesPerSecond),
      figure(threadUs),
      figure(redisUs),
    ]),
  };
}

function readsTable(reads: ReadFigures): Table {
  const { symbols, batchMs, batchP99Ms, threadUsPerRecord, singlyMs, slowLineMs } = reads;
  return {
    title: `Reading ${symbols} records of ${LEVELS} levels a side`,
    head: ['how', 'ms'],
    rows: [
      ['one batch, median', figure(batchMs)],
      ['one batch, p99', figure(batchP99Ms)],
      ['one after the other', figure(singlyMs)],
      [`one batch over a line of ${SLOW_LINE_MS} ms there and back`, figure(slowLineMs)],
      ['our thread for a record, its check included (µs)', figure(threadUsPerRecord)],
    ],
  };
}

function writesTable({ symbols, rows }: CoalescingFigures): Table {
  return {
    title: `What the writers of ${symbols} symbols send (Save Every 0.1 s)`,
    head: ['while', 'seconds', 'updates', 'saves', 'heartbeats', 'feed states', 'most in flight a record'],
    rows: rows.map(({ what, seconds, updates, saves, heartbeats, statuses, mostInFlight }) => [
      what,
      ...[seconds, updates, saves, heartbeats, statuses, mostInFlight].map((value) =>
        value.toLocaleString('en-US'),
      ),
    ]),
  };
}

function publishTable(figures: PublishFigures): Table {
  return {
    title: `Depth events of ${figure(figures.bytesAnEvent)} bytes to their topics, one subscriber`,
    head: ['what', 'value'],
    rows: [
      ['events a second', figure(figures.eventsPerSecond)],
      ['µs of our thread an event', figure(figures.threadUs)],
      ['µs of Redis an event', figure(figures.redisUs)],
      ['published', figures.published.toLocaleString('en-US')],
      ['received by the subscriber', figures.received.toLocaleString('en-US')],
      ['passed over', figures.dropped.toLocaleString('en-US')],
    ],
  };
}

function stallTable(stall: StallFigures): Table {
  return {
    title: 'A subscriber that stops reading while events are published as fast as Redis takes them',
    head: ['what', 'value'],
    rows: [
      ['published until Redis cut it off (MB)', figure(stall.publishedMb)],
      ['seconds until then', figure(stall.secondsToCut)],
      ['its buffer in Redis at most (MB)', figure(stall.mostBufferMb)],
      ['Redis’s memory above before, at most (MB)', figure(stall.mostMemoryGrowthMb)],
      ['Redis’s memory above before, afterwards (MB)', figure(stall.memoryGrowthAfterMb)],
      ['events a second before it stopped', figure(stall.eventsPerSecondBefore)],
      ['events a second until it was cut off', figure(stall.eventsPerSecondWhile)],
      ['events that another subscriber missed', stall.missedByOthers.toLocaleString('en-US')],
      ['publishes that failed', stall.failed.toLocaleString('en-US')],
    ],
  };
}
