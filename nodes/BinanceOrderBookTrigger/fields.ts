import type { INodeProperties } from 'n8n-workflow';
import { range } from '../shared/range';
import { GATE_DEFAULTS } from '../../src/signal/gate/gateParameters';
import {
  includeLevelsOption,
  levelsField,
  marketField,
  moreSymbolsField,
  restBaseUrlOption,
  symbolsField,
  thresholdField,
  webSocketBaseUrlOption,
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

const withSignals = { emit: ['signalChange'] };
/** The same for an option, which names other fields from the root. */
const ofSignals = { '/emit': ['signalChange'] };
const withoutItems = { '/emit': ['never'] };

const emitField: INodeProperties = {
  displayName: 'Start a Workflow',
  name: 'emit',
  type: 'options',
  // In the order of how often they start one.
  options: [
    {
      name: 'At an Interval',
      value: 'interval',
      description: 'The newest book of every symbol, at a fixed interval',
    },
    {
      name: 'When the Signal Changes',
      value: 'signalChange',
      description: 'Every update is checked; only changes are reported',
    },
    {
      name: 'Continuously, as Fast as n8n Allows',
      value: 'continuous',
      description: 'One execution after the other, each with the newest book. Keeps n8n busy all the time.',
    },
    {
      name: 'Never (Only Keep the Store)',
      value: 'never',
      description: 'For workflows that read the store on a schedule',
    },
  ],
  default: 'interval',
  description: 'When items leave this node',
  builderHint: {
    propertyHint:
      'signalChange for alerts, interval for regular reports, never where other workflows read the store. Avoid continuous.',
  },
};

const deadFeedNotice: INodeProperties = {
  displayName:
    'A feed that stays down is reported by one failed execution: set an <b>Error Workflow</b> in the workflow’s settings to be notified. Its state at any time: Feed Status Output (Options), or the node Order Flow Data.',
  name: 'deadFeedNotice',
  type: 'notice',
  default: '',
};

const intervalField: INodeProperties = {
  displayName: 'Every (Seconds)',
  name: 'interval',
  type: 'number',
  ...range(0.1, 86400),
  default: 10,
  displayOptions: { show: { emit: ['interval'] } },
  description: 'Seconds between executions. The first comes as soon as the book is in sync.',
};

const optionsField: INodeProperties = {
  displayName: 'Options',
  name: 'options',
  type: 'collection',
  placeholder: 'Add option',
  default: {},
  // eslint-disable-next-line n8n-nodes-base/node-param-collection-type-unsorted-items -- grouped: exchange, store, items, addresses
  options: [
    {
      displayName: 'Update Speed (Milliseconds)',
      name: 'updateSpeed',
      type: 'options',
      options: [
        { name: '100', value: 100 },
        { name: '250 (Futures)', value: 250 },
        { name: '500 (Futures)', value: 500 },
        { name: '1000 (Spot Markets)', value: 1000 },
      ],
      default: 100,
      description: 'How often the exchange sends changes of the book',
    },
    {
      displayName: 'Book Depth',
      name: 'bookDepth',
      type: 'options',
      // eslint-disable-next-line n8n-nodes-base/node-param-options-type-unsorted-items -- by their number
      options: [
        { name: 'As Deep as the Request Weight Allows', value: 'auto' },
        { name: '100 Levels', value: 100 },
        { name: '500 Levels', value: 500 },
        { name: '1000 Levels', value: 1000 },
        { name: '5000 Levels (Spot Markets)', value: 5000 },
      ],
      default: 'auto',
      description:
        'Levels a side to request from the exchange when a book is fetched. Deeper books need fetching less often.',
    },
    {
      displayName: 'Save Every (Seconds)',
      name: 'saveEvery',
      type: 'number',
      ...range(0.1, 10),
      default: 1,
      description:
        'Seconds between saves of a symbol’s snapshot while its book changes. The Maximum Age of the action must be larger than this, or its checks find a snapshot too old to judge.',
    },
    keyPrefixOption,
    {
      displayName: 'Snapshot TTL (Seconds)',
      name: 'snapshotTtl',
      type: 'number',
      ...range(5, 2592000),
      default: 3600,
      description:
        'Seconds after which a snapshot that is no longer refreshed disappears from the store. Must be more than Save Every.',
    },
    {
      displayName: 'History Every (Seconds)',
      name: 'historyEvery',
      type: 'number',
      ...range(1, 3600),
      default: 10,
      description:
        'Seconds between samples of the history that the store keeps of each symbol: prices, imbalance, signal',
    },
    {
      displayName: 'History For (Hours)',
      name: 'historyFor',
      type: 'number',
      ...range(0, 720),
      default: 24,
      description:
        'Hours for which samples are kept. A day of a sample every 10 seconds takes 0.3 MB of memory for each symbol, 0.8 MB in Redis. 0 = no history.',
    },
    {
      displayName: 'Publish Depth Events',
      name: 'publishDepth',
      type: 'boolean',
      default: true,
      displayOptions: { show: { '/store': ['redis'] } },
      description: 'Whether to publish every depth event, as the exchange sent it, to a Redis topic',
    },
    topicPrefixOption,
    { ...includeLevelsOption(true), displayOptions: { hide: withoutItems } },
    {
      displayName: 'Attach Chart',
      name: 'attachChart',
      type: 'options',
      options: [
        { name: 'None', value: 'none' },
        { name: 'The Last Hour', value: 'hour' },
        { name: 'The Last 6 Hours', value: 'sixHours' },
        { name: 'The Last 24 Hours', value: 'day' },
      ],
      default: 'none',
      displayOptions: { show: ofSignals },
      description:
        'A picture of price and imbalance with each alert, as the file `data`, which nodes for Slack, Telegram and email attach. An alert waits for it, up to 10 seconds; then it goes out without.',
    },
    {
      displayName: 'Feed Status Output',
      name: 'feedStatus',
      type: 'boolean',
      default: false,
      description:
        'Whether to add a second output with changes of the feed’s state. Data cannot be pinned on a node with two outputs.',
    },
    {
      displayName: 'Report a Dead Feed After (Minutes)',
      name: 'deadFeedAfter',
      type: 'number',
      ...range(0, 1440),
      default: 5,
      description:
        'Minutes that a feed, or writing to the store, may be down before one failed execution reports it, which starts the error workflow. A feed that was never live is reported after a minute at most. 0: only failures that no retry can end are reported.',
    },
    {
      displayName: 'Longest Wait for an Execution (Seconds)',
      name: 'executionWait',
      type: 'number',
      ...range(1, 86400),
      default: 60,
      description:
        'Seconds that an execution which does not end may hold the next one back. The usual wait is shorter, three times what executions of this workflow take, since n8n does not say when a worker was lost with one. Set more where executions take longer than a minute and none may start beside another.',
    },
    {
      displayName: 'Maximum Age (Seconds)',
      name: 'maxAge',
      type: 'number',
      ...range(0, 86400),
      default: 5,
      displayOptions: { hide: withoutItems },
      description:
        'A book that was last known to be live longer ago than this gives no signal, and its item says so instead of showing old prices. 0 = any age.',
    },
    {
      displayName: 'Gather Alerts For (Seconds)',
      name: 'gatherAlerts',
      type: 'number',
      ...range(0, 300),
      default: 0,
      displayOptions: { show: ofSignals },
      description:
        'Alerts of any symbols that come within so many seconds of the first leave as one item: its message has a line for each, and alerts has each as it would have left alone. 0 = every alert at once, in an item of its own.',
    },
    {
      displayName: 'Most Messages a Day',
      name: 'messagesADay',
      type: 'number',
      ...range(0, 10000),
      default: 0,
      displayOptions: { show: ofSignals },
      description:
        'Items with alerts that may leave in a day of the workflow’s time zone. Alerts beyond it are counted, and one summary of them leaves when the day is over. 0 = no limit.',
    },
    matchLevelsOption(ofSignals),
    costAmountOption(ofSignals),
    testSignalOption(ofSignals),
    restBaseUrlOption,
    webSocketBaseUrlOption,
  ],
};

/** In the order of all nodes: what, how it is compared, how it is reported, where it is kept, options. */
export const triggerFields: INodeProperties[] = [
  marketField,
  ...ruleFields(),
  unlessByRule(symbolsField),
  unlessByRule(moreSymbolsField),
  ...measureFields(withSignals),
  {
    ...levelsField,
    description:
      'Price levels on each side, best first: so many are compared, shown in items and kept in the store',
  },
  { ...thresholdField, displayOptions: { show: withSignals } },
  emitField,
  intervalField,
  ...alertsFields(withSignals, GATE_DEFAULTS),
  deadFeedNotice,
  storeField,
  credentialPlace,
  optionsField,
];
