import type { IDataObject } from 'n8n-workflow';
import type { ExchangeOptions } from '../../../exchange';
import { runNode } from '../../support/engine';
import { OrderFlowImbalance } from '../../support/nodes';
import type { Random } from '../random';
import { must, type RunResult } from '../scenario';
import { until } from '../scene';
import { KEY_PREFIX, type TriggerItem, TriggerScene } from '../triggerScene';

const SYMBOL = 'BTCUSDT';
const LEVELS = 10;
/** So small that almost every book that can be judged says one or the other. */
const THRESHOLD = 0.5;
/** Every change is reported, and that there is no signal as soon as there is none. */
const AT_ONCE = {
  ...{ recoveryThreshold: THRESHOLD, pendingPeriod: 0, consecutiveUpdates: 1, keepFiringFor: 0, cooldown: 0 },
  ...{ smoothingHalfLife: 0, repeatEvery: 0, noSignalAfter: 0 },
};

/** A book that no signal may be drawn from. */
interface Strange {
  readonly name: string;
  /** @returns what mends it */
  readonly begin: (scene: TriggerScene) => () => void;
  /** What the trigger's alert gives as its reason. */
  readonly reported: string;
  /** What a check of the trigger's record says. */
  readonly stored: string;
  /** What a check by a request of its own says; null: it has no part in the trouble. */
  readonly asked: string | null;
  readonly mayShrink?: boolean;
  readonly exchange?: ExchangeOptions;
}

const lasting =
  (fault: (random: Random) => Parameters<TriggerScene['exchange']['faults']['add']>[0]): Strange['begin'] =>
  ({ exchange, random }) => {
    const id = exchange.faults.add(fault(random));
    return () => exchange.faults.clear(id);
  };

/** So few that the first reply holds them all: what is missing is known to be missing. */
const SHALLOW: ExchangeOptions = { symbols: [{ symbol: SYMBOL, levels: 40 }] };
/** Deeper than what is asked for. */
const DEEP: ExchangeOptions = { symbols: [{ symbol: SYMBOL, levels: 2_000 }] };

const STRANGE: readonly Strange[] = [
  // The feed does not go on with a crossed book; one that is asked for is looked at as it is.
  {
    name: 'crossed',
    begin: lasting(() => ({ kind: 'crossed' })),
    ...{ reported: 'syncing', stored: 'syncing', asked: 'crossed' },
  },
  {
    name: 'locked',
    begin: lasting(() => ({ kind: 'locked' })),
    ...{ reported: 'locked', stored: 'locked', asked: 'locked' },
  },
  {
    name: 'a side empty',
    begin: lasting((random) => ({ kind: 'emptySide', side: random.pick(['bid', 'ask'] as const) })),
    ...{ reported: 'empty-side', stored: 'empty-side', asked: 'empty-side', exchange: SHALLOW },
  },
  {
    name: 'all levels removed',
    begin: lasting(() => ({ kind: 'emptyBook' })),
    ...{ reported: 'empty-side', stored: 'empty-side', asked: 'empty-side', exchange: SHALLOW },
  },
  // Whoever knows a part of the book cannot know that nothing is left of it, until a fresh reply says so.
  {
    name: 'all known levels removed',
    begin: lasting(() => ({ kind: 'emptyBook' })),
    ...{
      reported: 'outside-coverage',
      stored: 'empty-side',
      asked: 'empty-side',
      exchange: DEEP,
    },
  },
  {
    name: 'a few levels left',
    begin: fewLeft,
    ...{ reported: 'too-few-levels', stored: 'too-few-levels', asked: 'too-few-levels', exchange: SHALLOW },
  },
  {
    name: 'past the edge',
    begin: pastTheEdge,
    ...{ reported: 'outside-coverage', stored: 'outside-coverage', asked: null },
    ...{ exchange: DEEP, mayShrink: true },
  },
  {
    name: 'a gap',
    begin: (scene) => {
      const mend = withoutReplies(scene);
      scene.exchange.faults.add({ kind: 'drop', times: 1 });
      return mend;
    },
    ...{ reported: 'syncing', stored: 'syncing', asked: null },
  },
];

/** The feed's own requests are not answered: what it lacks stays so until that ends. */
function withoutReplies({ exchange }: TriggerScene): () => void {
  const id = exchange.faults.add({ kind: 'rest', path: 'depth', mode: 'reset' });
  return () => exchange.faults.clear(id);
}

function fewLeft({ exchange, random }: TriggerScene): () => void {
  const side = random.pick(['bids', 'asks'] as const);
  const left = random.whole(1, LEVELS - 1);
  exchange.pause();
  const book = exchange.trueBook(SYMBOL, exchange.lastUpdateId(SYMBOL)) ?? { bids: [], asks: [] };
  const gone = book[side].slice(left);
  exchange.scriptUpdate(SYMBOL, { [side]: gone.map(([price]) => [price, '0'] as const) });
  return () => {
    exchange.scriptUpdate(SYMBOL, { [side]: gone });
    exchange.resume();
  };
}

function pastTheEdge(scene: TriggerScene): () => void {
  const mend = withoutReplies(scene);
  scene.exchange.faults.add({ kind: 'jump', bps: scene.random.pick([-400, 400]) });
  return mend;
}

/** A check by the Order Flow Imbalance node. @returns its item, which is the only one, and the output that it came by */
async function check(scene: TriggerScene, source: 'store' | 'exchange'): Promise<IDataObject> {
  const { outputs, error } = await runNode({
    nodes: { imbalance: new OrderFlowImbalance() },
    type: 'imbalance',
    parameters: {
      ...{ source, symbols: SYMBOL, levels: LEVELS, threshold: THRESHOLD, store: 'memory' },
      options: { keyPrefix: KEY_PREFIX, restBaseUrl: scene.exchange.restBaseUrl },
    },
  });
  must(error === undefined, () => `the check failed: ${error?.message}`);
  const items = outputs.flatMap((of, output) => of.map(({ json }) => ({ json, output })));
  must(items.length === 1, `${items.length} items of one check`);
  const [{ json, output }] = items;
  // The first output is No Signal, and only that.
  must((json.signal === null) === (output === 0), () => `${String(json.signal)} came by output ${output}`);
  must(
    (json.signal === null) === (typeof json.reason === 'string'),
    () => `${String(json.signal)}: ${String(json.reason)}`,
  );
  return json;
}

/** Records are written at an interval: asks until one says so. */
async function checkUntil(
  scene: TriggerScene,
  holds: (json: IDataObject) => boolean,
  what: string,
): Promise<void> {
  const end = performance.now() + 8_000;
  for (;;) {
    const json = await check(scene, 'store');
    if (holds(json)) return;
    must(
      performance.now() < end,
      () => `${what}; the record gives ${String(json.signal)}, ${String(json.reason)}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * Row 11: the trigger's alerts and both kinds of check give no signal and say why, and give one again once the book is
 * what it should be.
 */
export function noSignal(seed: number): Promise<RunResult> {
  const strange = STRANGE[Math.floor(seed / 3) % STRANGE.length];
  const alerts: TriggerItem[] = [];
  return TriggerScene.play(
    {
      seed,
      exchange: strange.exchange ?? { symbols: [SYMBOL] },
      symbols: [SYMBOL],
      parameters: {
        ...{ emit: 'signalChange', measure: 'notional', levels: LEVELS, threshold: THRESHOLD },
        ...{ alerts: AT_ONCE, options: { bookDepth: 100, saveEvery: 0.1 } },
      },
      onExecution: (items) => {
        alerts.push(...items);
        return Promise.resolve();
      },
    },
    async (scene) => {
      const last = (): TriggerItem | undefined => alerts[alerts.length - 1];
      const words = (): string =>
        `${strange.name}: ${JSON.stringify(alerts.slice(-3).map(({ signal, reason }) => [signal, reason]))}`;
      await until(
        () => (last()?.signal ?? null) !== null,
        () => `a signal before ${words()}`,
        15_000,
      );
      await checkUntil(scene, ({ signal }) => signal !== null, 'a stored signal');
      scene.mayShrink = strange.mayShrink ?? false;
      const before = alerts.length;
      const mend = strange.begin(scene);
      const reported = (): boolean => last()?.signal === null && last()?.reason === strange.reported;
      await until(reported, () => `reported ${words()}`);
      must(typeof last()?.message === 'string' && last()?.message !== '', 'reported without a message');
      const since = alerts.length;
      if (strange.asked !== null) {
        const { signal, reason } = await check(scene, 'exchange');
        must(
          signal === null && reason === strange.asked,
          () => `asked of ${strange.name}: ${String(signal)}, ${String(reason)}`,
        );
      }
      await checkUntil(
        scene,
        ({ signal, reason }) => signal === null && reason === strange.stored,
        strange.name,
      );
      must(
        alerts.slice(since).every(({ signal }) => signal === null),
        () => `a signal in between: ${words()}`,
      );
      must(alerts.length > before, 'nothing was reported');
      const begun = performance.now();
      mend();
      await until(
        () => (last()?.signal ?? null) !== null,
        () => `a signal after ${words()}`,
        20_000,
      );
      const tookMs = performance.now() - begun;
      await checkUntil(scene, ({ signal }) => signal !== null, `a stored signal after ${strange.name}`);
      scene.mayShrink = false;
      const { signal } = await check(scene, 'exchange');
      must(signal !== null, 'no signal by a request after it');
      return tookMs;
    },
  );
}
