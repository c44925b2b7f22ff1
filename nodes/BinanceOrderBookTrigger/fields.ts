import type { INodeProperties } from 'n8n-workflow';
import { GATE_DEFAULTS } from '../../src/signal/gateParameters';
import {
  includeLevelsOption,
  keyPrefixOption,
  levelsField,
  marketField,
  restBaseUrlOption,
  storeField,
  symbolsField,
  thresholdField,
  topicPrefixOption,
  webSocketBaseUrlOption,
} from '../shared/fields';
import { alertsField, costAmountOption, matchLevelsOption, measureFields } from '../shared/signalFields';

const withSignals = { emit: ['signalChange'] };

const emitField: INodeProperties = {
  displayName: 'Start a Workflow',
  name: 'emit',
  type: 'options',
  // In the order of how often they start one.
  options: [
    {
      name: 'At an Interval',
      value: 'interval',
      description: 'The newest book of every symbol, every so many seconds',
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
};

const intervalField: INodeProperties = {
  displayName: 'Every (Seconds)',
  name: 'interval',
  type: 'number',
  typeOptions: { minValue: 0.1, maxValue: 86400 },
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
        { name: '1000 (Spot Markets)', value: 1000 },
        { name: '250 (Futures)', value: 250 },
        { name: '500 (Futures)', value: 500 },
      ],
      default: 100,
      description: 'How often the exchange sends changes of the book',
    },
    {
      displayName: 'Book Depth',
      name: 'bookDepth',
      type: 'options',
      options: [
        { name: '100 Levels', value: 100 },
        { name: '1000 Levels', value: 1000 },
        { name: '500 Levels', value: 500 },
        { name: '5000 Levels (Spot Markets)', value: 5000 },
        { name: 'As Deep as the Request Weight Allows', value: 'auto' },
      ],
      default: 'auto',
      description:
        'Levels a side asked of the exchange when a book is fetched. Deeper books need fetching less often.',
    },
    {
      displayName: 'Save Every (Seconds)',
      name: 'saveEvery',
      type: 'number',
      typeOptions: { minValue: 0.1, maxValue: 10 },
      default: 1,
      description:
        'Seconds between saves of a symbol’s snapshot while its book changes. The Maximum Age of the action must be larger than this, or its checks find a snapshot too old to judge.',
    },
    keyPrefixOption,
    {
      displayName: 'Snapshot TTL (Seconds)',
      name: 'snapshotTtl',
      type: 'number',
      typeOptions: { minValue: 5, maxValue: 2592000 },
      default: 3600,
      description:
        'Seconds after which a snapshot that is no longer refreshed disappears from the store. Must be more than Save Every.',
    },
    {
      displayName: 'Publish Depth Events',
      name: 'publishDepth',
      type: 'boolean',
      default: true,
      description:
        'Whether to publish every depth event, as the exchange sent it, to a Redis topic. Has no effect with This n8n Process.',
    },
    topicPrefixOption,
    includeLevelsOption(true),
    {
      displayName: 'Feed Status Output',
      name: 'feedStatus',
      type: 'boolean',
      default: false,
      description:
        'Whether to add a second output with changes of the feed’s state. Data cannot be pinned on a node with two outputs.',
    },
    matchLevelsOption,
    costAmountOption,
    restBaseUrlOption,
    webSocketBaseUrlOption,
  ],
};

export const triggerFields: INodeProperties[] = [
  marketField,
  symbolsField,
  emitField,
  intervalField,
  ...measureFields(withSignals),
  { ...thresholdField, displayOptions: { show: withSignals } },
  alertsField(withSignals, GATE_DEFAULTS),
  levelsField,
  storeField,
  optionsField,
];
