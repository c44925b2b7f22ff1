import { backoffMs } from '../runtime/backoff';
import type { OrderFlowError } from '../runtime/errors';

/** Every wait of a feed, in milliseconds, in one place: tests run the same code with shorter ones. */
export interface FeedTimings {
  /** The limit for opening a TCP, TLS or proxy connection. */
  readonly connectTimeoutMs: number;
  /** A whole REST exchange, from the first byte sent to the last byte read. */
  readonly requestTimeoutMs: number;
  /** How long a request that was given up on its way stays open, to learn whether the exchange refused it. */
  readonly lateHeadMs: number;
  /** The exchange's answer to SUBSCRIBE or UNSUBSCRIBE. */
  readonly acknowledgeTimeoutMs: number;
  /** A connection that is silent for this long is probed, again and again while it stays silent. */
  readonly probeMs: number;
  /** Silent for two of these, in spite of the probes: the connection is dead and is cut. */
  readonly watchdogPeriodMs: number;
  /** Every connection is replaced at this age, before the exchange's 24 h cut. */
  readonly rotateAfterMs: number;
  /** Up to so much earlier, at random, so that connections do not rotate in step. */
  readonly rotateJitterMs: number;
  /** How long the older of two connections may lag behind the younger one, or a symbol send nothing, before it is closed. */
  readonly changeoverMs: number;
  /** A connection that was open for this long counts as good: the next backoff begins from the first step. */
  readonly stableAfterMs: number;
  /** How long a closing handshake may take before the socket is destroyed. */
  readonly closeGraceMs: number;
  /** How long a symbol without readers is kept, so that a republished workflow finds it. */
  readonly graceMs: number;
  /** A symbol without an update for this long after the REST reply counts as in sync; at least 1.5 update intervals. */
  readonly quietSyncMs: number;
  /** A stream that has not confirmed the REST reply by an update is checked so soon. */
  readonly firstAuditMs: number;
  /** A symbol without an update for this long is checked with a cheap depth request. */
  readonly auditMs: number;
  /** Updates that a depth request has shown to exist have to arrive within this. */
  readonly auditWaitMs: number;
  /** A symbol's coverage is renewed no more often than this. */
  readonly refreshPauseMs: number;
  /** So soon after an update a symbol's coverage is looked at: for a thousand symbols that is work. */
  readonly lookMs: number;
  /** How often feeds look after their symbols (coverage, audits). */
  readonly tickMs: number;
  /** First pause of all REST requests to a host whose firewall refused one; doubles up to 32 times. */
  readonly firewallPauseMs: number;
  /** A refusal that no retry mends, on a feed that has been live with the same settings before, is tried again. */
  readonly terminalRetryMs: number;
  /** How often the exchange is asked whether it trades a symbol; 0: never. */
  readonly statusEveryMs: number;
  /** Multiplies the backoff steps. */
  readonly backoffFactor: number;
}

export const FEED_TIMINGS: FeedTimings = {
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  lateHeadMs: 2_000,
  acknowledgeTimeoutMs: 10_000,
  probeMs: 2_000,
  watchdogPeriodMs: 10_000,
  rotateAfterMs: 23 * 3_600_000,
  rotateJitterMs: 30 * 60_000,
  changeoverMs: 5_000,
  stableAfterMs: 30_000,
  closeGraceMs: 1_000,
  graceMs: 10_000,
  quietSyncMs: 1_000,
  firstAuditMs: 8_000,
  auditMs: 60_000,
  auditWaitMs: 2_000,
  refreshPauseMs: 1_000,
  lookMs: 300,
  tickMs: 100,
  firewallPauseMs: 10_000,
  terminalRetryMs: 300_000,
  // What is not traded any more has to be seen within a minute.
  statusEveryMs: 55_000,
  backoffFactor: 1,
};

/** The wait before the next request or connection after this many failures. A pause of the whole host is waited for elsewhere. */
export function retryMs(
  error: OrderFlowError,
  failures: number,
  { random, timings }: { readonly random: number; readonly timings: FeedTimings },
): number {
  const slow = error.retryable ? 0 : timings.terminalRetryMs;
  return Math.max(slow, backoffMs(failures, random) * timings.backoffFactor);
}
