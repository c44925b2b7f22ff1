import type { IDisplayOptions, INodeProperties } from 'n8n-workflow';
import { MARKETS } from '../../src/feed/markets';
import { DEFAULT_RULE } from '../../src/feed/symbolRule';
import { MAX_SYMBOLS } from '../../src/feed/symbols';
import { range } from './range';

type Conditions = NonNullable<IDisplayOptions['show']>;

/** Where a node shows the rule. */
interface RulePlace {
  /** With these values of other fields there are no symbols to choose. */
  readonly hide?: Conditions;
  /** Only with these is the market itself chosen from. */
  readonly ofMarket?: Conditions;
  readonly description?: string;
}

const BY_RULE = { symbolsBy: ['rule'] };
const marketsOf = (contracts: string): string[] =>
  Object.values(MARKETS).flatMap((market) => (market.contracts === contracts ? [market.id] : []));

/** How symbols are chosen, and the rule where they are not named. */
export const ruleFields = ({ hide = {}, ofMarket = {}, description }: RulePlace = {}): INodeProperties[] => [
  {
    displayName: 'Choose Symbols',
    name: 'symbolsBy',
    type: 'options',
    options: [
      { name: 'By Name', value: 'list', description: 'The symbols that you name' },
      {
        name: 'By Rule',
        value: 'rule',
        description: description ?? 'The symbols with the highest 24-hour volume, looked at again every hour',
      },
    ],
    default: 'list',
    displayOptions: { hide },
    description: 'Whether you name the symbols, or those of the market that trade the most are taken',
    builderHint: {
      propertyHint:
        'rule for “all USDT pairs” or “the most active ones”; then ruleQuoteAsset, ruleCount and ruleExcept hold and symbols does not.',
    },
  },
  {
    displayName: 'Quote Asset',
    name: 'ruleQuoteAsset',
    type: 'string',
    default: DEFAULT_RULE.quoteAsset,
    placeholder: 'e.g. USDT, USDC',
    displayOptions: { show: { ...BY_RULE, ...ofMarket }, hide: { market: marketsOf('inverse') } },
    description: 'What symbols are priced in: one asset, or several separated by commas. Empty for any.',
  },
  {
    displayName: 'Contract Type',
    name: 'ruleContractType',
    type: 'options',
    options: [
      { name: 'Any', value: 'any' },
      { name: 'Perpetual', value: 'perpetual' },
      { name: 'Perpetual on Stocks and Commodities', value: 'stocks' },
      { name: 'With a Delivery Date', value: 'dated' },
    ],
    default: 'perpetual',
    displayOptions: {
      show: { ...BY_RULE, ...ofMarket, market: [...marketsOf('linear'), ...marketsOf('inverse')] },
    },
    description: 'On futures: which contracts are taken',
  },
  {
    displayName: 'Highest by 24-Hour Volume',
    name: 'ruleCount',
    type: 'number',
    ...range(1, MAX_SYMBOLS),
    default: DEFAULT_RULE.count,
    displayOptions: { show: { ...BY_RULE, ...ofMarket } },
    description:
      'How many symbols: those that trade the most. One near the last place enters or leaves only when it has passed it by a tenth of this number, so that the list holds still.',
  },
  {
    displayName: 'Except',
    name: 'ruleExcept',
    type: 'string',
    default: '',
    placeholder: 'e.g. USDC, FDUSD, BTCUSDT',
    displayOptions: { show: BY_RULE, hide },
    description: 'Symbols, or base assets with all their symbols, that are never taken; separated by commas',
  },
];

/** A field that names symbols, where none are taken by rule. */
export const unlessByRule = (field: INodeProperties): INodeProperties => ({
  ...field,
  displayOptions: { ...field.displayOptions, hide: { ...field.displayOptions?.hide, ...BY_RULE } },
});
