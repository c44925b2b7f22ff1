import { MAX_CATCH_UP_MS } from '../gate/gate';
import type { GateParameters } from '../gate/gateParameters';
import { GateBank } from './gateBank';
import { LADDER } from './ladder';
import type { RecentPast } from './recentPast';

/** The mean is noted this far apart at least. */
const NOTE_MS = 1_000;

/** What a gate with a threshold goes by. */
export type GateAt = (threshold: number) => GateParameters;

/** Fills a symbol's past from what is observed. No clock and no timer: `goOn` every ten seconds at least. */
export class PastCounter {
  private readonly bank: GateBank;
  private notedAtMs: number;
  private watchedMs = 0;

  constructor(
    private readonly past: RecentPast,
    gateAt: GateAt,
    nowMs: number,
  ) {
    this.bank = new GateBank(LADDER.map(gateAt), nowMs, (rung) => past.onAlert(rung));
    this.notedAtMs = nowMs;
  }

  onValue(percent: number, nowMs: number): void {
    if (nowMs - this.notedAtMs >= NOTE_MS) this.note(nowMs);
    this.bank.onValue(percent, nowMs);
  }

  onNoSignal(nowMs: number): void {
    this.note(nowMs);
    this.bank.onNoSignal(nowMs);
  }

  /** Only time has passed. */
  goOn(nowMs: number): void {
    this.note(nowMs);
    this.bank.goOn(nowMs);
  }

  /** For how much of the time since the last call there was a value. */
  takeWatchedMs(): number {
    const { watchedMs } = this;
    this.watchedMs = 0;
    return watchedMs;
  }

  /** After a longer time without a look (a machine that slept) no mean counts as having held. */
  private note(nowMs: number): void {
    const { mean } = this.bank;
    const forMs = nowMs - this.notedAtMs;
    if (forMs <= 0) return;
    this.notedAtMs = nowMs;
    this.past.goOn(nowMs);
    if (Number.isNaN(mean) || forMs > MAX_CATCH_UP_MS) return;
    this.past.hold(mean, forMs);
    this.watchedMs += forMs;
  }
}
