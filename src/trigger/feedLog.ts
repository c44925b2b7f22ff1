import { oneLine } from '../runtime/text';
import type { SessionHost } from './host';

type Level = Parameters<SessionHost['log']>[0];
type Write = SessionHost['log'];

/** After the first lines about something, one line in each such window says how many there were. */
export const WINDOW_MS = 60_000;
const MAX_CHARACTERS = 400;

/**
 * What a feed reports, for n8n's log: a lost connection and its return at once; what repeats (an exchange that closes
 * every connection, a listener that fails at every update) in one line a minute. Single lines, without secrets.
 */
export class FeedLog {
  private readonly connections: Lines;
  private readonly faults: Lines;

  constructor(write: Write) {
    this.connections = new Lines(write);
    this.faults = new Lines(write);
  }

  readonly onLog = (level: Level, message: string): void =>
    (level === 'error' ? this.faults : this.connections).take(level, message);

  /** Nothing is written any more. */
  close(): void {
    this.connections.close();
    this.faults.close();
  }
}

/** Lines about one thing. Calm, until something is said; then each level once, and one sum for each minute with more. */
class Lines {
  private timer: NodeJS.Timeout | undefined;
  /** Written since it was calm. */
  private readonly written = new Set<Level>();
  private held: { readonly level: Level; readonly text: string; readonly count: number } | null = null;
  private closed = false;

  constructor(private readonly write: Write) {}

  take(level: Level, message: string): void {
    if (this.closed) return;
    const text = shown(message);
    if (this.written.has(level)) {
      this.held = { level, text, count: (this.held?.count ?? 0) + 1 };
      return;
    }
    this.written.add(level);
    // What is held was before this and must not be read as the newest.
    const before = this.held === null ? '' : ` (${this.held.count} more before it)`;
    this.held = null;
    this.write(level, `${text}${before}`);
    if (this.timer === undefined) this.openWindow();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private openWindow(): void {
    this.timer = setTimeout(() => this.endWindow(), WINDOW_MS);
    this.timer.unref();
  }

  private endWindow(): void {
    this.timer = undefined;
    const { held } = this;
    this.held = null;
    if (held === null) return this.written.clear();
    this.openWindow();
    const sum = held.count === 1 ? '' : ` (the last of ${held.count} such messages within a minute)`;
    this.write(held.level, `${held.text}${sum}`);
  }
}

/** For a log that others read: no line breaks, no user names and passwords of URLs, not without end. */
function shown(message: string): string {
  return oneLine(message.slice(0, 4 * MAX_CHARACTERS).replace(/\/\/[^\s/]*@/g, '//'), MAX_CHARACTERS);
}
