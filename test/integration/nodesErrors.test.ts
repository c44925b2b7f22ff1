import type { IDataObject, INodeProperties, IDisplayOptions } from 'n8n-workflow';
import { BinanceOrderBookTrigger } from '../../nodes/BinanceOrderBookTrigger/BinanceOrderBookTrigger.node';
import { triggerFields } from '../../nodes/BinanceOrderBookTrigger/fields';
import { OrderFlowData } from '../../nodes/OrderFlowData/OrderFlowData.node';
import { dataFields } from '../../nodes/OrderFlowData/fields';
import { OrderFlowImbalance } from '../../nodes/OrderFlowImbalance/OrderFlowImbalance.node';
import { imbalanceFields } from '../../nodes/OrderFlowImbalance/fields';
import { type Exchange, startExchange } from '../../exchange';
import { type NodeRun, runNode, startTrigger } from '../support/engine';
import { freePorts } from '../../scripts/n8n/ports';

const nodes = {
  trigger: new BinanceOrderBookTrigger(),
  imbalance: new OrderFlowImbalance(),
  data: new OrderFlowData(),
};

/** What n8n gives of an error: `description` is shown below the message. */
interface Shown {
  readonly message: string;
  readonly description?: string | null;
}

async function startError(parameters: object, extra: object = {}): Promise<Shown> {
  try {
    const run = await startTrigger({
      ...{ nodes, type: 'trigger', parameters: parameters as IDataObject },
      ...extra,
    });
    await run.close();
  } catch (error) {
    return error as Shown;
  }
  throw new Error('the trigger started');
}

/** A field, or an option of a collection, with what must be set to show it. */
interface Field {
  readonly label: string;
  /** The parameters of the node, with `value` in this field. */
  readonly with: (value: unknown) => IDataObject;
  /** The version of the node that has it. */
  readonly typeVersion: number;
}

/** A symbol picked from the list. */
const PICKED: IDataObject = { __rl: true, mode: 'list', value: 'BTCUSDT' };

/** Values of other fields that show a field; an option of a collection names them from the root ("/emit"). */
function shownWith(conditions: IDisplayOptions | undefined): IDataObject {
  const shown: IDataObject = {};
  for (const [path, values] of Object.entries(conditions?.show ?? {})) {
    const [other, inside] = path.replace(/^\//, '').split('.');
    shown[other] = (
      inside === undefined ? values?.[0] : inside === 'mode' ? PICKED : { [inside]: values?.[0] }
    ) as IDataObject;
  }
  return shown;
}

/** What shows an option beside it in its collection, and what is outside of that. */
function apart(conditions: IDisplayOptions | undefined): Record<'here' | 'above', IDisplayOptions> {
  const entries = Object.entries(conditions?.show ?? {});
  const isHere = ([path]: readonly [string, unknown]) => /^\w/.test(path);
  const of = (some: typeof entries): IDisplayOptions => ({ show: Object.fromEntries(some) });
  return { here: of(entries.filter(isHere)), above: of(entries.filter((entry) => !isHere(entry))) };
}

/** As that, and what shows the choice that it names: an operation belongs to a resource. */
function shownBelow(
  properties: readonly INodeProperties[],
  conditions: IDisplayOptions | undefined,
): IDataObject {
  const shown = shownWith(conditions);
  const above = Object.entries(shown).map(([name, value]) =>
    properties.find(
      (property) =>
        property.name === name &&
        (property.options ?? []).some((option) => 'value' in option && option.value === value),
    ),
  );
  return Object.assign(
    {},
    ...above.map((property) => shownWith(property?.displayOptions)),
    shown,
  ) as IDataObject;
}

const versionOf = (conditions: IDisplayOptions | undefined): number =>
  typeof conditions?.show?.['@version']?.[0] === 'object' ? 1.1 : 1;

/** Types of what holds no value. */
const SHOWS_ONLY: ReadonlySet<string> = new Set(['notice', 'credentials']);

/** Every field of a node that may hold an expression. */
function fieldsOf(properties: readonly INodeProperties[]): Field[] {
  return properties
    .filter(({ noDataExpression, type }) => noDataExpression !== true && !SHOWS_ONLY.has(type))
    .flatMap(({ name, displayName, displayOptions, type, options }) => {
      const shown = shownBelow(properties, displayOptions);
      const top: Field = {
        label: displayName,
        typeVersion: versionOf(displayOptions),
        with: (value) => ({ ...shown, [name]: value }) as IDataObject,
      };
      if (type !== 'collection') return [top];
      const inside = ((options ?? []) as INodeProperties[]).filter((option) => !option.noDataExpression);
      return inside.map((option) => ({
        label: option.displayName,
        typeVersion: versionOf(option.displayOptions),
        with: (value) => {
          const { here, above } = apart(option.displayOptions);
          const inside = { ...shownWith(here), [option.name]: value };
          return { ...shown, ...shownBelow(properties, above), [name]: inside } as IDataObject;
        },
      }));
    });
}

const EXPRESSIONS = [
  ["={{ $('Nope').item.json.symbol }}", "Referenced node doesn't exist"],
  ['={{ nonsense( }}', 'invalid syntax'],
] as const;

describe('an expression that fails is reported with the field and n8n’s own words', () => {
  const actions = [...fieldsOf(imbalanceFields).map((field) => ['imbalance', field.label, field] as const)];
  const data = [...fieldsOf(dataFields).map((field) => ['data', field.label, field] as const)];

  test.each([...actions, ...data])('%s: %s', async (type, label, field) => {
    for (const [expression, words] of EXPRESSIONS) {
      const parameters = field.with(expression);
      const { typeVersion } = field;
      const { error } = await runNode({ nodes, type, parameters, node: { typeVersion } });
      expect(error?.message).toBe(`The expression in ${label} fails: ${words} [OF_PARAMETER]`);

      const node = { typeVersion, onError: 'continueRegularOutput' as const };
      const kept = await runNode({ nodes, type, parameters, node });
      expect(kept.outputs[0][0].json).toMatchObject({ errorCode: 'OF_PARAMETER' });
      expect(kept.outputs[0][0].json.error).toBe(`The expression in ${label} fails: ${words}`);
    }
  });

  test.each(fieldsOf(triggerFields).map((field) => [field.label, field] as const))(
    'trigger: %s',
    async (label, field) => {
      for (const mode of ['trigger', 'manual'] as const) {
        const { message } = await startError(field.with('={{ $json.symbol }}'), { mode });
        expect(message).toMatch(`The expression in ${label} fails: Node 'Trigger' hasn't been executed`);
        expect(message).toMatch(/; a trigger has no incoming item to read from \[OF_PARAMETER\]/);
      }
    },
  );
});

/** What no field takes. */
const NO_VALUE = '={{ [[]] }}';
const VALUE_LABELS = [fieldsOf(imbalanceFields), fieldsOf(dataFields)] as const;

test('a value that a field does not take is refused by the label of the field', async () => {
  for (const [index, type] of ['imbalance', 'data'].entries()) {
    for (const { label, typeVersion, with: parameters } of VALUE_LABELS[index]) {
      const run = { nodes, type, parameters: parameters(NO_VALUE), node: { typeVersion } };
      const { error } = await runNode(run);
      expect(`${label}: ${error?.message}`).toMatch(
        new RegExp(`^(.*): \\1 .* \\[OF_(PARAMETER|BASE_URL)\\]$`),
      );
    }
  }
  for (const { label, with: parameters } of fieldsOf(triggerFields)) {
    const { message } = await startError(parameters(NO_VALUE), { mode: 'manual' });
    expect(`${label}: ${message}`).toMatch(new RegExp(`^(.*): \\1 .* \\[OF_(PARAMETER|BASE_URL)\\]$`));
  }
});

describe('an exchange that asks to wait', () => {
  let exchange: Exchange;
  beforeEach(async () => {
    exchange = await startExchange({ market: 'usdm', symbols: ['BTCUSDT'], seed: 7 });
    exchange.faults.add({ kind: 'banned', retryAfterSeconds: 600 });
  });
  afterEach(() => exchange.close());
  const parameters = () => {
    const { restBaseUrl } = exchange;
    return { source: 'exchange', market: 'usdm', options: { restBaseUrl } };
  };

  test('gives a result without a signal that says for how long', async () => {
    const { outputs, error } = await runNode({ nodes, type: 'imbalance', parameters: parameters() });
    expect(error).toBeUndefined();
    expect(outputs.map((items) => items?.length ?? 0)).toEqual([1, 0, 0, 0]);
    const { json } = outputs[0][0];
    expect(json).toMatchObject({ symbol: 'BTCUSDT', market: 'usdm', signal: null, reason: 'error' });
    expect(json.message).toMatch(/next request in 6\d\d s.*\[OF_BANNED\].*waits until the ban ends/);
  });

  test('is a failed item where On Error asks for one', async () => {
    const { outputs } = await runNode({
      ...{
        nodes,
        type: 'imbalance',
        parameters: parameters(),
        node: { onError: 'continueErrorOutput' as const },
      },
    });
    expect(outputs.map((items) => items?.length ?? 0)).toEqual([0, 0, 0, 0, 1]);
  });
});

describe('a failed item under On Error', () => {
  const GOOD = { symbol: 'AAAUSDT', bids: [['10', '1']], asks: [['11', '2']], note: 'kept' };
  let exchange: Exchange;
  let noRedis: IDataObject;

  beforeAll(async () => {
    exchange = await startExchange({ market: 'spot', symbols: ['BTCUSDT'], seed: 7 });
    noRedis = {
      host: '127.0.0.1',
      port: (await freePorts(1))[0],
      user: '',
      password: '',
      database: 0,
      tls: false,
    };
  });
  afterAll(async () => {
    await exchange.close();
  });

  /** Each way to fail: the first of two items, or both where `both` says so. */
  const ways = (): Record<string, { type: string; parameters: object; items: object[]; code: string }> => ({
    'a parameter': {
      ...{ type: 'imbalance', parameters: { source: 'item', levels: '={{ $json.levels ?? 1 }}' } },
      ...{ items: [{ ...GOOD, levels: 0 }, GOOD], code: 'OF_PARAMETER' },
    },
    'an item': {
      ...{ type: 'imbalance', parameters: { source: 'item', levels: 1 } },
      ...{ items: [{ ...GOOD, bids: 'none' }, GOOD], code: 'OF_ITEM_INVALID' },
    },
    'the store': {
      ...{ type: 'imbalance', parameters: { store: 'redis' } },
      ...{ items: [GOOD], code: 'OF_REDIS_CONNECT' },
    },
    'the exchange': {
      type: 'imbalance',
      parameters: {
        ...{ source: 'exchange', symbols: 'NOPE', options: { restBaseUrl: exchange.restBaseUrl } },
      },
      ...{ items: [GOOD], code: 'OF_UNKNOWN_SYMBOL' },
    },
    'an exchange that cannot be reached': {
      ...{ type: 'imbalance', items: [GOOD], code: 'OF_CONNECT' },
      parameters: {
        source: 'exchange',
        options: { restBaseUrl: `http://127.0.0.1:${String(noRedis.port)}` },
      },
    },
    'the store of Order Flow Data': {
      ...{ type: 'data', parameters: { store: 'redis' } },
      ...{ items: [GOOD], code: 'OF_REDIS_CONNECT' },
    },
    'a parameter of Order Flow Data': {
      ...{ type: 'data', parameters: { symbols: '={{ $json.symbols ?? "BTCUSDT" }}' } },
      ...{ items: [{ ...GOOD, symbols: '!' }, GOOD], code: 'OF_PARAMETER' },
    },
  });
  const names = [
    ...['a parameter', 'an item', 'the store', 'the exchange', 'an exchange that cannot be reached'],
    ...['the store of Order Flow Data', 'a parameter of Order Flow Data'],
  ];

  async function runWay(name: string, onError: string): Promise<NodeRun & { code: string; good: number }> {
    const { type, parameters, items, code } = ways()[name];
    const run = await runNode({
      ...{ nodes, type, parameters: parameters as IDataObject, items: items as IDataObject[] },
      ...{ node: { onError: onError as never }, credentials: { orderFlowRedisApi: noRedis } },
    });
    return { ...run, code, good: items.length - 1 };
  }

  test.each(names)('Continue (using error output), %s: the Error output alone gets it', async (name) => {
    const { outputs, code, good } = await runWay(name, 'continueErrorOutput');
    const failed = outputs[outputs.length - 1];
    expect(failed).toHaveLength(1);
    expect(outputs.slice(0, -1).flat()).toHaveLength(good);
    const { error, message, details, note, signal } = failed[0].json as Record<string, never>;
    expect(error).toMatch(new RegExp(`\\[${code}\\]$`));
    expect(message).toMatch(new RegExp(`\\[${code}\\]\\. [A-Z].*\\.$`));
    expect(details).toMatchObject({ errorCode: code });
    // The incoming item's own fields go along.
    expect(note).toBe('kept');
    expect(signal).toBeUndefined();
  });

  test.each(names)('Continue, %s: it leaves by the first output, as documented', async (name) => {
    const { outputs, code, good } = await runWay(name, 'continueRegularOutput');
    const failed = outputs[0].filter(({ json }) => json.errorCode === code);
    expect(failed).toHaveLength(1);
    expect(outputs.flat()).toHaveLength(good + 1);
    expect(failed[0].json.message).toMatch(new RegExp(`\\[${code}\\]\\. [A-Z].*\\.$`));
    if (!name.includes('Data')) expect(failed[0].json).toMatchObject({ signal: null, reason: 'error' });
  });
});

test('a failed tool call gives the agent an item with the message and its remedy', async () => {
  const { error, outputs } = await runNode({
    ...{ nodes: { dataTool: nodes.data }, type: 'dataTool', parameters: { symbols: '!' } },
  });
  expect(error).toBeUndefined();
  expect(outputs[0][0].json).toMatchObject({ errorCode: 'OF_PARAMETER' });
  expect(outputs[0][0].json.message).toMatch(
    /^Symbols .* \[OF_PARAMETER\]\. Correct the field named in the message\.$/,
  );
});
