import type { ErrorCode } from '../runtime/errorCatalogue';
import { explained, type OrderFlowError } from '../runtime/errors';
import type { SessionHost } from './host';
import { Troubles } from './troubles';

/** Trouble that the history alone has. What else may be wrong with a store, the writers of the records report. */
const ITS_OWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'OF_REDIS_PERMISSION',
  'OF_REDIS_COMMAND',
  'OF_REDIS_WRONG_TYPE',
  'OF_RECORD_INVALID',
  'OF_RECORD_VERSION',
]);

/** Says once in n8n's log that histories are not kept, and once that they are again: everything else goes on without them. */
export class HistoryLog {
  private readonly troubles = new Troubles();

  constructor(private readonly write: SessionHost['log']) {}

  /** The symbol is not watched any more. */
  forget(symbol: string): void {
    this.troubles.end(symbol);
  }

  on(symbol: string, error: OrderFlowError | null): void {
    if (error === null || !ITS_OWN.has(error.code)) {
      if (this.troubles.end(symbol) && error === null) this.write('info', 'The history is kept again.');
      return;
    }
    if (this.troubles.begin(symbol, error.code))
      this.write('warn', `The history of ${symbol} is not kept; all else goes on. ${explained(error)}`);
  }
}
