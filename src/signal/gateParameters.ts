import { readNumber, refused } from '../runtime/validate';
import type { GateParameters } from './gateTypes';
import { MAX_SECONDS } from './parameters';

export const MAX_CONSECUTIVE_UPDATES = 10_000;

/** What a new user gets: calm on purpose, chosen from the figures in docs/SIGNALS.md. */
export const GATE_DEFAULTS = {
  pendingSeconds: 5,
  consecutiveUpdates: 1,
  keepFiringSeconds: 30,
  cooldownSeconds: 300,
  repeatEverySeconds: 0,
  smoothingHalfLifeSeconds: 5,
  noSignalAfterSeconds: 60,
} as const;

/** Every change of the bare rule is told at once: what the gate is compared with. */
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
export function readGateParameters(threshold: number, raw: RawGateParameters): GateParameters {
  const cooldownMs = readSeconds('Cooldown (Seconds)', raw.cooldownSeconds, GATE_DEFAULTS.cooldownSeconds);
  const repeatEveryMs = readSeconds(
    'Repeat Every (Seconds)',
    raw.repeatEverySeconds,
    GATE_DEFAULTS.repeatEverySeconds,
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
      threshold / 2,
    ),
    pendingMs: readSeconds('Pending Period (Seconds)', raw.pendingSeconds, GATE_DEFAULTS.pendingSeconds),
    consecutiveUpdates: readNumber(
      'Consecutive Updates',
      raw.consecutiveUpdates,
      { min: 1, max: MAX_CONSECUTIVE_UPDATES, whole: true },
      GATE_DEFAULTS.consecutiveUpdates,
    ),
    keepFiringMs: readSeconds(
      'Keep Firing For (Seconds)',
      raw.keepFiringSeconds,
      GATE_DEFAULTS.keepFiringSeconds,
    ),
    cooldownMs,
    repeatEveryMs,
    smoothingHalfLifeMs: readSeconds(
      'Smoothing Half-Life (Seconds)',
      raw.smoothingHalfLifeSeconds,
      GATE_DEFAULTS.smoothingHalfLifeSeconds,
    ),
    noSignalAfterMs:
      raw.noSignalAfterSeconds === null || raw.noSignalAfterSeconds === ''
        ? null
        : readSeconds(
            'No Signal After (Seconds)',
            raw.noSignalAfterSeconds,
            GATE_DEFAULTS.noSignalAfterSeconds,
          ),
  };
}

function readSeconds(field: string, value: unknown, otherwise: number): number {
  return 1000 * readNumber(field, value, { min: 0, max: MAX_SECONDS }, otherwise);
}
