import { monotonicMs } from '../../../src/runtime/time';
import { RecordUnderWrites } from '../../support/recordUnderWrites';
import type { RedisServer } from '../../support/redisServer';
import {
  clusterCredentials,
  holderOf,
  isPrimary,
  moveSlot,
  sentinelCredentials,
  startCluster,
  startSentinels,
} from '../../support/redisTopologies';
import { eventually } from '../../support/storeFixtures';
import { Random } from '../random';
import { must, type RunResult, type Scenario } from '../scenario';
import { type CleanUps, closeAll } from '../../support/cleanUps';
import { noRedisConnectionLeft } from '../sharedRedis';
import { pause } from '../scene';

const KEY = 'examples/btcusdt-orderbook';
/** A newer book is in the store, and read, within this time after the servers have agreed. Milliseconds. */
const BACK_WITHIN_MS = 5_000;
const AGREED_WITHIN_MS = 30_000;
/** Each run starts servers and waits until they agree. */
const FAILOVERS = 10;

/** Kills or stops a server that holds the record, at a random moment of its writes. */
async function strike(server: RedisServer, seed: number): Promise<void> {
  await pause(new Random(seed).whole(0, 300));
  if (seed % 2 === 0) await server.kill();
  else server.pause();
}

/** Plays on servers of the run's own. @param play gives what the way back took, null where there was none */
async function onServers(
  start: (cleanUps: CleanUps) => Promise<readonly [writers: object, readers: object, play: Play]>,
): Promise<RunResult> {
  const cleanUps: CleanUps = [];
  try {
    const [writers, readers, play] = await start(cleanUps);
    const record = new RecordUnderWrites(KEY, writers, readers);
    cleanUps.push(() => record.close());
    await record.back(BACK_WITHIN_MS);
    const recoverMs = await play(record);
    await record.close();
    must(record.wrong.length === 0, () => record.wrong.slice(0, 3).join('; '));
    must(recoverMs === null || recoverMs < BACK_WITHIN_MS, `back only after ${recoverMs?.toFixed(0)} ms`);
    return { recoverMs };
  } finally {
    await closeAll(cleanUps);
    await noRedisConnectionLeft();
  }
}

type Play = (record: RecordUnderWrites) => Promise<number | null>;

/** Until a newer book is read, from the moment when the servers have agreed. */
async function agreedThenBack(record: RecordUnderWrites, agreed: () => Promise<unknown>): Promise<number> {
  await eventually(agreed, AGREED_WITHIN_MS);
  const fromMs = monotonicMs();
  return Math.max(0, (await record.back(2 * BACK_WITHIN_MS)) - fromMs);
}

const sentinelFailover = (seed: number): Promise<RunResult> =>
  onServers(async (cleanUps) => {
    const { first, second, sentinels } = await startSentinels(3, cleanUps);
    const play: Play = async (record) => {
      await strike(first, seed);
      return agreedThenBack(record, () => isPrimary(second));
    };
    return [sentinelCredentials(sentinels), sentinelCredentials([...sentinels].reverse()), play];
  });

const clusterFailover = (seed: number): Promise<RunResult> =>
  onServers(async (cleanUps) => {
    const moves = seed % 3 === 2;
    const nodes = await startCluster(moves ? 0 : 1, cleanUps);
    const play: Play = async (record) => {
      if (moves) {
        await moveSlot(KEY, nodes, () => record.back(BACK_WITHIN_MS));
        return null;
      }
      const holder = await holderOf(KEY, nodes, nodes[0]);
      const others = nodes.filter((node) => node !== holder);
      await strike(holder, seed);
      return agreedThenBack(record, () => holderOf(KEY, others, others[0]));
    };
    return [clusterCredentials(nodes), clusterCredentials([...nodes].reverse()), play];
  });

export const failoverRows: readonly Scenario[] = [
  {
    id: 30,
    name: 'Sentinel failover',
    what: 'the primary server of three Sentinels killed or stopped while a record is written and read',
    expected: 'a newer book within 5 s of the promotion; none wrong, none of the old server after it',
    maxRuns: FAILOVERS,
    variants: 2,
    recovers: () => true,
    run: sentinelFailover,
  },
  {
    id: 31,
    name: 'cluster failover',
    what: 'a node of a cluster killed or stopped, and a slot moved, while a record is written and read',
    expected: 'a newer book within 5 s of the promotion; while a slot moves the record is never away',
    maxRuns: FAILOVERS,
    variants: 6,
    recovers: (seed) => seed % 3 !== 2,
    run: clusterFailover,
  },
];
