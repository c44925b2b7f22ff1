import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { readFeedStatusSettings, readFeedStatuses } from '../check/feedStatus';
import { toOrderFlowError } from '../runtime/errors';
import { toNodeError } from './nodeErrors';
import { parameterReader } from './parameters';
import { openNodeStore } from './nodeStore';
import { readStoreKind } from '../settings/fieldReaders';

/** The Order Flow Data node. One operation so far: the feed's status as it stands in the store. */
export async function runDataNode(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
  const items: INodeExecutionData[] = [];
  const input = this.getInputData();
  for (let itemIndex = 0; itemIndex < input.length; itemIndex++) {
    try {
      const read = parameterReader((name, fallback) => this.getNodeParameter(name, itemIndex, fallback));
      const settings = readFeedStatusSettings(read);
      const kind = readStoreKind(read('store'));
      const store = await openNodeStore(this, kind, { shared: true });
      try {
        const statuses = await readFeedStatuses(store, settings);
        items.push(
          ...statuses.map((json) => ({
            json: json as unknown as IDataObject,
            pairedItem: { item: itemIndex },
          })),
        );
      } finally {
        await store.close();
      }
    } catch (error) {
      const known = toOrderFlowError(error);
      if (!this.continueOnFail()) throw toNodeError(this.getNode(), known, { itemIndex });
      const json = {
        error: known.message,
        errorCode: known.code,
        message: `${known.message}. ${known.remedy}`,
      };
      items.push({ json, pairedItem: { item: itemIndex } });
    }
  }
  return [items];
}
