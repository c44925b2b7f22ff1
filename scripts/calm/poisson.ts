/**
 * The exact interval (Garwood) for the mean of a Poisson count: the means under which a count as small, or as large, as the
 * one seen has a chance of at least (1 − level)/2.
 */
export function poissonInterval(count: number, level = 0.95): readonly [low: number, high: number] {
  const tail = (1 - level) / 2;
  const low = count === 0 ? 0 : bisect((mean) => 1 - cumulative(count - 1, mean) - tail, 0, count);
  const high = bisect((mean) => tail - cumulative(count, mean), count, 2 * count + 20);
  return [low, high];
}

/** The counts between which at least `level` of a Poisson distribution lies, with at most (1 − level)/2 beyond each. */
export function poissonRange(mean: number, level = 0.95): readonly [low: number, high: number] {
  const tail = (1 - level) / 2;
  let low = 0;
  while (cumulative(low, mean) < tail) low++;
  let high = low;
  while (cumulative(high, mean) < 1 - tail) high++;
  return [low, high];
}

/** The chance of at most `count` events where `mean` are expected. */
function cumulative(count: number, mean: number): number {
  if (mean === 0) return 1;
  let logTerm = -mean;
  let sum = Math.exp(logTerm);
  for (let k = 1; k <= count; k++) {
    logTerm += Math.log(mean / k);
    sum += Math.exp(logTerm);
  }
  return sum;
}

/** Where a rising function is zero. */
function bisect(rising: (x: number) => number, from: number, to: number): number {
  let low = from;
  let high = to;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (rising(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
