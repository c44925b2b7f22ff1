import type { INodeProperties } from 'n8n-workflow';
import { keyPrefixOption, marketField, storeField, symbolsField } from '../shared/fields';

export const dataFields: INodeProperties[] = [
  {
    displayName: 'Operation',
    name: 'operation',
    type: 'options',
    noDataExpression: true,
    options: [
      {
        name: 'Feed Status',
        value: 'feedStatus',
        action: 'Get the feed status',
        description: 'Whether each symbol’s order book is live, since when, and why not',
      },
    ],
    default: 'feedStatus',
  },
  storeField,
  marketField,
  symbolsField,
  {
    displayName: 'Options',
    name: 'options',
    type: 'collection',
    placeholder: 'Add option',
    default: {},
    options: [
      keyPrefixOption,
      {
        displayName: 'Maximum Age (Seconds)',
        name: 'maxAge',
        type: 'number',
        typeOptions: { minValue: 1, maxValue: 86400 },
        default: 15,
        description:
          'A feed that has not been heard of for longer than this counts as stopped. Feeds report every few seconds.',
      },
    ],
  },
];
