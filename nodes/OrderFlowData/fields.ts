import type { INodeProperties } from 'n8n-workflow';
import { CHART_WIDTH } from '../../src/charts/types';
import { range } from '../shared/range';
import {
  includeLevelsOption,
  levelsField,
  marketField,
  moreSymbolsField,
  symbolsField,
} from '../shared/fields';
import { credentialPlace, keyPrefixOption, storeField } from '../shared/store';

const resourceField: INodeProperties = {
  displayName: 'Resource',
  name: 'resource',
  type: 'options',
  noDataExpression: true,
  options: [
    {
      name: 'Book',
      value: 'book',
      description: 'The newest order book of a symbol, as a trigger keeps it',
    },
    {
      name: 'Feed',
      value: 'feed',
      description: 'The live stream that keeps a symbol’s order book',
    },
    {
      name: 'History',
      value: 'history',
      description: 'What a symbol’s prices, imbalance and signal were over the last hours',
    },
    {
      name: 'Overview',
      value: 'overview',
      description: 'All that is kept under one key prefix; no symbol has to be named',
    },
  ],
  default: 'feed',
};

/** n8n shows one of these fields, by the resource. */
const operationFields: INodeProperties[] = [
  {
    displayName: 'Operation',
    name: 'operation',
    type: 'options',
    noDataExpression: true,
    displayOptions: { show: { resource: ['feed'] } },
    options: [
      {
        name: 'Get Status',
        value: 'feedStatus',
        action: 'Get the status of a feed',
        description: 'Whether each symbol’s order book is live, since when, and why not',
      },
    ],
    default: 'feedStatus',
  },
  {
    displayName: 'Operation',
    name: 'operation',
    type: 'options',
    noDataExpression: true,
    displayOptions: { show: { resource: ['book'] } },
    options: [
      {
        name: 'Get Chart',
        value: 'bookChart',
        action: 'Get a chart of an order book',
        description:
          'A picture of each symbol’s depth around the mid, as the file `data`, to be shown in n8n or attached to a message',
      },
      {
        name: 'Get Snapshot',
        value: 'snapshot',
        action: 'Get the snapshot of an order book',
        description: 'The best prices and levels of each symbol, with their age',
      },
    ],
    default: 'snapshot',
  },
  {
    displayName: 'Operation',
    name: 'operation',
    type: 'options',
    noDataExpression: true,
    displayOptions: { show: { resource: ['history'] } },
    options: [
      {
        name: 'Get Chart',
        value: 'historyChart',
        action: 'Get a chart of the history of a symbol',
        description:
          'A picture of each symbol’s price and imbalance with its alerts, as the file `data`, to be shown in n8n or attached to a message',
      },
      {
        name: 'Get History',
        value: 'history',
        action: 'Get the history of a symbol',
        description:
          'Samples that a trigger keeps: mid, spread, imbalance, signal, alerts, gaps; as items, in sum or as a file',
      },
    ],
    default: 'history',
  },
  {
    displayName: 'Operation',
    name: 'operation',
    type: 'options',
    noDataExpression: true,
    displayOptions: { show: { resource: ['overview'] } },
    options: [
      {
        name: 'Get Overview',
        value: 'overview',
        action: 'Get an overview of all feeds',
        description: 'Every feed under the key prefix, with its state and the last signal of its symbol',
      },
    ],
    default: 'overview',
  },
];

const ofCharts = { show: { '/operation': ['bookChart', 'historyChart'] } };
const ofSymbols = { show: { resource: ['feed', 'book', 'history'] } };
const ofHistory = { show: { resource: ['history'] } };
const ofSamples = { show: { operation: ['history'] } };

const historyFields: INodeProperties[] = [
  {
    displayName: 'From',
    name: 'from',
    type: 'dateTime',
    default: '',
    displayOptions: ofHistory,
    hint: 'Empty: 24 hours before To',
    description:
      'The first moment, in the workflow’s time zone unless it names one. Empty: 24 hours before To, in a chart the first sample since then.',
  },
  {
    displayName: 'To',
    name: 'to',
    type: 'dateTime',
    default: '',
    displayOptions: ofHistory,
    hint: 'Empty: now',
    description: 'The last moment. Empty: now.',
  },
  {
    displayName: 'Return',
    name: 'shape',
    type: 'options',
    options: [
      {
        name: 'A CSV File',
        value: 'csv',
        description: 'One item with the text, and the same as the file `data`',
      },
      { name: 'A Summary', value: 'summary', description: 'One item for each symbol, with counts and means' },
      { name: 'Samples', value: 'samples', description: 'One item for each sample' },
    ],
    default: 'samples',
    displayOptions: ofSamples,
    description: 'What leaves this node',
  },
  {
    displayName: 'Step (Seconds)',
    name: 'step',
    type: 'number',
    ...range(0, 86400),
    hint: '0 to 86,400; 0: every sample',
    default: 300,
    displayOptions: { ...ofSamples, hide: { shape: ['summary'] } },
    description:
      'One sample for each such stretch of time, its last; alerts, resyncs and gaps of all of it are counted. 0 = every sample.',
  },
];

export const dataFields: INodeProperties[] = [
  resourceField,
  ...operationFields,
  { ...marketField, displayOptions: ofSymbols },
  { ...symbolsField, displayOptions: ofSymbols },
  moreSymbolsField,
  ...historyFields,
  { ...levelsField, displayOptions: { show: { resource: ['book'] } } },
  storeField,
  credentialPlace,
  {
    displayName: 'Options',
    name: 'options',
    type: 'collection',
    placeholder: 'Add option',
    default: {},
    options: [
      {
        displayName: 'Format',
        name: 'format',
        type: 'options',
        options: [
          { name: 'PNG', value: 'png', description: 'What messengers and email show' },
          { name: 'SVG', value: 'svg', description: 'Sharp at any size, for web pages' },
        ],
        default: 'png',
        displayOptions: ofCharts,
        description: 'The kind of picture',
      },
      { ...includeLevelsOption(true), displayOptions: { show: { '/operation': ['snapshot'] } } },
      keyPrefixOption,
      {
        displayName: 'Maximum Age (Seconds)',
        name: 'maxAge',
        type: 'number',
        ...range(1, 86400),
        default: 15,
        displayOptions: { show: { '/resource': ['feed', 'overview'] } },
        description:
          'A feed that has not reported for longer than this counts as silent. Feeds report every few seconds.',
      },
      {
        displayName: 'Maximum Age (Seconds)',
        name: 'maxAge',
        type: 'number',
        ...range(0, 86400),
        default: 5,
        displayOptions: { show: { '/resource': ['book'] } },
        description:
          'A book that its feed has not known to be live for longer than this is reported as stale, without its prices. 0 = any age.',
      },
      {
        displayName: 'Maximum Samples',
        name: 'maxSamples',
        type: 'number',
        ...range(1, 100000),
        default: 2000,
        displayOptions: { show: { '/operation': ['history'] }, hide: { '/shape': ['summary'] } },
        description: 'Of more samples of a symbol the newest are given, and a hint says so',
      },
      {
        displayName: 'Theme',
        name: 'theme',
        type: 'options',
        options: [
          { name: 'Dark', value: 'dark' },
          { name: 'Light', value: 'light' },
        ],
        default: 'light',
        displayOptions: ofCharts,
        description: 'The colours of the picture',
      },
      {
        displayName: 'Width (Pixels)',
        name: 'width',
        type: 'number',
        ...range(CHART_WIDTH.min, CHART_WIDTH.max),
        default: CHART_WIDTH.default,
        displayOptions: ofCharts,
        description: 'The width of the picture. Its height follows, and everything in it keeps its place.',
      },
    ],
  },
];
