/**
 * The ladder of thresholds of which each is watched. Its steps are equal in the logarithm of ln(larger side / smaller
 * side): fine where a liquid book moves, and fine again near 100 %, where a thin one does.
 */
const LOWEST_PERCENT = 2;
const HIGHEST_PERCENT = 99.9;
const RUNGS = 32;

/** ln(larger / smaller) of a percentage of the larger side. */
function logRatioOf(percent: number): number {
  return -Math.log1p(-percent / 100);
}

export function percentOf(logRatio: number): number {
  return -100 * Math.expm1(-logRatio);
}

/** Where a threshold lies on the ladder, in steps from its lowest rung. */
export function placeOf(percent: number): number {
  return (Math.log(logRatioOf(percent)) - LOWEST) / STEP;
}

export function thresholdAt(place: number): number {
  return percentOf(Math.exp(LOWEST + place * STEP));
}

const LOWEST = Math.log(logRatioOf(LOWEST_PERCENT));
const STEP = (Math.log(logRatioOf(HIGHEST_PERCENT)) - LOWEST) / (RUNGS - 1);

/** Percent, rising. */
export const LADDER: readonly number[] = Array.from({ length: RUNGS }, (_, rung) => thresholdAt(rung));
