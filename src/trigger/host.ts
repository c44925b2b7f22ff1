import type { OrderFlowError } from '../runtime/errors';

/** An item on its way out. Output 0 carries books and signals, output 1 the feed's status. */
export interface OutgoingItem {
  readonly output: 0 | 1;
  readonly json: object;
}

/** What a trigger session needs of n8n, so that it can be read and tested without it. */
export interface SessionHost {
  /** Starts one execution with these items; settles when it has ended. */
  startExecution(items: readonly OutgoingItem[]): Promise<unknown>;
  /** Records one failed execution, so that the user's error workflow hears of it. The trigger stays up. */
  recordFailure(error: OrderFlowError): void;
  log(level: 'info' | 'warn' | 'error', message: string): void;
}
