import type { Chart } from '../charts/types';
import type { NodeOwner } from '../store/keys';
import type { OrderFlowError } from '../runtime/errors';
import type { ExecutionEnd } from './outbox';

/** An item on its way out. Output 0 carries books and signals, output 1 the feed's status. */
export interface OutgoingItem {
  readonly output: 0 | 1;
  readonly json: object;
  /** What the host has made of a chart. */
  readonly picture?: unknown;
  readonly fate?: ItemFate;
}

/** What becomes of an item that somebody keeps until then. */
export interface ItemFate {
  /** n8n was given it, or it was given up. */
  readonly onGone: () => void;
  /** n8n was given it and refused: it waits again. */
  readonly onTakenBack: () => void;
}

/** What a trigger session needs of n8n, so that it can be read and tested without it. */
export interface SessionHost {
  /** Whose alerts the session keeps in the store. */
  readonly owner: NodeOwner;
  /** Of the workflow, for what ends with the day; UTC unless given. */
  readonly timeZone?: string;
  /** Starts one execution with these items; resolves when it has ended, and never rejects. */
  startExecution(items: readonly OutgoingItem[]): Promise<ExecutionEnd>;
  /**
   * A chart as the host gives it to the workflow; missing where it gives none.
   * @param isWanted whether anybody still waits for it
   * @throws OrderFlowError OF_CHART
   */
  picture?(chart: Chart, isWanted: () => boolean): Promise<unknown>;
  /** Records one failed execution, which starts the user's error workflow. The trigger stays up. */
  recordFailure(error: OrderFlowError): void;
  log(level: 'info' | 'warn' | 'error', message: string): void;
}
