import type { GateDefaults } from './gateParameters';

/** What a gate's values mean, in a few words. Seconds. */
export function calmText({ pendingSeconds, cooldownSeconds, keepFiringSeconds }: GateDefaults): string {
  return `must last ${pendingSeconds} s, at most one alert in ${cooldownSeconds} s, ends after ${keepFiringSeconds} s at or below half of the threshold`;
}
