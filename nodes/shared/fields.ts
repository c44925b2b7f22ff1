import type { INodeProperties } from 'n8n-workflow';
import { MARKETS } from '../../src/binance/markets';

/** Fields that more than one node shows, so that they read the same everywhere. */

export const marketField: INodeProperties = {
  displayName: 'Market',
  name: 'market',
  type: 'options',
  options: Object.values(MARKETS).map(({ id, name }) => ({ name, value: id })),
  default: 'spot',
  description: 'The Binance market the symbols are traded on',
};

export const symbolsField: INodeProperties = {
  displayName: 'Symbols',
  name: 'symbols',
  type: 'resourceLocator',
  default: { mode: 'name', value: 'BTCUSDT' },
  required: true,
  description: 'One symbol, or several separated by commas. An expression may also give a list.',
  modes: [
    {
      displayName: 'By Name',
      name: 'name',
      type: 'string',
      placeholder: 'e.g. BTCUSDT, ETHUSDT',
      hint: 'Separate several symbols by commas',
    },
    {
      displayName: 'From List',
      name: 'list',
      type: 'list',
      typeOptions: { searchListMethod: 'searchSymbols', searchable: true, searchFilterRequired: false },
    },
  ],
};

export const storeField: INodeProperties = {
  displayName: 'Snapshot Store',
  name: 'store',
  type: 'options',
  options: [
    {
      name: 'Redis',
      value: 'redis',
      description: 'For queue mode, for several n8n instances, and for readers outside n8n',
    },
    {
      name: 'This n8n Process',
      value: 'memory',
      description: 'Nothing to set up. Snapshots are gone when n8n stops; not for queue mode.',
    },
  ],
  default: 'memory',
  description: 'Where the newest order book of each symbol is kept',
};

export const levelsField: INodeProperties = {
  displayName: 'Levels',
  name: 'levels',
  type: 'number',
  typeOptions: { minValue: 1, maxValue: 5000 },
  default: 20,
  description: 'Price levels on each side, best first',
};

export const thresholdField: INodeProperties = {
  displayName: 'Threshold (%)',
  name: 'threshold',
  type: 'number',
  typeOptions: { minValue: 0, maxValue: 99.9 },
  default: 10,
  description:
    'A signal when the larger side exceeds the smaller by more than this many percent of the larger. Thresholds do not carry over from symbol to symbol.',
};

export const keyPrefixOption: INodeProperties = {
  displayName: 'Key Prefix',
  name: 'keyPrefix',
  type: 'string',
  default: 'examples/',
  description:
    'Put before every key in the store, so that several set-ups can share one Redis. Trigger and action need the same.',
};

export const topicPrefixOption: INodeProperties = {
  displayName: 'Topic Prefix',
  name: 'topicPrefix',
  type: 'string',
  default: '',
  description: 'Put before the name of every Redis topic that is published to',
};

export const restBaseUrlOption: INodeProperties = {
  displayName: 'REST Base URL',
  name: 'restBaseUrl',
  type: 'string',
  default: '',
  placeholder: 'e.g. https://data-api.binance.vision',
  description:
    'A mirror, a proxy or a test exchange instead of the market’s own address. Empty for the usual one.',
};

export const webSocketBaseUrlOption: INodeProperties = {
  displayName: 'WebSocket Base URL',
  name: 'webSocketBaseUrl',
  type: 'string',
  default: '',
  placeholder: 'e.g. wss://data-stream.binance.vision',
  description:
    'A mirror, a proxy or a test exchange instead of the market’s own address. Empty for the usual one.',
};

export const includeLevelsOption = (byDefault: boolean): INodeProperties => ({
  displayName: 'Include Levels',
  name: 'includeLevels',
  type: 'boolean',
  default: byDefault,
  description: 'Whether items carry the price levels (bids and asks) themselves',
});
