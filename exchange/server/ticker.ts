import type { SymbolFeed } from './symbolFeed';

/** Symbols take turns within a step, and each step is made in two halves, so that a REST reply can fall inside an event. */
export const PHASES = 4;

/** Drives the markets in real time. Market time goes on by whole steps, so a seed gives the same market at any load. */
export class Ticker {
  private timer: NodeJS.Timeout | null = null;
  private beats = 0;
  private feeds: readonly SymbolFeed[] = [];

  constructor(private readonly tickMs: number) {}

  get marketMs(): number {
    return (this.beats * this.tickMs) / PHASES;
  }

  phaseMs(index: number): number {
    return ((index % PHASES) * this.tickMs) / PHASES;
  }

  start(feeds: readonly SymbolFeed[]): void {
    this.feeds = feeds;
    this.timer ??= setInterval(() => this.beat(), this.tickMs / PHASES);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /** A whole step of these symbols, now, and everything sent. */
  step(feeds: readonly SymbolFeed[]): void {
    this.beats += PHASES;
    for (const feed of feeds) {
      feed.advance(this.marketMs, 1, false);
      feed.flush();
    }
  }

  private beat(): void {
    const beat = ++this.beats;
    const { feeds, marketMs } = this;
    const [ends, halfway] = [beat % PHASES, (beat + PHASES / 2) % PHASES];
    for (let i = ends; i < feeds.length; i += PHASES) feeds[i].advance(marketMs, 0.5, true);
    for (let i = halfway; i < feeds.length; i += PHASES) feeds[i].advance(marketMs, 0.5, false);
  }
}
