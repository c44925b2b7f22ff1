import dns from 'node:dns';
import { lookup } from 'node:dns/promises';
import { freePorts } from '../../../scripts/n8n/ports';
import type { ErrorCode } from '../../../src/runtime/errorCatalogue';
import { ConnectProxy, PROXY_VARIABLES, type ProxyMood } from '../../support/connectProxy';
import { pause, Scene, until } from '../scene';
import { EVERY_RUN, must, REAL_RUNS, type RunResult, type Scenario } from '../scenario';

const CANARY = 'canary-r0ute-p4ss';
const TIMINGS = { connectTimeoutMs: 300 };
const UNKNOWN_HOST = 'no-such-host.invalid';

/** Moods of a proxy that pass, and what the feed says of each. */
const PASSING: ReadonlyArray<readonly [ProxyMood, ErrorCode]> = [
  ['drop', 'OF_PROXY'],
  ['refuse', 'OF_PROXY'],
  ['babble', 'OF_PROXY'],
  ['mute', 'OF_TIMEOUT'],
];

/** Row 22: what is between the feed and the exchange. */
const CASES: ReadonlyArray<(seed: number) => Promise<RunResult>> = [
  ...PASSING.flatMap(([mood, code]) => [
    (seed: number) => badFromTheStart(seed, mood, code),
    (seed: number) => badLater(seed, mood, code),
  ]),
  passwordFromTheStart,
  (seed) => badLater(seed, 'password', 'OF_PROXY_AUTH'),
  (seed) => nobodyListens(seed, 'proxy'),
  (seed) => nobodyListens(seed, 'exchange'),
  unknownProxyName,
  unknownName,
];

/** A feed whose way to the exchange goes through a proxy of this run; the environment is put back after it. */
function throughProxy(
  seed: number,
  begin: (way: Way) => void | Promise<void>,
  act: (scene: Scene, way: Way) => Promise<number>,
): Promise<RunResult> {
  const saved = PROXY_VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of PROXY_VARIABLES) delete process.env[name];
  let way: Way | null = null;
  return Scene.play(
    {
      seed,
      timings: TIMINGS,
      urls: async (exchange) => {
        way = new Way(new ConnectProxy(exchange.port), `exchange-${seed}.test`);
        await begin(way);
        return { restBaseUrl: `http://${way.host}`, webSocketBaseUrl: `ws://${way.host}` };
      },
      after: async () => {
        await way?.proxy.close().catch(() => undefined);
        for (const [name, value] of saved) {
          if (value === undefined) delete process.env[name];
          else process.env[name] = value;
        }
      },
    },
    async (scene) => {
      const recoverMs = await act(scene, way as unknown as Way);
      const reported = JSON.stringify([
        scene.statuses,
        scene.logs,
        scene.lease.views.map((one) => one.status()),
      ]);
      must(
        !reported.includes(CANARY) && !reported.includes(encoded(CANARY)),
        'the password of the proxy shows',
      );
      return recoverMs;
    },
  );
}

const encoded = (password: string): string => Buffer.from(`user:${password}`).toString('base64');

class Way {
  constructor(
    readonly proxy: ConnectProxy,
    /** A name of the run's own: what a process knows of a host does not go over to the next run. */
    readonly host: string,
  ) {}

  async open(mood: ProxyMood, port?: number): Promise<void> {
    this.proxy.mood = mood;
    this.name(`127.0.0.1:${await this.proxy.listen(port)}`);
  }

  /** What the environment names as the proxy from now on. */
  name(address: string): void {
    process.env.HTTP_PROXY = `http://user:${CANARY}@${address}`;
  }
}

/** The feed says so in a sentence and goes on trying. */
async function retried(scene: Scene, code: ErrorCode): Promise<void> {
  const reported = (): boolean => scene.codes().includes(code);
  await until(reported, () => `${code}, not ${JSON.stringify(scene.codes())}`);
  const { terminal, state, reason, errorCode } = scene.view().status();
  must(!terminal && state !== 'stopped', `given up for ${code}`);
  // In between it may be on its way again, or already tell the next failure.
  must(errorCode === null || (reason ?? '').length > 10, `no reason beside ${errorCode}`);
}

/** Book after book comes, however slow the machine is. */
async function goesOn(scene: Scene, books = 5): Promise<void> {
  const wanted = scene.books + books;
  await until(() => scene.books >= wanted, 'books go on');
}

function badFromTheStart(seed: number, mood: ProxyMood, code: ErrorCode): Promise<RunResult> {
  return throughProxy(
    seed,
    (way) => way.open(mood),
    async (scene, { proxy }) => {
      await retried(scene, code);
      const tries = proxy.connects.length;
      await until(() => proxy.connects.length > tries, 'tried again');
      proxy.mood = 'serve';
      const recoverMs = await scene.live();
      await goesOn(scene);
      return recoverMs;
    },
  );
}

/** The proxy cuts what goes through it, and is bad for a while. */
function badLater(seed: number, mood: ProxyMood, code: ErrorCode): Promise<RunResult> {
  return throughProxy(
    seed,
    (way) => way.open('serve'),
    async (scene, { proxy }) => {
      await scene.live();
      await goesOn(scene, scene.random.whole(2, 10));
      proxy.mood = mood;
      proxy.cut();
      // What asked for no password yesterday may ask for none tomorrow: a feed that was live keeps trying, slowly.
      await retried(scene, code);
      await pause(scene.random.whole(0, 100));
      proxy.mood = 'serve';
      const recoverMs = await scene.live();
      await goesOn(scene);
      must(proxy.open <= 1, `${proxy.open} connections through the proxy`);
      return recoverMs;
    },
  );
}

/** No retry brings a password: the feed stops at once, and a new start after the user has acted works. */
function passwordFromTheStart(seed: number): Promise<RunResult> {
  return throughProxy(
    seed,
    (way) => way.open('password'),
    async (scene, { proxy, host }) => {
      await until(
        () => scene.view().status().terminal,
        () => JSON.stringify(scene.view().status()),
      );
      const { state, errorCode } = scene.view().status();
      must(state === 'stopped' && errorCode === 'OF_PROXY_AUTH', `${state}, ${errorCode}`);
      const tries = proxy.connects.length;
      await pause(300);
      must(proxy.connects.length === tries, 'asked again without a password');
      proxy.mood = 'serve';
      await scene.lease.release({ immediately: true });
      scene.lease = scene.acquire({ restBaseUrl: `http://${host}`, webSocketBaseUrl: `ws://${host}` });
      const recoverMs = await scene.live();
      await goesOn(scene);
      must(
        proxy.connects.every((head) => head.includes(encoded(CANARY))),
        'the password was not sent',
      );
      return recoverMs;
    },
  );
}

/** Nobody listens, at the proxy's address or at the exchange's own; then somebody does. */
async function nobodyListens(seed: number, where: 'proxy' | 'exchange'): Promise<RunResult> {
  const [port] = await freePorts(1);
  if (where === 'exchange') {
    let relay: ConnectProxy | null = null;
    const address = `127.0.0.1:${port}`;
    return Scene.play(
      {
        seed,
        timings: TIMINGS,
        urls: async (exchange) => {
          relay = new ConnectProxy(exchange.port);
          relay.mood = 'relay';
          return { restBaseUrl: `http://${address}`, webSocketBaseUrl: `ws://${address}` };
        },
        after: async () => void (await relay?.close()),
      },
      async (scene) => {
        await retried(scene, 'OF_CONNECT');
        await pause(scene.random.whole(0, 150));
        await (relay as unknown as ConnectProxy).listen(port);
        const recoverMs = await scene.live();
        await goesOn(scene);
        return recoverMs;
      },
    );
  }
  return throughProxy(
    seed,
    (way) => way.name(`127.0.0.1:${port}`),
    async (scene, { proxy }) => {
      await retried(scene, 'OF_PROXY');
      await pause(scene.random.whole(0, 150));
      await proxy.listen(port);
      const recoverMs = await scene.live();
      await goesOn(scene);
      return recoverMs;
    },
  );
}

/** The proxy's name resolves to nothing until the variable is put right: every attempt reads it again. */
function unknownProxyName(seed: number): Promise<RunResult> {
  return throughProxy(
    seed,
    (way) => way.name(`${UNKNOWN_HOST}:3128`),
    async (scene, way) => {
      await retried(scene, 'OF_PROXY');
      await way.open('serve');
      const recoverMs = await scene.live();
      await goesOn(scene);
      await lookupsOver();
      return recoverMs;
    },
  );
}

/** Names that the machine asks for: one of them resolves to nothing until it is mended. */
class Names {
  /** Times the name was asked for. */
  asked = 0;
  private mended = false;
  private readonly real = dns.lookup;

  constructor(private readonly name: string) {
    // What a socket asks where it is given a name.
    const asks = (host: string, ...rest: unknown[]): void => {
      if (host === this.name) this.asked++;
      const wanted = host === this.name && this.mended ? '127.0.0.1' : host;
      (this.real as (host: string, ...rest: unknown[]) => void)(wanted, ...rest);
    };
    Object.assign(dns, { lookup: asks });
  }

  mend(): void {
    this.mended = true;
  }

  restore(): void {
    Object.assign(dns, { lookup: this.real });
  }
}

/** The exchange's name resolves to nothing, as on a machine that has lost its network: tried until it has it again. */
function unknownName(seed: number): Promise<RunResult> {
  const host = `exchange-${seed}.${UNKNOWN_HOST}`;
  const names = new Names(host);
  const urls = async ({ port }: Scene['exchange']) => ({
    restBaseUrl: `http://${host}:${port}`,
    webSocketBaseUrl: `ws://${host}:${port}`,
  });
  const after = async (): Promise<void> => names.restore();
  return Scene.play({ seed, timings: { connectTimeoutMs: 10_000 }, urls, after }, async (scene) => {
    await retried(scene, 'OF_DNS');
    const failed = names.asked;
    await until(() => names.asked > failed + 1, 'tried again, twice');
    must(new Set(scene.codes()).size === 1, () => `other codes: ${scene.codes().join()}`);
    must(scene.logs.length < 5, `${scene.logs.length} lines in the log`);
    names.mend();
    const recoverMs = await scene.live();
    await goesOn(scene);
    await lookupsOver();
    return recoverMs;
  });
}

/** A lookup cannot be cancelled; where the name server is slow, one would still be under way after the run. */
async function lookupsOver(): Promise<void> {
  await lookup(UNKNOWN_HOST).catch(() => undefined);
}

export const routeRows: readonly Scenario[] = [
  {
    id: 22,
    name: 'routes',
    what: 'a proxy that drops, refuses, babbles, is mute, asks for a password; names that resolve to nothing, and then do; refused connections',
    expected:
      'a coded error without the password; tried again where a retry can mend, stopped at once where not',
    maxRuns: REAL_RUNS,
    variants: CASES.length,
    recovers: EVERY_RUN,
    run: (seed) => CASES[seed % CASES.length](seed),
  },
];
