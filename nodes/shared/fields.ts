import type { INodeProperties } from 'n8n-workflow';
import { range } from './range';
import { DEFAULT_MARKET, MARKETS } from '../../src/feed/markets';

/** Fields that more than one node shows, so that they read the same everywhere. */

export const marketField: INodeProperties = {
  displayName: 'Market',
  name: 'market',
  type: 'options',
  options: Object.values(MARKETS).map(({ id, name }) => ({ name, value: id })),
  default: DEFAULT_MARKET,
  description: 'The Binance market the symbols are traded on',
};

export const symbolsField: INodeProperties = {
  displayName: 'Symbols',
  name: 'symbols',
  type: 'resourceLocator',
  default: { mode: 'name', value: 'BTCUSDT' },
  required: true,
  description: 'One symbol, or several separated by commas. An expression may also give a list.',
  builderHint: {
    propertyHint:
      'Symbols as Binance writes them, several separated by commas: { __rl: true, mode: "name", value: "BTCUSDT, ETHUSDT" }. Perpetual contracts: BTCUSDT with market usdm, BTCUSD_PERP with market coinm.',
  },
  modes: [
    {
      // Not "By Name", for which n8n's selector is too narrow.
      displayName: 'Name',
      name: 'name',
      type: 'string',
      placeholder: 'e.g. BTCUSDT, ETHUSDT',
      hint: 'Separate several symbols by commas',
    },
    {
      displayName: 'From List',
      name: 'list',
      type: 'list',
      typeOptions: {
        searchListMethod: 'searchSymbols',
        searchable: true,
        searchFilterRequired: false,
        // The exchange's list is public: only the store needs a credential.
        skipCredentialsCheckInRLC: true,
      },
    },
  ],
};

/** Beside the first symbol of a list, which n8n lets pick one at a time. */
export const moreSymbolsField: INodeProperties = {
  // A symbol has no ID beside its name.
  // eslint-disable-next-line n8n-nodes-base/node-param-display-name-wrong-for-dynamic-multi-options
  displayName: 'More Symbols',
  name: 'moreSymbols',
  type: 'multiOptions',
  typeOptions: { loadOptionsMethod: 'loadSymbols', loadOptionsDependsOn: ['market', 'options.restBaseUrl'] },
  default: [],
  // By the rule on `symbols` n8n works that field out first.
  displayOptions: { show: { '/symbols.mode': ['list'] }, hide: { symbols: [''] } },
  // eslint-disable-next-line n8n-nodes-base/node-param-description-wrong-for-dynamic-multi-options
  description: 'All that are to be watched besides; what trades, the most active first',
};

export const levelsField: INodeProperties = {
  displayName: 'Levels',
  name: 'levels',
  type: 'number',
  ...range(1, 5000),
  default: 20,
  description: 'Price levels on each side, best first',
};

export const thresholdField: INodeProperties = {
  displayName: 'Threshold (%)',
  name: 'threshold',
  type: 'number',
  ...range(0, 99.9),
  default: 10,
  description:
    'A signal when the larger side exceeds the smaller by more than this many percent of the larger. Thresholds do not carry over from symbol to symbol.',
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
