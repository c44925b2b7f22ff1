import type { IDataObject, IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { answerOf, type DataItem, type DataQuery, lookOf, readDataQuery } from '../check/dataQuery';
import { toOrderFlowError } from '../runtime/errors';
import { readStoreKind } from '../settings/fieldReaders';
import { FILE_FIELD, pictureOf } from './chartPicture';
import { showHints } from './hints';
import { calledAsTool, failedItem, goesOn, toNodeError } from './nodeErrors';
import { openNodeStore } from './nodeStore';
import { parameterReader } from './parameters';

/** The Order Flow Data node: what triggers and checks have left in the store. */
export async function runDataNode(
  this: IExecuteFunctions,
  fields: readonly INodeProperties[],
): Promise<INodeExecutionData[][]> {
  const items: INodeExecutionData[] = [];
  const hints = new Set<string>();
  for (let itemIndex = 0; itemIndex < this.getInputData().length; itemIndex++) {
    const pairedItem = { item: itemIndex };
    try {
      const read = parameterReader(this.getNode(), fields, (name, fallback) =>
        this.getNodeParameter(name, itemIndex, fallback),
      );
      const query = readDataQuery(read, this.getTimezone());
      const store = await openNodeStore(this, readStoreKind(read('store')), { shared: true });
      try {
        const answer = await answerOf(store, query, calledAsTool(this));
        for (const note of answer.notes) hints.add(note);
        for (const item of answer.items) items.push({ ...(await toItem(this, item, query)), pairedItem });
      } finally {
        await store.close();
      }
    } catch (error) {
      const known = toOrderFlowError(error);
      if (!goesOn(this)) throw toNodeError(this.getNode(), known, { itemIndex });
      items.push(failedItem(this, itemIndex, known));
    }
  }
  showHints(this, [...hints]);
  return [items];
}

/** A model reads numbers and a sentence: it gets no picture, and none is drawn for it. */
async function toItem(
  context: IExecuteFunctions,
  { json, chart = null, file }: DataItem,
  query: DataQuery,
): Promise<INodeExecutionData> {
  const item = { json: json as IDataObject };
  if (file !== undefined) {
    const data = await context.helpers.prepareBinaryData(Buffer.from(file.text), file.name, file.mimeType);
    return { ...item, binary: { [FILE_FIELD]: data } };
  }
  const look = lookOf(query);
  if (chart === null || look === null || calledAsTool(context)) return item;
  return { ...item, binary: { [FILE_FIELD]: await pictureOf(context, chart, look) } };
}
