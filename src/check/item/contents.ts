import { itemInvalid } from './invalid';

type Item = Readonly<Record<string, unknown>>;

/**
 * The two lists of levels of an incoming item.
 * @throws OrderFlowError OF_ITEM_INVALID that says what the item is instead of a book
 */
export function sidesOfItem(item: Item): {
  readonly bids: readonly unknown[];
  readonly asks: readonly unknown[];
} {
  if (isDepthEvent(item)) throw itemInvalid(DEPTH_EVENT);
  const { bids, asks } = item;
  if (Array.isArray(bids) && Array.isArray(asks)) return { bids, asks };
  throw itemInvalid(whatElse(item));
}

const DEPTH_EVENT =
  'it is a depth event, which lists changes and not a whole book (a partial book of a futures stream looks the same). Use the items of the trigger, the snapshot store or a reply of the exchange’s depth request';

function isDepthEvent({ e, U, u, b, a }: Item): boolean {
  return e === 'depthUpdate' || (U !== undefined && u !== undefined && Array.isArray(b) && Array.isArray(a));
}

/** What the item is instead of a book; the first that fits. */
function whatElse(item: Item): string {
  for (const side of ['bids', 'asks']) {
    const value = item[side];
    if (typeof value === 'string')
      return `"${side}" is text and not a list. Turn JSON text into a list first, for example with {{ JSON.parse($json.${side}) }}`;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return `"${side}" is an object and not a list of [price, quantity]`;
  }
  const [has, lacks] = Array.isArray(item.bids) ? ['bids', 'asks'] : ['asks', 'bids'];
  if (Array.isArray(item[has])) return `it has "${has}" and no "${lacks}", which is half a book`;
  return insideField(item) ?? known(item);
}

/** A book that lies in a field of the item. */
function insideField(item: Item): string | null {
  for (const [field, value] of Object.entries(item)) {
    if (typeof value === 'string' && /^\s*[[{]/.test(value) && /"(bids|asks|b|a)"/.test(value))
      return `the field "${field}" holds JSON text. Turn it into an item first, for example with {{ JSON.parse($json.${field}) }}`;
    if (typeof value !== 'object' || value === null) continue;
    const inner = value as Item;
    if (isDepthEvent(inner)) return DEPTH_EVENT;
    if (Array.isArray(inner.bids) && Array.isArray(inner.asks))
      return `the book is in the field "${field}". Send what is in it as the item`;
  }
  return null;
}

function known(item: Item): string {
  if ('bestBid' in item && 'bestAsk' in item)
    return 'it has prices and no levels. Switch on Include Levels in the node that it comes from';
  if ('state' in item && 'resyncs' in item && 'reason' in item)
    return 'it is the status of a feed. Connect the first output of the trigger, which has the books';
  return Object.keys(item).length === 0 ? 'it is empty' : 'it has neither "bids" nor "asks"';
}
