import { PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Side } from './sides';
import type { Stream } from './stream';

const MOST_EVENTS = 16_384;
const ATTEMPTS = 8;

/**
 * Bytes of heap that an event takes in the steady state: the heap's growth over as many events as fit between two
 * collections. Smallest of a few attempts, because the measuring itself leaves some.
 */
export async function bytesPerEvent(side: Side, stream: Stream): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let collections = 0;
  const observer = new PerformanceObserver((list) => (collections += list.getEntries().length));
  observer.observe({ entryTypes: ['gc'] });
  try {
    let best = Infinity;
    let events = Math.min(MOST_EVENTS, Math.floor(stream.frames.count / 2));
    for (let attempt = 0; attempt < ATTEMPTS;) {
      const run = side.start(stream);
      run.events(stream.frames.receive(side.input, 0, events), 0, events);
      const batch = stream.frames.receive(side.input, events, 2 * events);
      collect();
      await settled();
      collections = 0;
      const before = process.memoryUsage().heapUsed;
      run.events(batch, 0, events);
      const after = process.memoryUsage().heapUsed;
      await settled();
      if (collections > 0 && events > 1) {
        events >>>= 1;
        continue;
      }
      best = Math.min(best, Math.max(after - before, 0) / events);
      attempt++;
    }
    return best;
  } finally {
    observer.disconnect();
  }
}

/** The observer learns of collections in a later turn. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
