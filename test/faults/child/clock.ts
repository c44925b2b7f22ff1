/**
 * A wall clock that can be set while the process runs, loaded before everything else, so that code which keeps `Date`
 * or `Date.now` keeps this one. Monotonic clocks and timers are the system's.
 */
const RealDate = Date;
let offsetMs = 0;

class SetDate extends RealDate {
  constructor(...args: unknown[]) {
    if (args.length === 0) super(RealDate.now() + offsetMs);
    else super(...(args as [number]));
  }

  static override now(): number {
    return RealDate.now() + offsetMs;
  }
}

export function setClock(byMs: number): void {
  offsetMs = byMs;
}

/** The system's clock, whatever this process believes; milliseconds since 1970. */
export function trueNowMs(): number {
  return RealDate.now();
}

globalThis.Date = SetDate as DateConstructor;
