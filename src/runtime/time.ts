/** The last millisecond since 1970 that a date can hold: what is later cannot be written as text. */
export const LAST_TIME_MS = 8.64e15;
/** A time since 1970 from here on is in microseconds: in milliseconds it would be the year 5138, in microseconds it is 1973. */
export const FIRST_MICROSECONDS = 1e14;

/** Monotonic milliseconds: for every duration, so that a jump of the wall clock changes nothing. */
export function monotonicMs(): number {
  return performance.now();
}

/** Wall-clock milliseconds since 1970: only for what a person or another program reads. */
export function wallMs(): number {
  return Date.now();
}

/** What `work` gives; rejects with `late()` where that takes longer. Leaves no timer behind. */
export function inTime<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

/** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. Leaves no timer behind. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
