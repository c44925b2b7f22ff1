import { ERROR_CATALOGUE, type ErrorCode } from '../runtime/errorCatalogue';
import { type OrderFlowError } from '../runtime/errors';
import { wallMs } from '../runtime/time';
import type { FeedState } from './feedTypes';

/** The visible state of a symbol: what it is, since when and why. */
export class SymbolState {
  state: FeedState = 'connecting';
  sinceMs = wallMs();
  reason: string | null = null;
  errorCode: ErrorCode | null = null;
  terminal = false;

  constructor(private readonly onChange: () => void) {}

  /** The same state with the same reason again is no change. */
  become(state: FeedState, error: OrderFlowError | null = null, terminal = false): void {
    const code = error?.code ?? null;
    const same = state === this.state && code === this.errorCode && terminal === this.terminal;
    this.reason = error === null ? null : sentence(error);
    // Details of a repeated failure vary (ports, seconds): there for whoever looks, but no news.
    if (same) return;
    if (state !== this.state) this.sinceMs = wallMs();
    this.state = state;
    this.errorCode = code;
    this.terminal = terminal;
    this.onChange();
  }
}

/** What happened and what to do, for a person. */
function sentence(error: OrderFlowError): string {
  return `${error.message}. ${ERROR_CATALOGUE[error.code].remedy}`;
}
