import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { PartResult } from './part';
import type { PartMessage, PartOrder } from './partProcess';

/** No part takes half of this; one that hangs must not hang the run for ever. */
const PART_TIMEOUT_MS = 20 * 60_000;
/** How long a part has after its result to close what it opened. */
const CLOSE_MS = 15_000;
const KILL_MS = 5_000;

export interface PartOutcome {
  readonly name: string;
  readonly summary: string;
  readonly result: PartResult;
  readonly seconds: number;
}

/**
 * Runs a part in a process of its own. What it or a peer prints goes to stderr.
 * @throws Error where it fails, or leaves something open
 */
export function runPart(
  order: PartOrder,
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<PartOutcome> {
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const child = fork(join(__dirname, 'partProcess.ts'), [], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    let outcome: PartOutcome | null = null;
    let failure: string | null = null;
    const fail = (why: string) => {
      failure ??= why;
      stop(child);
    };
    let timer = setTimeout(
      () => fail(`not done within ${PART_TIMEOUT_MS / 60_000} minutes`),
      PART_TIMEOUT_MS,
    );
    const onAbort = () => fail('stopped');
    signal.addEventListener('abort', onAbort, { once: true });
    child.on('message', (message: PartMessage) => {
      if (message.kind === 'progress') return progress(message.text);
      if (message.kind === 'failure') failure = message.detail;
      else {
        const seconds = (performance.now() - startedMs) / 1_000;
        outcome = { name: order.name, summary: message.summary, result: message.result, seconds };
      }
      clearTimeout(timer);
      timer = setTimeout(() => fail('it left something open that keeps its process alive'), CLOSE_MS);
    });
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, by) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (outcome !== null && failure === null) resolve(outcome);
      else reject(new Error(`${order.name}: ${failure ?? `its process ended with ${by ?? code}`}`));
    });
    child.send(order);
  });
}

function stop(child: ChildProcess): void {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), KILL_MS);
  child.once('exit', () => clearTimeout(timer));
}
