import * as fc from 'fast-check';
import type { IDataObject, INodeProperties, INodeType } from 'n8n-workflow';
import { type Exchange, startExchange } from '../../../exchange';
import { feedRegistry } from '../../../src/binance/feedRegistry';
import { MARKETS } from '../../../src/feed/markets';
import type { Limits } from '../../../src/runtime/validate';
import { closeIdleRedisConnections, redisInventory } from '../../../src/store/redis/sharedConnections';
import { runNode, startTrigger } from '../../support/engine';
import { BinanceOrderBookTrigger, OrderFlowData, OrderFlowImbalance } from '../../support/nodes';
import { credentialsOf } from '../../support/storeFixtures';
import * as bad from '../badValues';
import { must, NOTHING_TO_RECOVER, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { sharedRedis } from '../sharedRedis';

const CANARY = 'canary-p4rameter';

const NODES: { readonly [type: string]: INodeType } = {
  trigger: new BinanceOrderBookTrigger(),
  imbalance: new OrderFlowImbalance(),
  data: new OrderFlowData(),
};

/** What a field refuses, and what its message has to say of its limit. */
interface Field {
  readonly wrong: fc.Arbitrary<unknown>;
  readonly limits: readonly RegExp[];
  /** What else has to be set so that the field counts. */
  readonly beside?: IDataObject;
  /** The version of the node that has it; 1 unless given. */
  readonly typeVersion?: number;
}

const number = (limits: Limits, beside?: IDataObject): Field => {
  const words = { min: '(from|at least)', max: '(to|at most)', above: 'above', below: 'below' } as const;
  const named = Object.entries(words).flatMap(([key, word]) => {
    const bound = limits[key as keyof typeof words];
    return bound === undefined ? [] : [new RegExp(`${word} ${bound}(?!\\d)`)];
  });
  return { wrong: bad.badNumber(limits), limits: [/number/, ...named], beside };
};
const choice = (choices: readonly string[]): Field => ({
  wrong: bad.badChoice(choices),
  limits: [/must be one of/, ...choices.map((one) => new RegExp(`\\b${one}\\b`))],
});
const seconds = (beside?: IDataObject): Field => number({ min: 0, max: 86_400 }, beside);
const boolean: Field = { wrong: bad.badBoolean, limits: [/true or false/] };
const prefix: Field = {
  wrong: bad.badPrefix,
  limits: [/must be text|more than 200 char|white space, control/],
};
const url = (scheme: 'http' | 'ws'): Field => ({
  wrong: bad.badUrl(scheme, CANARY),
  limits: [/is empty|longer than 512|white space|is not a URL|is wanted|holds a |names no host/],
});

const HISTORY: IDataObject = { resource: 'history', operation: 'history' };
const CHART: IDataObject = { resource: 'history', operation: 'historyChart' };
const time: Field = {
  ...notEmpty({ wrong: bad.badTime, limits: [/a date and time such as 2026-/] }),
  beside: HISTORY,
};

const LEVELS = number({ min: 1, max: 5_000, whole: true });
const band: IDataObject = { measure: 'band' };
const changes = (over: IDataObject = {}): IDataObject => ({ emit: 'signalChange', ...over });

const SYMBOLS: Field = {
  wrong: bad.badSymbols,
  limits: [
    /1024 symbols|is empty|control character|64 char|is not a symbol|give a list|a symbol belongs|an empty|which symbol of|names another exchange/,
  ],
};

const COMMON: { readonly [path: string]: Field } = {
  market: choice(Object.keys(MARKETS)),
  symbols: SYMBOLS,
  moreSymbols: {
    ...SYMBOLS,
    // None besides is fine.
    wrong: bad.badSymbols.filter((value) => !Array.isArray(value) || value.length > 0),
    beside: { symbols: { __rl: true, mode: 'list', value: 'BTCUSDT' } },
  },
  store: choice(['memory', 'redis']),
  'options.keyPrefix': prefix,
};

const SIGNALS = (beside: IDataObject): { readonly [path: string]: Field } => {
  const alerts = (field: Field): Field => ({ ...field, beside });
  return {
    measure: { ...choice(['notional', 'quantity', 'queue', 'band']), beside },
    bandBps: number({ above: 0, max: 5_000 }, { ...beside, ...band }),
    bandMinSpreads: number({ min: 0, max: 1_000 }, { ...beside, ...band }),
    levels: LEVELS,
    threshold: number({ min: 0, below: 100 }, beside),
    'alerts.thresholdBy': alerts(choice(['percentage', 'percentile', 'budget'])),
    'alerts.alertsPerDay': number({ min: 0.1, max: 1_000 }, { ...beside, alerts: { thresholdBy: 'budget' } }),
    'alerts.percentile': number(
      { min: 50, max: 99.99 },
      { ...beside, alerts: { thresholdBy: 'percentile' } },
    ),
    'alerts.smoothingHalfLife': alerts(seconds()),
    'alerts.pendingPeriod': alerts(seconds()),
    'alerts.consecutiveUpdates': alerts(number({ min: 1, max: 10_000, whole: true })),
    // Never above the threshold, which is 10 unless set.
    'alerts.recoveryThreshold': alerts(number({ min: 0, max: 10 })),
    'alerts.keepFiringFor': alerts(seconds()),
    'alerts.cooldown': alerts(seconds()),
    'alerts.repeatEvery': alerts(seconds()),
    'alerts.noSignalAfter': alerts(notEmpty(seconds())),
    'options.matchLevels': { ...boolean, beside },
    'options.costAmount': notEmpty(number({ min: 0, max: 1e15 }, beside)),
    'options.testSignal': { ...choice(['asIs', 'BUYING', 'NEUTRAL', 'none', 'SELLING']), beside },
    'options.topicPrefix': prefix,
    'options.includeLevels': boolean,
    'options.restBaseUrl': url('http'),
  };
};

/** Symbols by rule. @param ofMarket where all of the market is chosen from */
const RULE = (ofMarket: IDataObject = {}): { readonly [path: string]: Field } => {
  const beside = { symbolsBy: 'rule', ...ofMarket };
  // Blank is any quote asset, and no exception.
  const wrong = bad.badSymbols.filter((value) => !isBlank(value));
  return {
    symbolsBy: choice(['list', 'rule']),
    ruleQuoteAsset: { ...SYMBOLS, wrong, beside },
    ruleContractType: {
      ...choice(['perpetual', 'stocks', 'dated', 'any']),
      beside: { ...beside, market: 'usdm' },
    },
    ruleCount: number({ min: 1, max: 1_024, whole: true }, beside),
    ruleExcept: { ...SYMBOLS, wrong, beside: { symbolsBy: 'rule' } },
  };
};

const isBlank = (value: unknown): boolean =>
  typeof value === 'string' ? value.trim() === '' : Array.isArray(value) && value.every(isBlank);

/** Empty has a meaning in these fields, and an expression says it with null. */
function notEmpty(field: Field): Field {
  return { ...field, wrong: field.wrong.filter((value) => value !== '' && value !== null) };
}

const FIELDS: { readonly [node: string]: { readonly [path: string]: Field } } = {
  trigger: {
    ...COMMON,
    ...SIGNALS(changes()),
    ...RULE(),
    emit: choice(['interval', 'signalChange', 'continuous', 'never']),
    interval: number({ min: 0.1, max: 86_400 }),
    'options.updateSpeed': {
      wrong: bad.badNumber({ min: 100, max: 1000 }),
      limits: [/number|one of 100, 1000/],
    },
    'options.bookDepth': number({ min: 20, max: 5_000, whole: true }),
    'options.saveEvery': number({ min: 0.1, max: 10 }),
    'options.snapshotTtl': number({ min: 5, max: 2_592_000 }),
    'options.historyEvery': number({ min: 1, max: 3_600 }),
    'options.historyFor': number({ min: 0, max: 720 }),
    'options.publishDepth': boolean,
    'options.attachChart': { ...choice(['none', 'hour', 'sixHours', 'day']), beside: changes() },
    'options.gatherAlerts': number({ min: 0, max: 300 }, changes()),
    'options.messagesADay': number({ min: 0, max: 10_000, whole: true }, changes()),
    'options.feedStatus': boolean,
    'options.maxAge': seconds(),
    'options.deadFeedAfter': number({ min: 0, max: 1_440 }),
    'options.executionWait': number({ min: 1, max: 86_400 }),
    'options.webSocketBaseUrl': url('ws'),
  },
  imbalance: {
    ...COMMON,
    ...SIGNALS({ emit: 'change' }),
    ...RULE({ source: 'exchange' }),
    source: choice(['store', 'item', 'exchange']),
    emit: choice(['every', 'new', 'change']),
    publish: { ...boolean, typeVersion: 1.1 },
    'options.judgeMean': boolean,
    'options.oneOutput': boolean,
    'options.marketItem': boolean,
    'options.includeInput': boolean,
    'options.maxAge': seconds(),
    'options.onlyNew': boolean,
    'options.strongest': number({ min: 0, max: 1_000, whole: true }),
    'options.publish': boolean,
  },
  data: {
    ...COMMON,
    resource: choice(['feed', 'book', 'history', 'overview']),
    operation: choice(['feedStatus']),
    from: time,
    to: time,
    step: number({ min: 0, max: 86_400 }, HISTORY),
    shape: { ...choice(['samples', 'summary', 'csv']), beside: HISTORY },
    levels: { ...LEVELS, beside: { resource: 'book' } },
    'options.format': { ...choice(['png', 'svg']), beside: CHART },
    'options.theme': { ...choice(['light', 'dark']), beside: CHART },
    'options.width': number({ min: 320, max: 2_880, whole: true }, CHART),
    'options.maxSamples': number({ min: 1, max: 100_000, whole: true }, HISTORY),
    'options.includeLevels': { ...boolean, beside: { resource: 'book' } },
    'options.maxAge': number({ min: 1, max: 86_400 }),
  },
};

/** The names of a node's fields as its user sees them, by path; without the unit behind them. */
function labelsOf(node: string): Map<string, string> {
  const labels = new Map<string, string>();
  const add = (properties: readonly INodeProperties[], folder: string): void => {
    for (const { name, displayName, type, options } of properties) {
      // A notice is text, and a credential is chosen beside the fields.
      if (type === 'notice' || type === 'credentials') continue;
      // n8n itself puts a collection as a whole into shape.
      if (type === 'collection') add(options as INodeProperties[], `${folder}${name}.`);
      else labels.set(folder + name, displayName.replace(/ \([^)]*\)$/, ''));
    }
  };
  add(NODES[node].description.properties, '');
  return labels;
}

/** Row 19: every field of every node is given what it cannot use, as it is or by an expression. */
async function badParameters(seed: number): Promise<RunResult> {
  const exchange = await startExchange({ seed, paused: true });
  try {
    // The same calls with nothing wrong in them: what is refused below is refused for the field.
    must(
      (await refusalOf('imbalance', 'levels', LEVELS, [5, 1], exchange)) === null,
      'a sound call is refused',
    );
    must(
      (await refusalOf('data', 'options.maxAge', LEVELS, [5, 1], exchange)) === null,
      'a sound call is refused',
    );
    await closeIdleRedisConnections();
    for (const node of Object.keys(NODES)) {
      const labels = labelsOf(node);
      const fields = FIELDS[node];
      const untried = [...labels.keys()].filter((path) => !(path in fields));
      must(untried.length === 0, `${node} has fields that are not tried: ${untried.join()}`);
      for (const [i, [path, field]] of Object.entries(fields).entries()) {
        const [drawn] = fc.sample(fc.tuple(field.wrong, fc.nat(5)), { seed: seed * 1_000 + i, numRuns: 1 });
        const reported = await refusalOf(node, path, field, drawn, exchange);
        const label = labels.get(path) as string;
        const what = (): string => `${node}, ${path} = ${shown(drawn[0])}: ${reported}`;
        must(reported !== null, () => `taken: ${what()}`);
        if (reported.includes(`Parameter "${label}" is required`)) continue;
        must(
          reported.includes(label) && /OF_PARAMETER|OF_BASE_URL/.test(reported),
          () => `not named: ${what()}`,
        );
        must(
          field.limits.every((limit) => limit.test(reported)),
          () => `no limit: ${what()}`,
        );
        must(
          reported.length < 500 && !/[\p{Cc}\p{Cf}]/u.test(reported),
          () => `not fit to be shown: ${what()}`,
        );
        must(!reported.includes(CANARY), () => `a password shows: ${what()}`);
      }
    }
    const { stats } = exchange;
    must(stats.requests.length === 0 && stats.totalConnections === 0, 'the exchange was asked for it');
    const { connections, symbols, leases } = feedRegistry().inventory();
    must(connections + symbols + leases === 0, 'a feed was begun for it');
    must(redisInventory().connections === 0, 'Redis was asked for it');
  } finally {
    await closeIdleRedisConnections();
    await exchange.close();
  }
  return NOTHING_TO_RECOVER;
}

/** The error that the user sees, with its code; null where the value was taken. */
async function refusalOf(
  node: string,
  path: string,
  field: Field,
  [value, form]: readonly [unknown, number],
  exchange: Exchange,
): Promise<string | null> {
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  const { typeVersion = 1 } = field;
  const urls = node === 'trigger' ? { restBaseUrl, webSocketBaseUrl } : { restBaseUrl };
  const sound = { symbols: 'BTCUSDT', store: 'redis', ...field.beside, options: node === 'data' ? {} : urls };
  // As it is n8n would make text of a date, and a default of null.
  const asItIs = form % 2 === 0 && value !== null && !(value instanceof Date);
  const given = asItIs ? value : asExpression(value);
  // As the editor keeps what was typed or picked, and as an expression for the whole field gives it.
  const located = path === 'symbols' && form > 2 ? { __rl: true, mode: 'name', value: given } : given;
  const [folder, name] = path.includes('.') ? path.split('.') : ['', path];
  const at = sound as IDataObject;
  const parameters = (folder === ''
    ? { ...at, [name]: located }
    : { ...at, [folder]: { ...(at[folder] as IDataObject), [name]: located } }) as unknown as IDataObject;
  const credentials = { orderFlowRedisApi: credentialsOf(await sharedRedis()) as IDataObject };
  const common = { nodes: NODES, type: node, parameters, credentials };
  if (node === 'trigger') {
    return startTrigger(common).then(
      async (run) => {
        await run.close();
        return null;
      },
      (error: Error) => error.message,
    );
  }
  if (form % 3 === 0) {
    const run = await runNode({ ...common, node: { typeVersion, onError: 'continueRegularOutput' } }).catch(
      (error: Error) => error,
    );
    if (run instanceof Error) return run.message;
    const [item] = run.outputs[0];
    return typeof item?.json.errorCode !== 'string'
      ? null
      : `${item.json.message as string} [${item.json.errorCode as string}]`;
  }
  // What the editor marks as required n8n refuses itself, by throwing.
  const stopped = await runNode({ ...common, node: { typeVersion } }).then(
    ({ error }) => error,
    (error: Error) => error,
  );
  return stopped?.message ?? null;
}

/** An expression that gives the value; n8n's own braces may not be inside. */
function asExpression(value: unknown): unknown {
  if (value === undefined || value instanceof Date) return '={{ new Date(0) }}';
  if (typeof value === 'number') return `={{ ${Number.isFinite(value) ? value : `Number("${value}")`} }}`;
  return `={{ JSON.parse(decodeURIComponent(${JSON.stringify(encodeURIComponent(JSON.stringify(value)))})) }}`;
}

const shown = (value: unknown): string => String(JSON.stringify(value) ?? value).slice(0, 100);

export const parameterRows: readonly Scenario[] = [
  {
    id: 19,
    name: 'parameters',
    what: 'every field of the three nodes given what it cannot use: empty, unknown, out of range, objects, control characters, 5 000 symbols',
    expected: 'refused, naming field and limit on one line; nothing asked of exchange or Redis, nothing open',
    maxRuns: REAL_RUNS,
    prepare: async () => void (await sharedRedis()),
    run: badParameters,
  },
];
