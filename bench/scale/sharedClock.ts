const LOOKS = 100;

/** Add this to the machine's monotonic clock and it shows the wall's; handed to every process of a run. */
export function clockBase(): number {
  return Date.now() - machineMs();
}

/**
 * A clock that all processes of this machine read alike, in milliseconds since 1970: the monotonic one, so that what
 * passes between two processes can be timed.
 */
export function sharedClock(base: number): () => number {
  // The engine's own clock runs on the same one from another start; it makes no big number at each call. What passes
  // between looking at the two makes their distance too small, most of all the first time.
  let distance = -Infinity;
  for (let i = 0; i < LOOKS; i++) distance = Math.max(distance, machineMs() - performance.now());
  const offset = base + distance;
  return () => offset + performance.now();
}

function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
