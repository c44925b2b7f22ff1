import type { IDisplayOptions, INodeProperties } from 'n8n-workflow';
import { range } from '../shared/range';
import { CHECK_GATE_DEFAULTS } from '../../src/signal/gate/gateParameters';
import {
  includeLevelsOption,
  levelsField,
  marketField,
  moreSymbolsField,
  restBaseUrlOption,
  symbolsField,
  thresholdField,
} from '../shared/fields';
import { ruleFields, unlessByRule } from '../shared/ruleFields';
import { credentialPlace, keyPrefixOption, storeField, topicPrefixOption } from '../shared/store';
import {
  alertsFields,
  costAmountOption,
  matchLevelsOption,
  measureFields,
  testSignalOption,
} from '../shared/signalFields';

/** From this version on a field shows only where it has an effect; a saved one of version 1 keeps what it has. */
const SINCE_1_1 = { '@version': [{ _cnd: { gte: 1.1 } }] };
const VERSION_1 = { '@version': [1] };

const sourceField: INodeProperties = {
  displayName: 'Order Book From',
  name: 'source',
  type: 'options',
  options: [
    {
      name: 'Exchange',
      value: 'exchange',
      description: 'One request to the exchange for each symbol; needs no trigger',
    },
    {
      name: 'Incoming Item',
      value: 'item',
      description: 'The bids and asks of the item that comes in, for example from the trigger',
    },
    { name: 'Snapshot Store', value: 'store', description: 'What a Binance Order Book Trigger keeps there' },
  ],
  default: 'store',
  description: 'Where the order book comes from',
  builderHint: {
    propertyHint:
      'exchange where no Binance Order Book Trigger runs; store where one does; item where the incoming item has bids and asks.',
  },
};

const emitField: INodeProperties = {
  displayName: 'Emit',
  name: 'emit',
  type: 'options',
  options: [
    { name: 'Every Check', value: 'every', description: 'An item for each check, by the rule alone' },
    {
      name: 'New Books Only',
      value: 'new',
      description: 'Nothing for an update of the order book that this node has seen before',
    },
    {
      name: 'On Change',
      value: 'change',
      description: 'Only when a signal has lasted, ended or is repeated (Calm Alerts)',
    },
  ],
  default: 'every',
  description: 'Which checks give an item',
};

const publishField: INodeProperties = {
  displayName: 'Publish Result',
  name: 'publish',
  type: 'boolean',
  default: true,
  description:
    'Whether to keep the result in the snapshot store, where Order Flow Data shows it as the last signal, and with Redis to publish it to its topic',
};

const optionsField: INodeProperties = {
  displayName: 'Options',
  name: 'options',
  type: 'collection',
  placeholder: 'Add option',
  default: {},
  options: [
    {
      displayName: 'All on One Output',
      name: 'oneOutput',
      type: 'boolean',
      // The number of outputs is the same for all items.
      noDataExpression: true,
      default: false,
      description:
        'Whether every result leaves by one output, for example as the rows of one table, instead of by an output for each signal',
    },
    costAmountOption(),
    {
      displayName: 'Include Input Fields',
      name: 'includeInput',
      type: 'boolean',
      default: false,
      description:
        'Whether results also carry the fields of the incoming item, for example a chat ID. A field of the result that has the same name comes first.',
    },
    includeLevelsOption(false),
    {
      displayName: 'Judge the Mean of 60 Seconds',
      name: 'judgeMean',
      type: 'boolean',
      default: false,
      // One reply of the exchange has no history.
      displayOptions: { hide: { '/source': ['exchange'] } },
      description:
        'Whether to judge the time-weighted mean that the trigger keeps, instead of the book at this instant. One instant is mostly noise.',
    },
    {
      ...keyPrefixOption,
      description:
        'Put before every key in the store. Trigger and action need the same. Unless set, it is the one of the trigger whose item comes in, else examples/.',
    },
    {
      displayName: 'Market Item',
      name: 'marketItem',
      type: 'boolean',
      // It is of all results of the run together.
      noDataExpression: true,
      default: false,
      description:
        'Whether to add one item about all results: how many are selling, buying, neutral and without a signal, their pressure weighted by volume, and what has changed since the last check. It leaves by the output of its own signal.',
    },
    matchLevelsOption(),
    {
      displayName: 'Maximum Age (Seconds)',
      name: 'maxAge',
      type: 'number',
      ...range(0, 86400),
      default: 5,
      description:
        'No signal from a book that the feed has not known to be live for longer than this. 0 = any age.',
    },
    {
      displayName: 'Only New',
      name: 'onlyNew',
      type: 'boolean',
      default: false,
      // Since then a choice of Emit.
      displayOptions: { show: VERSION_1 },
      description: 'Whether to give nothing for an update ID that this node has seen before',
    },
    { ...publishField, displayOptions: { show: VERSION_1 } },
    // In the store's case for the list of symbols.
    { ...restBaseUrlOption, displayOptions: { hide: { '/source': ['item'] } } },
    {
      displayName: 'Strongest Only',
      name: 'strongest',
      type: 'number',
      ...range(0, 1000),
      // A ranking is of all items together.
      noDataExpression: true,
      default: 0,
      description:
        'How many results leave the node, numbered by how far bids and asks differ: 3 gives the strongest three of all symbols, as rank 1 to 3. What has no signal still leaves, without a rank. 0 = all.',
    },
    testSignalOption(),
    topicPrefixOption,
  ],
};

/**
 * The same field twice: as version 1 of the node has it, and as it is from version 1.1 on, where it follows the item.
 * @param hide with which values of other fields it has no meaning
 * @param hideInVersion1 fewer, where a saved value still has an effect
 */
function following(
  field: INodeProperties,
  fromItem: INodeProperties['default'],
  hide: NonNullable<IDisplayOptions['hide']> = {},
  hideInVersion1 = hide,
): INodeProperties[] {
  return [
    {
      ...field,
      default: fromItem,
      displayOptions: { show: SINCE_1_1, hide },
    },
    { ...field, displayOptions: { show: VERSION_1, hide: hideInVersion1 } },
  ];
}

const fromItemMarket: INodeProperties = {
  ...marketField,
  description:
    'The Binance market the symbols are traded on. With Order Book From: Incoming Item, the market of items that do not name theirs.',
};

/**
 * What is kept, and where: the store shows wherever the book, alerts, the newest update seen or the result is in it. n8n
 * joins the conditions of one field by "and", so each way has a field of its own that leaves out the ways before.
 */
function storeFields(): INodeProperties[] {
  const ways = [{ source: ['store'] }, { emit: ['new', 'change'] }, { publish: [true] }];
  return [
    { ...publishField, displayOptions: { show: { ...SINCE_1_1, source: ['store'] } } },
    // A book from elsewhere needs no store, unless asked for.
    { ...publishField, default: false, displayOptions: { show: SINCE_1_1, hide: { source: ['store'] } } },
    { ...storeField, displayOptions: { show: VERSION_1 } },
    ...ways.map((way, i) => ({
      ...storeField,
      displayOptions: { show: { ...SINCE_1_1, ...way }, hide: Object.assign({}, ...ways.slice(0, i)) },
    })),
  ];
}

/** In the order of all nodes: what, how it is compared, how it is reported, where it is kept, options. */
export const imbalanceFields: INodeProperties[] = [
  sourceField,
  ...following(fromItemMarket, '={{ $json.market ?? "spot" }}'),
  ...ruleFields({
    hide: { source: ['item'] },
    ofMarket: { source: ['exchange'] },
    description:
      'From the exchange the symbols with the highest 24-hour volume, from the store every symbol that a trigger keeps there',
  }),
  ...following(
    symbolsField,
    { mode: 'name', value: '={{ $json.symbol ?? "BTCUSDT" }}' },
    { source: ['item'] },
  ).map(unlessByRule),
  unlessByRule(moreSymbolsField),
  ...measureFields(),
  ...following(levelsField, '={{ $json.feed?.levels ?? 20 }}', { measure: ['band', 'queue'] }, {}),
  thresholdField,
  emitField,
  ...alertsFields({ emit: ['change'] }, CHECK_GATE_DEFAULTS),
  ...storeFields(),
  credentialPlace,
  optionsField,
];
