import { readNumber, refused } from '../../runtime/validate';
import { MAX_SECONDS } from '../parameters';

/** How calm alerts are. Durations in milliseconds; docs/SIGNALS.md explains each in a user's words. */
export interface GateParameters {
  /** Percent: beyond it a value asks for an alert. */
  readonly threshold: number;
  /** Percent, at most the threshold: at or below it a value asks for recovery. */
  readonly recoveryThreshold: number;
  /** For this long, without a break, the threshold must be exceeded before an alert. */
  readonly pendingMs: number;
  /** And by this many values in a row; checks by a timer do not count. */
  readonly consecutiveUpdates: number;
  /** For this long the value must stay at or below the recovery threshold before the alert ends. */
  readonly keepFiringMs: number;
  /** No alert within this time of the last one, repeats among them; nor a No Signal within it of the last such. */
  readonly cooldownMs: number;
  /** Reports an alert again at this interval while it lasts; 0 = never. */
  readonly repeatEveryMs: number;
  /** Of the exponential mean over time; 0 = the values as they are. */
  readonly smoothingHalfLifeMs: number;
  /** This long without a signal before that is reported; null = never. */
  readonly noSignalAfterMs: number | null;
}

/** Of the threshold, where no Recovery Threshold is set. */
const RECOVERY_SHARE = 0.5;

const MAX_CONSECUTIVE_UPDATES = 10_000;

/** The durations of a gate as fields show them, in seconds. */
export interface GateDefaults {
  readonly pendingSeconds: number;
  readonly consecutiveUpdates: number;
  readonly keepFiringSeconds: number;
  readonly cooldownSeconds: number;
  readonly repeatEverySeconds: number;
  readonly smoothingHalfLifeSeconds: number;
  readonly noSignalAfterSeconds: number;
}

/**
 * What a new user gets where every update is seen: calm on purpose. Pressure has to last; the short mean keeps one wild
 * update among hundreds from starting the pending period over. `npm run calm` prints the figures that they were chosen by.
 */
export const GATE_DEFAULTS: GateDefaults = {
  pendingSeconds: 22,
  consecutiveUpdates: 1,
  keepFiringSeconds: 5,
  cooldownSeconds: 60,
  repeatEverySeconds: 0,
  smoothingHalfLifeSeconds: 0.3,
  noSignalAfterSeconds: 60,
};

/**
 * What a new user gets for checks on a schedule: no mean, because the value that would weigh in it is the one of the check
 * before.
 */
export const CHECK_GATE_DEFAULTS: GateDefaults = { ...GATE_DEFAULTS, smoothingHalfLifeSeconds: 0 };

/** Every change of the bare rule is reported at once: what the gate is compared with. */
export function bareGate(threshold: number): GateParameters {
  return {
    threshold,
    recoveryThreshold: threshold,
    pendingMs: 0,
    consecutiveUpdates: 1,
    keepFiringMs: 0,
    cooldownMs: 0,
    repeatEveryMs: 0,
    smoothingHalfLifeMs: 0,
    noSignalAfterMs: 0,
  };
}

/** A user's values as they come out of fields and expressions. Seconds, as the fields have them. */
export interface RawGateParameters {
  readonly recoveryThreshold?: unknown;
  readonly pendingSeconds?: unknown;
  readonly consecutiveUpdates?: unknown;
  readonly keepFiringSeconds?: unknown;
  readonly cooldownSeconds?: unknown;
  readonly repeatEverySeconds?: unknown;
  readonly smoothingHalfLifeSeconds?: unknown;
  /** Null or empty = never. */
  readonly noSignalAfterSeconds?: unknown;
}

/**
 * Checks a user's values; what is not given takes its default, Recovery Threshold half of the threshold.
 * @param threshold percent, checked already
 * @throws OrderFlowError OF_PARAMETER naming the field and its limits
 */
export function readGateParameters(
  threshold: number,
  raw: RawGateParameters,
  defaults: GateDefaults = GATE_DEFAULTS,
): GateParameters {
  const cooldownMs = readSeconds('Cooldown (Seconds)', raw.cooldownSeconds, defaults.cooldownSeconds);
  const repeatEveryMs = readSeconds(
    'Repeat Every (Seconds)',
    raw.repeatEverySeconds,
    defaults.repeatEverySeconds,
  );
  if (repeatEveryMs !== 0 && repeatEveryMs < Math.max(cooldownMs, 1000)) {
    const least = `must be 0 (off), or at least 1 and not below Cooldown (${cooldownMs / 1000})`;
    throw refused('Repeat Every (Seconds)', least, repeatEveryMs / 1000);
  }
  return {
    threshold,
    recoveryThreshold: readNumber(
      'Recovery Threshold (%)',
      raw.recoveryThreshold,
      { min: 0, max: threshold },
      RECOVERY_SHARE * threshold,
    ),
    pendingMs: readSeconds('Pending Period (Seconds)', raw.pendingSeconds, defaults.pendingSeconds),
    consecutiveUpdates: readNumber(
      'Consecutive Updates',
      raw.consecutiveUpdates,
      { min: 1, max: MAX_CONSECUTIVE_UPDATES, whole: true },
      defaults.consecutiveUpdates,
    ),
    keepFiringMs: readSeconds('Keep Firing For (Seconds)', raw.keepFiringSeconds, defaults.keepFiringSeconds),
    cooldownMs,
    repeatEveryMs,
    smoothingHalfLifeMs: readSeconds(
      'Smoothing Half-Life (Seconds)',
      raw.smoothingHalfLifeSeconds,
      defaults.smoothingHalfLifeSeconds,
    ),
    noSignalAfterMs:
      raw.noSignalAfterSeconds === null || raw.noSignalAfterSeconds === ''
        ? null
        : readSeconds('No Signal After (Seconds)', raw.noSignalAfterSeconds, defaults.noSignalAfterSeconds),
  };
}

/** The same calm at another threshold: the recovery threshold keeps its share of it. */
export function withThreshold(parameters: GateParameters, threshold: number): GateParameters {
  const { threshold: before, recoveryThreshold } = parameters;
  const share = before === 0 ? RECOVERY_SHARE : recoveryThreshold / before;
  return { ...parameters, threshold, recoveryThreshold: share * threshold };
}

function readSeconds(field: string, value: unknown, otherwise: number): number {
  return 1000 * readNumber(field, value, { min: 0, max: MAX_SECONDS }, otherwise);
}
