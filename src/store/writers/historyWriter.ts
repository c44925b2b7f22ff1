import { toOrderFlowError, type OrderFlowError } from '../../runtime/errors';
import { monotonicMs } from '../../runtime/time';
import type { SampleContent } from '../../history/sample';
import type { AppendOutcome } from '../../history/appendRule';
import type { HistoryStore } from '../historyTypes';

/** One look at a symbol. What is counted is counted since the source began. */
export type Sample = Omit<SampleContent, 'began' | 'everyMs'>;

/** What one trigger wants of the history of a symbol. */
export interface HistorySource {
  /** Milliseconds between samples; with several sources the least. */
  readonly everyMs: number;
  /** How long samples are kept, milliseconds; with several sources the most. */
  readonly forMs: number;
  /** Whether its samples say what was reported: such a source goes first. */
  readonly hasGate: boolean;
  /** What is there now. Must not throw. */
  readonly sample: () => Sample;
  /** Called when the history begins to fail, fails otherwise, or is kept again (null). Must not throw. */
  readonly onError?: (error: OrderFlowError | null) => void;
}

interface Counted {
  readonly source: HistorySource;
  readonly resyncs: number;
  readonly alerts: number;
}

/**
 * Takes samples of one symbol for its history, while this process is the one that writes the symbol's record. A sample that
 * the store does not take in time is left out, and the next one shows the gap: nothing waits.
 */
export class HistoryWriter {
  private readonly sources = new Set<HistorySource>();
  /** What the store has of the counts of the source that was looked at last. */
  private counted: Counted | null = null;
  private timer: NodeJS.Timeout | undefined;
  private dueAt = 0;
  private inFlight: Promise<void> | null = null;
  private began = true;
  /** Another writer has added to the history with a newer epoch than this one. */
  private fencedEpoch = 0;
  private error: OrderFlowError | null = null;
  private closed = false;

  /** @param epochNow of the writer of the record; 0 while another one writes it */
  constructor(
    private readonly store: HistoryStore,
    private readonly key: string,
    private readonly epochNow: () => number,
  ) {}

  add(source: HistorySource): void {
    this.sources.add(source);
    if (this.error !== null) source.onError?.(this.error);
    // The next sample is not as far away as those of the others are.
    if (this.timer !== undefined && this.dueAt - monotonicMs() > source.everyMs) this.wakeIn(source.everyMs);
    this.onHold();
  }

  remove(source: HistorySource): void {
    this.sources.delete(source);
  }

  /** To be called when the record is held: the first sample is taken at once, so that the history says when it began. */
  onHold(): void {
    if (this.timer !== undefined) return;
    this.dueAt = monotonicMs();
    this.act();
  }

  /** Idempotent. Resolves when nothing is in flight. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.inFlight;
  }

  private act(): void {
    this.timer = undefined;
    const epoch = this.epochNow();
    if (this.closed || epoch === 0 || this.sources.size === 0) {
      // Whoever takes the record up meanwhile writes samples of its own.
      this.began = true;
      return;
    }
    const everyMs = this.everyMs();
    const now = monotonicMs();
    const next = this.dueAt + everyMs;
    // After a stall no sample is made up for.
    this.wakeIn(next > now ? next - now : everyMs);
    if (this.inFlight === null && epoch > this.fencedEpoch) this.append(epoch, everyMs);
  }

  private wakeIn(ms: number): void {
    clearTimeout(this.timer);
    this.dueAt = monotonicMs() + ms;
    this.timer = setTimeout(() => this.act(), ms);
    // A history is no reason for a process to live.
    this.timer.unref();
  }

  private append(epoch: number, everyMs: number): void {
    const [source, sample] = this.take();
    const { resyncs, alerts } = sample;
    const counted = { source, resyncs, alerts };
    // What another source counted while it was not looked at is of samples that say nothing of it.
    const before = this.counted?.source === source ? this.counted : counted;
    const content: SampleContent = {
      ...sample,
      resyncs: resyncs - before.resyncs,
      alerts: alerts - before.alerts,
      began: this.began,
      everyMs,
    };
    const request = { epoch, sample: content, ageMs: 0, forMs: this.forMs() };
    this.inFlight = this.store
      .append(this.key, request)
      .then(
        (outcome) => this.done(outcome, epoch, counted),
        (error: unknown) => this.report(toOrderFlowError(error)),
      )
      .then(() => {
        this.inFlight = null;
      });
  }

  private done(outcome: AppendOutcome, epoch: number, counted: Counted): void {
    if (outcome === 'fenced') this.fencedEpoch = epoch;
    if (outcome === 'stored') {
      this.counted = counted;
      this.began = false;
    }
    this.report(null);
  }

  /** Of the source whose book is live; of several, one that reports signals. */
  private take(): readonly [HistorySource, Sample] {
    const ordered = [...this.sources].sort((a, b) => Number(b.hasGate) - Number(a.hasGate));
    const samples = ordered.map((source) => [source, source.sample()] as const);
    return samples.find(([, { lastUpdateId }]) => lastUpdateId !== null) ?? samples[0];
  }

  private report(error: OrderFlowError | null): void {
    if (this.error?.code === error?.code) return;
    this.error = error;
    for (const source of this.sources) source.onError?.(error);
  }

  private everyMs(): number {
    return Math.round(Math.min(...[...this.sources].map((source) => source.everyMs)));
  }

  private forMs(): number {
    return Math.round(Math.max(...[...this.sources].map((source) => source.forMs)));
  }
}
