import type { SymbolStatus } from '../binance/feedTypes';
import { OrderFlowError } from '../runtime/errors';
import type { SessionHost } from './host';

/** Tells the user once of each thing that no retry mends; a feed that recovers in between may be reported again. */
export class FailureReports {
  private readonly reported = new Map<string, string>();

  constructor(private readonly host: SessionHost) {}

  onStatus(status: SymbolStatus): void {
    if (status.state === 'live') this.reported.delete(status.symbol);
    if (
      !status.terminal ||
      status.errorCode === null ||
      this.reported.get(status.symbol) === status.errorCode
    )
      return;
    this.reported.set(status.symbol, status.errorCode);
    this.host.recordFailure(
      new OrderFlowError(status.errorCode, `${status.market} ${status.symbol}`, { subject: status.symbol }),
    );
  }

  onError(error: OrderFlowError): void {
    if (this.reported.get('') === error.code) return;
    this.reported.set('', error.code);
    this.host.recordFailure(error);
  }
}
