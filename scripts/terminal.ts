/** Progress on a terminal: one line that is rewritten; without a terminal a line now and then. */
export interface Progress {
  /** Begins a phase; the line shows its name, seconds since the start, and the detail given last. */
  phase(name: string): void;
  detail(text: string): void;
  /** A line of its own, which stays, with the seconds since the start in front. */
  line(text: string): void;
  /** A line of its own, as it is. */
  print(text: string): void;
  /** Ends the line. Idempotent. */
  done(text?: string): void;
}

/** To the start of the line, and everything on it gone. */
const CLEAR = '\r\x1b[2K';
const REDRAW_MS = 200;
const PLAIN_EVERY_MS = 15_000;

export function createProgress(out: NodeJS.WriteStream = process.stdout): Progress {
  const startedMs = performance.now();
  let name = '';
  let detail = '';
  let lastPlainMs = -Infinity;
  const elapsed = () => `${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s`;
  const line = () => `     ${elapsed()}  ${name}${detail ? `: ${detail}` : ''}`;
  const draw = () => {
    if (name === '') return;
    if (out.isTTY) {
      out.write(`${CLEAR}${line().slice(0, (out.columns || 80) - 1)}`);
    } else if (performance.now() - lastPlainMs >= PLAIN_EVERY_MS) {
      lastPlainMs = performance.now();
      out.write(`${line()}\n`);
    }
  };
  const print = (text: string) => {
    out.write(`${timer && out.isTTY ? CLEAR : ''}${text}\n`);
  };
  let timer: NodeJS.Timeout | null = setInterval(draw, REDRAW_MS);
  timer.unref();
  return {
    phase(next) {
      name = next;
      detail = '';
      lastPlainMs = -Infinity;
      draw();
    },
    detail(text) {
      detail = text;
    },
    line(text) {
      print(`     ${elapsed()}  ${text}`);
    },
    print,
    done(text) {
      if (!timer) return;
      clearInterval(timer);
      timer = null;
      if (out.isTTY) out.write(CLEAR);
      if (text) out.write(`     ${elapsed()}  ${text}\n`);
    },
  };
}

/** 1234567 → 1,234,567 with `digits` decimals. */
export function grouped(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
