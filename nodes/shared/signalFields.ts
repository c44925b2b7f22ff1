import type { IDisplayOptions, INodeProperties } from 'n8n-workflow';
import type { GateDefaults } from '../../src/signal/gateParameters';
import { SIGNAL_DEFAULTS } from '../../src/signal/parameters';

/** Fields about what is compared and how calmly, shared by the trigger and the action. */

export function measureFields(show: IDisplayOptions['show'] = {}): INodeProperties[] {
  return [
    {
      displayName: 'Measure',
      name: 'measure',
      type: 'options',
      options: [
        {
          name: 'Notional (Price × Quantity)',
          value: 'notional',
          description: 'Of the best levels; on COIN-M contracts times their size',
        },
        { name: 'Quantity', value: 'quantity', description: 'Of the best levels' },
        { name: 'Queue', value: 'queue', description: 'Quantity at the best price alone' },
        {
          name: 'Within a Band',
          value: 'band',
          description: 'Notional within a distance of the mid price, however many levels that is',
        },
      ],
      default: SIGNAL_DEFAULTS.measure,
      displayOptions: { show },
      description: 'What is compared between bids and asks',
    },
    {
      displayName: 'Band (Basis Points)',
      name: 'bandBps',
      type: 'number',
      typeOptions: { minValue: 0.01, maxValue: 5000 },
      default: SIGNAL_DEFAULTS.bandBps,
      displayOptions: { show: { ...show, measure: ['band'] } },
      description: 'Distance from the mid price to each side; 100 basis points are 1 %',
    },
    {
      displayName: 'Band at Least (Spreads)',
      name: 'bandMinSpreads',
      type: 'number',
      typeOptions: { minValue: 0, maxValue: 1000 },
      default: SIGNAL_DEFAULTS.bandMinSpreads,
      displayOptions: { show: { ...show, measure: ['band'] } },
      description: 'The band is never narrower than this many times the spread',
    },
  ];
}

export const matchLevelsOption: INodeProperties = {
  displayName: 'Match Levels',
  name: 'matchLevels',
  type: 'boolean',
  default: false,
  description:
    'Whether to compare as many levels as both sides have where one has fewer, instead of giving no signal',
};

export const costAmountOption: INodeProperties = {
  displayName: 'Cost of an Amount',
  name: 'costAmount',
  type: 'number',
  typeOptions: { minValue: 0 },
  default: 0,
  description:
    'Amount in the quote currency (USD on COIN-M). Items then tell what selling or buying that much into the book would cost against the mid price. 0 = off.',
};

export function alertsField(show: IDisplayOptions['show'], defaults: GateDefaults): INodeProperties {
  return {
    displayName: 'Calm Alerts',
    name: 'alerts',
    type: 'collection',
    placeholder: 'Add setting',
    default: {},
    displayOptions: { show },
    description: 'How long a signal has to last, and how often it may be told',
    // eslint-disable-next-line n8n-nodes-base/node-param-collection-type-unsorted-items -- in the order in which an alert passes them
    options: [
      {
        displayName: 'Smoothing Half-Life (Seconds)',
        name: 'smoothingHalfLife',
        type: 'number',
        typeOptions: { minValue: 0, maxValue: 86400 },
        default: defaults.smoothingHalfLifeSeconds,
        description:
          'The value that is judged is a mean in which what was so long ago counts half. 0 = no smoothing.',
      },
      {
        displayName: 'Pending Period (Seconds)',
        name: 'pendingPeriod',
        type: 'number',
        typeOptions: { minValue: 0, maxValue: 86400 },
        default: defaults.pendingSeconds,
        description: 'The threshold must be exceeded for so long, without a break, before an alert',
      },
      {
        displayName: 'Consecutive Updates',
        name: 'consecutiveUpdates',
        type: 'number',
        typeOptions: { minValue: 1, maxValue: 10000 },
        default: defaults.consecutiveUpdates,
        description: 'And by so many updates (in the action: checks) in a row',
      },
      {
        displayName: 'Recovery Threshold (%)',
        name: 'recoveryThreshold',
        type: 'number',
        typeOptions: { minValue: 0, maxValue: 99.9 },
        default: 5,
        description:
          'At or below this an alert begins to end. Half of the threshold unless set; never above it.',
      },
      {
        displayName: 'Keep Firing For (Seconds)',
        name: 'keepFiringFor',
        type: 'number',
        typeOptions: { minValue: 0, maxValue: 86400 },
        default: defaults.keepFiringSeconds,
        description:
          'The value must stay at or below the recovery threshold for so long before the alert ends',
      },
      {
        displayName: 'Cooldown (Seconds)',
        name: 'cooldown',
        type: 'number',
        typeOptions: { minValue: 0, maxValue: 86400 },
        default: defaults.cooldownSeconds,
        description: 'No second alert within so long',
      },
      {
        displayName: 'Repeat Every (Seconds)',
        name: 'repeatEvery',
        type: 'number',
        typeOptions: { minValue: 0, maxValue: 86400 },
        default: defaults.repeatEverySeconds,
        description: 'Tell an alert again every so often while it lasts. 0 = off.',
      },
      {
        displayName: 'No Signal After (Seconds)',
        name: 'noSignalAfter',
        type: 'number',
        typeOptions: { minValue: 0, maxValue: 86400 },
        default: defaults.noSignalAfterSeconds,
        description:
          'So long without a signal (the feed is down, the book is short of levels) before that is told',
      },
    ],
  };
}
