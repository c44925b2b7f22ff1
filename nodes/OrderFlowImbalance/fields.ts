import type { INodeProperties } from 'n8n-workflow';
import { CHECK_GATE_DEFAULTS } from '../../src/signal/gateParameters';
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
} from '../shared/fields';
import { alertsField, costAmountOption, matchLevelsOption, measureFields } from '../shared/signalFields';

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
};

const emitField: INodeProperties = {
  displayName: 'Emit',
  name: 'emit',
  type: 'options',
  options: [
    { name: 'Every Check', value: 'every', description: 'An item for each check, by the rule alone' },
    {
      name: 'On Change',
      value: 'change',
      description: 'Only when a signal has lasted, ended or is told again (Calm Alerts)',
    },
  ],
  default: 'every',
  description: 'Which checks give an item',
};

const optionsField: INodeProperties = {
  displayName: 'Options',
  name: 'options',
  type: 'collection',
  placeholder: 'Add option',
  default: {},
  options: [
    costAmountOption,
    includeLevelsOption(false),
    {
      displayName: 'Judge the Mean of 60 Seconds',
      name: 'judgeMean',
      type: 'boolean',
      default: false,
      description:
        'Whether to judge the time-weighted mean that the trigger keeps, instead of the book at this instant. One instant is mostly noise.',
    },
    keyPrefixOption,
    matchLevelsOption,
    {
      displayName: 'Maximum Age (Seconds)',
      name: 'maxAge',
      type: 'number',
      typeOptions: { minValue: 0, maxValue: 86400 },
      default: 5,
      description:
        'No signal from a book that the feed has not known to be live for longer than this. 0 = any age.',
    },
    {
      displayName: 'Only New',
      name: 'onlyNew',
      type: 'boolean',
      default: false,
      description: 'Whether to give nothing for an update ID that this node has seen before',
    },
    {
      displayName: 'Publish Result',
      name: 'publish',
      type: 'boolean',
      default: true,
      description:
        'Whether to store the result and publish it to its Redis topic. Has no effect with This n8n Process.',
    },
    restBaseUrlOption,
    topicPrefixOption,
  ],
};

export const imbalanceFields: INodeProperties[] = [
  sourceField,
  storeField,
  { ...marketField, displayOptions: { hide: { source: ['item'] } } },
  { ...symbolsField, displayOptions: { hide: { source: ['item'] } } },
  ...measureFields(),
  levelsField,
  thresholdField,
  emitField,
  alertsField({ emit: ['change'] }, CHECK_GATE_DEFAULTS),
  optionsField,
];
