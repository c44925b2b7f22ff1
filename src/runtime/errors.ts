import { ERROR_CATALOGUE, type ErrorCode } from './errorCatalogue';

export interface ErrorContext {
  /** Symbol, host, field or key that the error is about. Never a secret. */
  readonly subject?: string;
  /** For rate limits and bans: not before this many milliseconds from now. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * An error of this package. `code` is stable, `retryable` says whether the same thing can succeed later,
 * `remedy` is a sentence for the user. The message never holds credentials: callers pass only what may be shown.
 */
export class OrderFlowError extends Error {
  override readonly name = 'OrderFlowError';
  readonly retryable: boolean;
  readonly remedy: string;
  readonly subject: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: ErrorCode,
    detail: string,
    context: ErrorContext = {},
  ) {
    const { summary, remedy, retryable } = ERROR_CATALOGUE[code];
    super(
      detail ? `${summary}: ${detail}` : summary,
      context.cause === undefined ? undefined : { cause: context.cause },
    );
    this.retryable = retryable;
    this.remedy = remedy;
    this.subject = context.subject;
    this.retryAfterMs = context.retryAfterMs;
  }
}

export function isOrderFlowError(error: unknown): error is OrderFlowError {
  // By name, not instanceof: an update of the package in place leaves errors of the old class alive.
  return error instanceof Error && error.name === 'OrderFlowError' && 'code' in error;
}

export function toOrderFlowError(error: unknown): OrderFlowError {
  if (isOrderFlowError(error)) return error;
  return new OrderFlowError('OF_INTERNAL', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}
