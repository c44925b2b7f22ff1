import type {
  ICredentialDataDecryptedObject,
  ICredentialsDecrypted,
  ICredentialTestFunctions,
  ILoadOptionsFunctions,
  INodeCredentialTestResult,
  INodeListSearchResult,
} from 'n8n-workflow';
import { listSymbols } from '../binance/marketQueries';
import { testRedisCredential } from '../store/credentialTest';
import { toNodeError } from './nodeErrors';
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
    /** The symbols that trade in the chosen market, most active first where the exchange tells. */
    async searchSymbols(
      this: ILoadOptionsFunctions,
      filter = '',
      from = '0',
    ): Promise<INodeListSearchResult> {
      try {
        const market = readMarket(this.getCurrentNodeParameter('market'));
        const options = asCollection(this.getCurrentNodeParameter('options'));
        const restBaseUrl = optionalBaseUrl(options.restBaseUrl, 'rest', 'REST Base URL');
        const wanted = filter.toUpperCase();
        const listed = await listSymbols(market, { restBaseUrl });
        const found = listed.map(({ symbol }) => symbol).filter((symbol) => symbol.includes(wanted));
        const start = Number(from);
        const results = found.slice(start, start + PAGE).map((symbol) => ({ name: symbol, value: symbol }));
        return found.length > start + PAGE ? { results, paginationToken: String(start + PAGE) } : { results };
      } catch (error) {
        throw toNodeError(this.getNode(), error);
      }
    },
  },
};
