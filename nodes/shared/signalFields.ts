import type { IDisplayOptions, INodeProperties } from 'n8n-workflow';
import { range } from './range';
import type { GateDefaults } from '../../src/signal/gate/gateParameters';
import { calmText } from '../../src/signal/gate/calmText';
import { THRESHOLD_DEFAULTS } from '../../src/signal/budget/thresholdInForce';
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
      ...range(0.01, 5000),
      default: SIGNAL_DEFAULTS.bandBps,
      displayOptions: { show: { ...show, measure: ['band'] } },
      description: 'Distance from the mid price to each side; 100 basis points are 1 %',
    },
    {
      displayName: 'Band at Least (Spreads)',
      name: 'bandMinSpreads',
      type: 'number',
      ...range(0, 1000),
      default: SIGNAL_DEFAULTS.bandMinSpreads,
      displayOptions: { show: { ...show, measure: ['band'] } },
      description: 'The band is never narrower than this many times the spread',
    },
  ];
}

/** @param show where in the node's fields it means something; so below */
export const matchLevelsOption = (show: IDisplayOptions['show'] = {}): INodeProperties => ({
  displayName: 'Match Levels',
  name: 'matchLevels',
  type: 'boolean',
  default: false,
  displayOptions: { show, hide: { '/measure': ['band', 'queue'] } },
  description:
    'Whether to compare as many levels as both sides have where one has fewer, instead of giving no signal',
});

export const testSignalOption = (show: IDisplayOptions['show'] = {}): INodeProperties => ({
  displayName: 'Test Run Signal',
  name: 'testSignal',
  type: 'options',
  options: [
    { name: 'As It Is', value: 'asIs', description: 'What the order book gives at this moment' },
    { name: 'Buying', value: 'BUYING' },
    { name: 'Neutral', value: 'NEUTRAL' },
    { name: 'No Signal', value: 'none' },
    { name: 'Selling', value: 'SELLING' },
  ],
  default: 'asIs',
  displayOptions: { show },
  description:
    'The signal that a test run in the editor pretends, so that every branch can be built and tried. A published workflow ignores it.',
});

export const costAmountOption = (show: IDisplayOptions['show'] = {}): INodeProperties => ({
  displayName: 'Cost of an Amount',
  name: 'costAmount',
  type: 'number',
  typeOptions: { minValue: 0 },
  default: 0,
  displayOptions: { show },
  description:
    'Amount in the quote currency (USD on COIN-M). Items then say what selling or buying that much into the book would cost against the mid price. 0 = off.',
});

export function alertsFields(show: IDisplayOptions['show'], defaults: GateDefaults): INodeProperties[] {
  return [calmNotice(show, defaults), alertsField(show, defaults)];
}

/** How the threshold is chosen. */
const thresholdByFields: readonly INodeProperties[] = [
  {
    displayName: 'Threshold By',
    name: 'thresholdBy',
    type: 'options',
    options: [
      { name: 'Percentage', value: 'percentage', description: 'What the field Threshold (%) says' },
      {
        name: 'Percentile',
        value: 'percentile',
        description: 'What the symbol’s own imbalance rarely exceeds, by its last 24 hours',
      },
      {
        name: 'Budget',
        value: 'budget',
        description: 'The one that would have given so many alerts in the last 24 hours',
      },
    ],
    default: 'percentage',
    hint: `Budget: ${THRESHOLD_DEFAULTS.alertsPerDay} alerts a day, percentile: ${THRESHOLD_DEFAULTS.percentile}, unless added below. Both: Threshold (%) holds until 12 hours are known.`,
    description:
      'Where the threshold comes from. Items say what is in force. The past is what this node saw: in Order Flow Imbalance its own checks.',
  },
  {
    displayName: 'Alerts a Day',
    name: 'alertsPerDay',
    type: 'number',
    ...range(0.1, 1000, THRESHOLD_DEFAULTS.alertsPerDay),
    default: THRESHOLD_DEFAULTS.alertsPerDay,
    displayOptions: { show: { thresholdBy: ['budget'] } },
    description:
      'About how many alerts a day, for each symbol. Ends of alerts, repeats and No Signal are not counted.',
  },
  {
    displayName: 'Percentile',
    name: 'percentile',
    type: 'number',
    ...range(50, 99.99, THRESHOLD_DEFAULTS.percentile),
    default: THRESHOLD_DEFAULTS.percentile,
    displayOptions: { show: { thresholdBy: ['percentile'] } },
    description:
      'Percent of the last 24 hours in which the smoothed imbalance, whichever its side, stayed within the threshold',
  },
];

/** n8n fills in no expression here: the defaults, beside the settings that are made, are the values in effect. */
function calmNotice(show: IDisplayOptions['show'], defaults: GateDefaults): INodeProperties {
  return {
    displayName: `In effect, unless set otherwise below: pressure ${calmText(defaults)}.`,
    name: 'calmNotice',
    type: 'notice',
    default: '',
    displayOptions: { show },
  };
}

function alertsField(show: IDisplayOptions['show'], defaults: GateDefaults): INodeProperties {
  return {
    displayName: 'Calm Alerts',
    name: 'alerts',
    type: 'collection',
    placeholder: 'Add setting',
    default: {},
    displayOptions: { show },
    description: 'When a change is reported. What is not set here has its default.',
    // eslint-disable-next-line n8n-nodes-base/node-param-collection-type-unsorted-items -- in the order in which an alert passes them
    options: [
      ...thresholdByFields,
      {
        displayName: 'Smoothing Half-Life (Seconds)',
        name: 'smoothingHalfLife',
        type: 'number',
        ...range(0, 86400, defaults.smoothingHalfLifeSeconds),
        default: defaults.smoothingHalfLifeSeconds,
        description:
          'The value that is judged is an exponential mean over time: after this many seconds a value counts half. 0 = no smoothing.',
      },
      {
        displayName: 'Pending Period (Seconds)',
        name: 'pendingPeriod',
        type: 'number',
        ...range(0, 86400, defaults.pendingSeconds),
        default: defaults.pendingSeconds,
        description: 'Seconds that the threshold must be exceeded, without a break, before an alert',
      },
      {
        displayName: 'Consecutive Updates',
        name: 'consecutiveUpdates',
        type: 'number',
        ...range(1, 10000, defaults.consecutiveUpdates),
        default: defaults.consecutiveUpdates,
        description: 'Updates in a row that must also exceed the threshold (in Order Flow Imbalance: checks)',
      },
      {
        displayName: 'Recovery Threshold (%)',
        name: 'recoveryThreshold',
        type: 'number',
        ...range(0, 99.9, 'half of the threshold'),
        default: 5,
        description:
          'At or below this an alert begins to end. Half of the threshold unless set; never above it. With a percentile or a budget it keeps its share of Threshold (%).',
      },
      {
        displayName: 'Keep Firing For (Seconds)',
        name: 'keepFiringFor',
        type: 'number',
        ...range(0, 86400, defaults.keepFiringSeconds),
        default: defaults.keepFiringSeconds,
        description:
          'Seconds that the value must stay at or below the recovery threshold before the alert ends',
      },
      {
        displayName: 'Cooldown (Seconds)',
        name: 'cooldown',
        type: 'number',
        ...range(0, 86400, defaults.cooldownSeconds),
        default: defaults.cooldownSeconds,
        description:
          'No second alert within this many seconds, in either direction. With Redis this also holds after a restart or an edit.',
      },
      {
        displayName: 'Repeat Every (Seconds)',
        name: 'repeatEvery',
        type: 'number',
        ...range(0, 86400, defaults.repeatEverySeconds),
        default: defaults.repeatEverySeconds,
        description:
          'Report an alert again at this interval while it lasts, at least as long as the cooldown. 0 = off.',
      },
      {
        displayName: 'No Signal After (Seconds)',
        name: 'noSignalAfter',
        type: 'number',
        ...range(0, 86400, defaults.noSignalAfterSeconds),
        default: defaults.noSignalAfterSeconds,
        description:
          'Seconds without a signal (the feed is down, the book is short of levels) before that is reported. Empty: never.',
      },
    ],
  };
}
