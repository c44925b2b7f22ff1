import { FaultProxy } from '../proxy';
import { Random } from '../random';
import {
  FIRST_BACKOFF_MS,
  PATIENT,
  pause,
  Scene,
  slackOf,
  until,
  WATCHDOG_MS,
  type SceneOptions,
} from '../scene';
import { must, type RunResult } from '../scenario';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
const QUIET = 'SOLUSDT';

/** What lies between the feed and the exchange. */
export interface Wires {
  readonly rest: FaultProxy;
  readonly stream: FaultProxy;
}

type Act = (scene: Scene, wires: Wires, random: Random) => Promise<number | null>;

/** A scene whose feed reaches the exchange through two proxies. */
export function behind(options: SceneOptions, act: Act, before?: (wires: Wires, random: Random) => void) {
  const wires: FaultProxy[] = [];
  const random = new Random(options.seed ^ 0x3c3c);
  // Of its own: how often the proxies ask depends on how the bytes come.
  const jitter = new Random(options.seed ^ 0x6e6e);
  const urls = async ({ port }: Scene['exchange']) => {
    const rest = await FaultProxy.start(port, { random: () => jitter.next() });
    const stream = await FaultProxy.start(port, { random: () => jitter.next() });
    wires.push(rest, stream);
    before?.({ rest, stream }, random);
    return {
      restBaseUrl: `http://127.0.0.1:${rest.port}`,
      webSocketBaseUrl: `ws://127.0.0.1:${stream.port}`,
    };
  };
  const after = async (): Promise<void> => {
    for (const wire of wires) await wire.close();
  };
  return Scene.play({ ...options, urls, after }, (scene) =>
    act(scene, { rest: wires[0], stream: wires[1] }, random),
  );
}

/** Two seeds of five are played through the fault proxy. */
export const isOverWires = (seed: number): boolean => seed % 5 >= 3;

type Variant = (seed: number) => Promise<RunResult>;

/** One variant after the other; each parity of the seed, and with it each form of the reader, meets them all. */
const inTurn = (variants: readonly Variant[], seed: number): Promise<RunResult> =>
  new Random(seed ^ 0x5151).pick(variants)(seed);

const two = (seed: number): SceneOptions => ({ seed, exchange: { symbols: SYMBOLS } });
const unharmed = (seed: number): SceneOptions => ({ ...two(seed), timings: PATIENT });
const PATIENT_PERIOD_MS = PATIENT.watchdogPeriodMs as number;

/** Row 5 over the wire: one direction or both fall silent, perhaps in mid-frame. */
const halfOpen =
  (direction: 'down' | undefined, inMidFrame: boolean): Variant =>
  (seed) =>
    behind(two(seed), async (scene, { stream }, random) => {
      await scene.live();
      await scene.run(200);
      const begun = performance.now();
      if (inMidFrame) stream.cutAfter('down', random.whole(1, 2_000), 'silence');
      else stream.silence(direction);
      const dead = until(() => scene.codes().includes('OF_STREAM_DEAD'), 'the dead connection cut');
      const { value: cutMs, slackMs } = await slackOf(dead);
      must(cutMs < 2 * WATCHDOG_MS + FIRST_BACKOFF_MS + slackMs, `cut after ${cutMs.toFixed(0)} ms`);
      await scene.live();
      const tookMs = performance.now() - begun;
      await scene.run(200);
      return tookMs;
    });

/** The feed's own words get lost and the updates come: alive as far as the feed is concerned. */
const deafServer: Variant = (seed) =>
  behind(unharmed(seed), async (scene, { stream }) => {
    await scene.live();
    stream.silence('up');
    await scene.run(3 * PATIENT_PERIOD_MS);
    must(stream.accepted === 1 && scene.codes().length === 0, 'a connection that brings updates was cut');
    return null;
  });

/** The dead connection's successor falls into a hole as well. */
const deadThenHole: Variant = (seed) =>
  behind(two(seed), async (scene, { stream }) => {
    await scene.live();
    stream.silence();
    stream.blackHole();
    await until(() => scene.codes().includes('OF_STREAM_DEAD'), 'the dead connection cut');
    await until(() => stream.accepted === 2, 'another attempt');
    await until(() => stream.accepted === 3, 'an attempt that hangs given up', 6_000);
    const begun = performance.now();
    stream.clear();
    await scene.live(undefined, 8_000);
    return performance.now() - begun;
  });

/** Answers to probes take long and come: a quiet connection is left alone. */
const farAway: Variant = (seed) =>
  behind(
    { seed, exchange: { symbols: [{ symbol: QUIET, activity: 0 }] }, timings: PATIENT },
    async (scene, { stream }) => {
      await scene.live();
      stream.set({ latencyMs: 100, jitterMs: 80 });
      await pause(3 * PATIENT_PERIOD_MS);
      must(stream.accepted === 1, 'a quiet connection was cut');
      must(scene.view().status().resyncs === 0, 'a quiet symbol was fetched again');
      return null;
    },
  );

export const silenceOverWires = (seed: number): Promise<RunResult> =>
  inTurn(
    [
      halfOpen('down', false),
      halfOpen(undefined, false),
      halfOpen('down', true),
      deafServer,
      deadThenHole,
      farAway,
    ],
    seed,
  );

/** Row 6 over the wire: TCP resets in the middle of a frame. */
const resetInMidFrame: Variant = (seed) =>
  behind(two(seed), async (scene, { stream }, random) => {
    await scene.live();
    let longest = 0;
    for (let round = 0; round < 3; round++) {
      await scene.run(random.whole(60, 200));
      const { accepted } = stream;
      const fault = (): void => stream.cutAfter('down', random.whole(1, 4_000), 'reset');
      longest = Math.max(longest, await scene.recover(fault, () => stream.accepted > accepted, 'back'));
      await until(() => stream.connections === 1, 'one socket', 1_000);
    }
    must(scene.exchange.stats.mostSubscribersOfADiff === 1, 'subscribed twice');
    await scene.run(200);
    return longest;
  });

/** Resets in the middle of the handshake. */
const resetInHandshake: Variant = (seed) =>
  behind(two(seed), async (scene, { stream }, random) => {
    await scene.live();
    stream.cutNew('down', random.whole(1, 120), 'reset', 1);
    const tookMs = await scene.recover(
      () => stream.reset(),
      () => stream.accepted >= 3,
      'another attempt',
    );
    must(scene.codes().includes('OF_CONNECT'), () => `reported: ${JSON.stringify(scene.codes())}`);
    return tookMs;
  });

/** A close frame whose socket stays open: the feed does not wait for its end. */
const slowClose: Variant = (seed) =>
  behind(two(seed), async (scene, { stream }) => {
    await scene.live();
    stream.set({ slowCloseMs: 5_000 }, 'down');
    const { accepted } = stream;
    const recovered = scene.recover(
      () => scene.exchange.faults.add({ kind: 'close', code: 1001 }),
      () => stream.accepted > accepted,
      'back after a close frame',
    );
    const { value: tookMs, slackMs } = await slackOf(recovered);
    must(tookMs < 2 * WATCHDOG_MS + slackMs, `back after ${tookMs.toFixed(0)} ms only`);
    stream.clear();
    await scene.run(200);
    return tookMs;
  });

/** The wire is bad and loses nothing: no book is fetched again and none is wrong. */
const badWire =
  (trouble: (wires: Wires, random: Random) => void): Variant =>
  (seed) =>
    behind(
      unharmed(seed),
      async (scene, wires, random) => {
        await scene.live();
        for (let round = 0; round < 3; round++) {
          await scene.run(300);
          trouble(wires, random);
        }
        wires.stream.clear();
        await scene.run(300);
        for (const symbol of SYMBOLS) must(scene.view(symbol).status().resyncs === 0, 'fetched again');
        must(wires.stream.accepted === 1, 'connected again');
        return null;
      },
      trouble,
    );

const sliced = badWire(({ rest, stream }, random) => {
  stream.set({ sliceBytes: random.whole(1, 40) });
  rest.set({ sliceBytes: random.whole(64, 1_500) });
});
const late = badWire(({ rest, stream }, random) => {
  stream.set({ latencyMs: random.whole(0, 60), jitterMs: random.whole(0, 60) });
  rest.set({ latencyMs: random.whole(0, 150), jitterMs: random.whole(0, 50) });
});
const narrow = badWire(({ stream }, random) =>
  stream.set({ bytesPerSecond: random.whole(30_000, 300_000), sliceBytes: 1_000 }, 'down'),
);

export const endsOverWires = (seed: number): Promise<RunResult> =>
  inTurn([resetInMidFrame, resetInHandshake, slowClose, sliced, late, narrow], seed);

const SSH = Buffer.from('SSH-2.0-OpenSSH_9.6\r\n');
const ENDLESS_HEADERS = Buffer.from(
  `HTTP/1.1 200 OK\r\n${`X-Padding: ${'x'.repeat(1_000)}\r\n`.repeat(200)}`,
);

const REST_TROUBLES: ReadonlyArray<
  readonly [code: string, trouble: (rest: FaultProxy, random: Random) => void]
> = [
  ['OF_TIMEOUT', (rest) => rest.set({ bytesPerSecond: 4_000 }, 'down')],
  ['OF_TIMEOUT', (rest, random) => rest.set({ sliceBytes: random.whole(1, 40), sliceGapMs: 20 }, 'down')],
  ['OF_TIMEOUT', (rest, random) => rest.cutNew('down', random.whole(1, 400), 'silence')],
  ['OF_TIMEOUT', (rest) => rest.cutNew('up', 1, 'silence')],
  ['OF_TIMEOUT', (rest) => rest.blackHole()],
  ['OF_CONNECT', (rest, random) => rest.cutNew('down', random.whole(1, 400), 'reset')],
  ['OF_CONNECT', (rest) => rest.blackHole(() => SSH)],
  ['OF_CONNECT', (rest) => rest.blackHole(() => ENDLESS_HEADERS)],
];

/** Row 9 over the wire: replies that trickle, stop, break off, never come or are none. */
export function troubleOverWires(seed: number): Promise<RunResult> {
  const choices = new Random(seed ^ 0x7171);
  const [code, trouble] = choices.pick(REST_TROUBLES);
  const atStart = choices.chance(0.5);
  return behind(
    { seed },
    async (scene, { rest }, random) => {
      if (!atStart) {
        await scene.live();
        trouble(rest, random);
        scene.exchange.faults.add({ kind: 'drop', times: 1 });
      }
      const begun = performance.now();
      await until(
        () => scene.codes().includes(code),
        () => `${code}: ${JSON.stringify(scene.codes())}`,
      );
      rest.clear();
      await scene.live();
      const tookMs = performance.now() - begun;
      must(rest.accepted < 8 + tookMs / (FIRST_BACKOFF_MS / 2), `asked ${rest.accepted} times`);
      await scene.run(200);
      return tookMs;
    },
    ({ rest }, random) => atStart && trouble(rest, random),
  );
}
