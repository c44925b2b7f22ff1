import { OrderFlowError } from '../../runtime/errors';

/** @param detail what is wrong with the item, without a full stop */
export function itemInvalid(detail: string): OrderFlowError {
  return new OrderFlowError('OF_ITEM_INVALID', detail);
}
