import { type CatalogueEntry, ERROR_CATALOGUE, type ErrorCode } from './errorCatalogue';

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
  /** Stays until a user acts: the same thing does not succeed later by itself. */
  readonly needsAction: boolean;
  readonly remedy: string;
  readonly subject: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: ErrorCode,
    /** What the summary of the code is about here: a server, a field, a reply; '' where there is nothing to add. */
    readonly detail: string,
    context: ErrorContext = {},
  ) {
    const { remedy, retryable, needsAction = !retryable }: CatalogueEntry = ERROR_CATALOGUE[code];
    super(
      messageOf(ERROR_CATALOGUE[code], detail),
      context.cause === undefined ? undefined : { cause: context.cause },
    );
    this.retryable = retryable;
    this.needsAction = needsAction;
    this.remedy = remedy;
    this.subject = context.subject;
    this.retryAfterMs = context.retryAfterMs;
  }
}

/** Without a full stop at its end: a code or a remedy may follow. */
function messageOf({ summary, detailIsMessage }: CatalogueEntry, detail: string): string {
  const text = detail.trim().replace(/\.+$/, '');
  if (text === '') return summary;
  return detailIsMessage ? text : `${summary}: ${text}`;
}

/** The same error, which now names what it is about as well: a symbol, a server. */
export function about(error: OrderFlowError, what: string): OrderFlowError {
  const { code, detail, subject, retryAfterMs, cause } = error;
  if (detail.includes(what)) return error;
  return new OrderFlowError(code, detail === '' ? what : `${detail}, ${what}`, {
    subject,
    retryAfterMs,
    cause,
  });
}

/** The message with its code, for where the remedy is shown beside it. */
export function withCode({ message, code }: OrderFlowError): string {
  return `${message} [${code}]`;
}

/** Cause, code and remedy in one text, for where nothing else is shown. */
export function explained(error: OrderFlowError): string {
  return `${withCode(error)}. ${error.remedy}`;
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
