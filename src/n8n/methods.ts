import type {
  ICredentialDataDecryptedObject,
  ICredentialsDecrypted,
  ICredentialTestFunctions,
  ILoadOptionsFunctions,
  INodeCredentialTestResult,
  INodeListSearchItems,
  INodeListSearchResult,
  INodePropertyOptions,
} from 'n8n-workflow';
import { isTrading, type ListedSymbol, similarSymbol } from '../feed/listing';
import { DEFAULT_MARKET } from '../feed/markets';
import { testRedisCredential } from '../store/redis/credentialTest';
import { toNodeError } from './nodeErrors';
import { venueOf } from './venues';
import { asCollection, optionalBaseUrl, readMarket } from '../settings/fieldReaders';

/** Symbols shown at once in the picker; the rest is found by typing. */
const PAGE = 100;

/** What the editor asks of every node of this package. */
export const orderFlowMethods = {
  credentialTest: {
    async orderFlowRedisApiTest(
      this: ICredentialTestFunctions,
      credential: ICredentialsDecrypted<ICredentialDataDecryptedObject>,
    ): Promise<INodeCredentialTestResult> {
      return await testRedisCredential(credential.data);
    },
  },
  listSearch: {
    /** The symbols of the chosen market or base URL, most active first; what does not trade comes last, with its state. */
    async searchSymbols(
      this: ILoadOptionsFunctions,
      filter = '',
      from = '0',
    ): Promise<INodeListSearchResult> {
      try {
        const wanted = filter.toUpperCase().replace(/[\s/:-]/g, '');
        const listed = await listSymbols(this);
        const found = listed.filter(({ symbol }) => symbol.includes(wanted));
        if (found.length === 0) return { results: meantBy(wanted, listed) };
        const start = Number(from);
        const results = found.slice(start, start + PAGE).map(asChoice);
        return found.length > start + PAGE ? { results, paginationToken: String(start + PAGE) } : { results };
      } catch (error) {
        throw toNodeError(this.getNode(), error, { remedyInMessage: true });
      }
    },
  },
  loadOptions: {
    /** The symbols that trade, most active first: what several are picked from. */
    async loadSymbols(this: ILoadOptionsFunctions): Promise<INodePropertyOptions[]> {
      try {
        return (await listSymbols(this)).filter(isTrading).map(asChoice);
      } catch (error) {
        throw toNodeError(this.getNode(), error, { remedyInMessage: true });
      }
    },
  },
};

/** Of the chosen market or base URL. */
async function listSymbols(context: ILoadOptionsFunctions): Promise<ListedSymbol[]> {
  const market = readMarket(pickedMarket(context.getCurrentNodeParameter('market')));
  const options = asCollection(context.getCurrentNodeParameter('options'));
  const restBaseUrl = optionalBaseUrl(options.restBaseUrl, 'rest', 'REST Base URL');
  return await venueOf(market).listSymbols({ market, restBaseUrl });
}

/** What a search without a result most likely means. */
function meantBy(wanted: string, listed: readonly ListedSymbol[]): INodeListSearchItems[] {
  const similar = similarSymbol(wanted, listed);
  return similar === null ? [] : [{ name: `${similar} (did you mean this?)`, value: similar }];
}

/** Without an item at hand an expression gives nothing, or its own text: then the market of most users. */
function pickedMarket(value: unknown): unknown {
  return value === undefined || value === null || (typeof value === 'string' && value.startsWith('='))
    ? DEFAULT_MARKET
    : value;
}

function asChoice(entry: ListedSymbol): INodeListSearchItems {
  const { symbol, status } = entry;
  return isTrading(entry)
    ? { name: symbol, value: symbol }
    : { name: `${symbol} (does not trade: ${status})`, value: symbol };
}
