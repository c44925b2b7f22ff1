/**
 * The process of one part: what one leaves in the engine's caches or in memory does not touch the next one's times.
 * Started by runPart.ts.
 */
import type { PartResult } from './part';
import { ensurePeers } from './install';
import { loadPart, type PartName } from './registry';

export interface PartOrder {
  readonly name: PartName;
  readonly quick: boolean;
  readonly data: readonly string[];
}

export type PartMessage =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'result'; readonly result: PartResult; readonly summary: string }
  | { readonly kind: 'failure'; readonly detail: string };

function tell(message: PartMessage): Promise<void> {
  return new Promise((done) => {
    if (process.send === undefined) throw new Error('started by `npm run bench` only');
    process.send(message, undefined, {}, () => done());
  });
}

async function work({ name, quick, data }: PartOrder): Promise<void> {
  const progress = (text: string) => void tell({ kind: 'progress', text });
  try {
    const part = await loadPart(name);
    if (part.needsPeers) await ensurePeers(progress);
    const result = await part.run({ quick, data, progress });
    await tell({ kind: 'result', result, summary: part.summary });
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    await tell({ kind: 'failure', detail });
    process.exitCode = 1;
  }
  // From here on nothing but what the part left open keeps the process alive.
  process.disconnect();
}

// An exit, and not an end by signal, so that what a part stops at 'exit' is stopped.
process.once('SIGTERM', () => process.exit(143));
process.once('SIGINT', () => process.exit(130));
process.once('message', (order) => void work(order as PartOrder));
