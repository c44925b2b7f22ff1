import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { freePorts } from '../../../scripts/n8n/ports';
import { isOrderFlowError, type OrderFlowError } from '../../../src/runtime/errors';
import { credentialsOf } from '../../support/storeFixtures';
import { startRedis, type RedisServer, type RedisServerOptions } from '../../support/redisServer';
import { until } from '../scene';
import { must, type RunResult } from '../scenario';
import {
  askRedis,
  askUntil,
  feedLives,
  newestId,
  playWithStore,
  RECORD_KEY,
  SceneWriter,
  watchOf,
} from '../storeScene';

const CANARY = 'canary-S3cret!pa$$';
const USER = { user: 'limited', password: CANARY };
/** How soon a refusal has to be reported, milliseconds. */
const AT_ONCE_MS = 2_000;

interface Refusal {
  readonly name: string;
  readonly code: string;
  /** True where the check that a trigger makes at its start tells it, before anything is written. */
  readonly atStart: boolean;
  readonly server?: RedisServerOptions;
  readonly credentials?: Record<string, unknown>;
  /** How an administrator reads beside it. */
  readonly reader?: Record<string, unknown>;
  readonly spoil?: (server: RedisServer) => Promise<void>;
  readonly mend: (server: RedisServer) => Promise<unknown>;
}

const ADMIN = 'user default on nopass ~* &* +@all';
const limited = (rights: string): RedisServerOptions => ({
  acl: [ADMIN, `user limited on >${CANARY} ${rights}`],
});

/** A disk that takes no file: a folder is where the dump has to go. */
const inTheWay = (server: RedisServer): string => join(server.directory, 'dump.rdb');

export const REFUSALS: readonly Refusal[] = [
  {
    ...{ name: 'wrong password', code: 'OF_REDIS_AUTH', atStart: true },
    ...{ server: { requirepass: 'right' }, credentials: { password: CANARY }, reader: { password: 'right' } },
    mend: (server) => askRedis(server, 'AUTH right', `ACL SETUSER default >${CANARY}`),
  },
  {
    ...{ name: 'no password', code: 'OF_REDIS_AUTH', atStart: true },
    server: { requirepass: 'right' },
    mend: (server) => askRedis(server, 'AUTH right', 'ACL SETUSER default nopass'),
  },
  {
    ...{ name: 'a command is not permitted', code: 'OF_REDIS_PERMISSION', atStart: true },
    ...{ server: limited('~* &* -@all +time'), credentials: USER },
    mend: (server) => askRedis(server, 'ACL SETUSER limited +@all'),
  },
  {
    ...{ name: 'no right to write', code: 'OF_REDIS_PERMISSION', atStart: false },
    ...{ server: limited('~* &* +@all -set'), credentials: USER },
    mend: (server) => askRedis(server, 'ACL SETUSER limited +set'),
  },
  {
    ...{ name: 'the key is not permitted', code: 'OF_REDIS_PERMISSION', atStart: true },
    ...{ server: limited('~other/* &* +@all'), credentials: USER },
    mend: (server) => askRedis(server, 'ACL SETUSER limited ~examples/*'),
  },
  {
    ...{ name: 'full memory', code: 'OF_REDIS_MEMORY', atStart: false },
    server: { maxmemory: '1', maxmemoryPolicy: 'noeviction' },
    mend: (server) => askRedis(server, 'CONFIG SET maxmemory 0'),
  },
  {
    ...{ name: 'full disk', code: 'OF_REDIS_DISK', atStart: false },
    server: { config: ['save 3600 1', 'stop-writes-on-bgsave-error yes'] },
    spoil: async (server) => {
      mkdirSync(inTheWay(server));
      writeFileSync(join(inTheWay(server), 'x'), '');
      await askRedis(server, 'SET any 1', 'BGSAVE');
      await askUntil(server, 'INFO persistence', 'rdb_last_bgsave_status:err');
    },
    mend: (server) => {
      rmSync(inTheWay(server), { recursive: true });
      return askRedis(server, 'BGSAVE');
    },
  },
  {
    ...{ name: 'a list at the key', code: 'OF_REDIS_WRONG_TYPE', atStart: true },
    spoil: async (server) => void (await askRedis(server, `LPUSH ${RECORD_KEY} x`)),
    mend: (server) => askRedis(server, `DEL ${RECORD_KEY}`),
  },
  {
    ...{ name: "somebody else's value", code: 'OF_RECORD_INVALID', atStart: true },
    spoil: async (server) => void (await askRedis(server, `SET ${RECORD_KEY} somebodys`)),
    mend: (server) => askRedis(server, `DEL ${RECORD_KEY}`),
  },
  {
    ...{ name: 'a record of another version', code: 'OF_RECORD_VERSION', atStart: true },
    spoil: async (server) => void (await askRedis(server, `SET ${RECORD_KEY} '{"format":2,"epoch":1}'`)),
    mend: (server) => askRedis(server, `DEL ${RECORD_KEY}`),
  },
  {
    ...{ name: 'a read-only replica', code: 'OF_REDIS_READ_ONLY', atStart: false },
    // Its master is nowhere: it is a replica all the same.
    server: { replicaOf: 1 },
    mend: (server) => askRedis(server, 'REPLICAOF NO ONE'),
  },
];

/** Row 13: a Redis that refuses, until someone mends it; and one that is not there at first. */
export function playRefusal(seed: number): Promise<RunResult> {
  const choice = seed % (REFUSALS.length + 1);
  return choice === REFUSALS.length ? absentAtStart(seed) : refused(seed, REFUSALS[choice]);
}

function refused(seed: number, refusal: Refusal): Promise<RunResult> {
  const { name, code, atStart, credentials, reader } = refusal;
  return playWithStore(seed, async (scene, own) => {
    const server = await startRedis(refusal.server);
    own({ close: () => server.stop() });
    await refusal.spoil?.(server);
    const writer = own(new SceneWriter(scene, credentialsOf(server, credentials)));
    const probed: unknown = await writer.store.probe(RECORD_KEY).then(
      () => null,
      (error: unknown) => error,
    );
    if (atStart) {
      must(isOrderFlowError(probed) && probed.code === code, `${name} at the start: ${inspect(probed)}`);
      safe(probed);
    }
    await writer.reported(code, AT_ONCE_MS);
    await feedLives(scene, 200);
    for (const error of writer.errors) safe(error);
    const others = writer.errors.filter((error) => error.code !== code).map((error) => error.code);
    must(others.length === 0, `${name} was reported as ${others.join()} too`);
    must(!writer.working, `${name}: reported as working`);
    await refusal.mend(server);
    const watch = own(watchOf(scene, server, reader));
    const tookMs = await watch.reaches(newestId(scene));
    await until(() => writer.working, `${name}: reported as working again`, 2_000);
    return tookMs;
  });
}

/** Words that help, and no secret. */
function safe(error: OrderFlowError): void {
  must(error.remedy.length > 10, `${error.code}: no remedy`);
  const everything = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error) + error.stack;
  must(!everything.includes(CANARY), `${error.code}: the password shows`);
}

function absentAtStart(seed: number): Promise<RunResult> {
  return playWithStore(seed, async (scene, own) => {
    const [port] = await freePorts(1);
    const writer = own(new SceneWriter(scene, { host: '127.0.0.1', port }));
    await writer.reported('OF_REDIS_CONNECT', AT_ONCE_MS);
    await feedLives(scene, 300);
    const server = await startRedis({ port });
    own({ close: () => server.stop() });
    const watch = own(watchOf(scene, server));
    return watch.reaches(newestId(scene));
  });
}
