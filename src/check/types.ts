import type { OrderFlowError } from '../runtime/errors';
import type { CheckItem } from './checkItem';
import type { CheckSettings } from './settings';

/** One incoming item with what it asks for. */
export interface CheckJob {
  readonly itemIndex: number;
  readonly settings: CheckSettings;
  readonly json: Record<string, unknown>;
}

/** Where an outcome belongs: behind those of the items before, and of the symbols before in the same item. */
export interface Place {
  readonly itemIndex: number;
  /** Among all books that were asked for. */
  readonly position: number;
}

export interface CheckResult extends Place {
  readonly item: CheckItem;
}

export interface CheckFailure extends Place {
  readonly error: OrderFlowError;
}

/** Puts outcomes in the order of the items and their symbols. */
export function byPlace(a: Place, b: Place): number {
  return a.itemIndex - b.itemIndex || a.position - b.position;
}
