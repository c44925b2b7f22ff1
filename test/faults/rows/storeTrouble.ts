import { EVERY_RUN, REAL_RUNS, type Scenario } from '../scenario';
import { OUTAGES, playOutage } from './storeOutages';
import { playRefusal, REFUSALS } from './storeRefusals';

export const storeRows: readonly Scenario[] = [
  {
    id: 13,
    name: 'Redis refuses',
    what: 'wrong or no password, missing rights, full memory, full disk, a read-only replica, a foreign value at the key; absent at the start; then mended',
    expected:
      'reported at once, with a code, a remedy and no secret; the feed lives on; back by itself once mended',
    maxRuns: REAL_RUNS,
    variants: REFUSALS.length + 1,
    recovers: EVERY_RUN,
    run: playRefusal,
  },
  {
    id: 14,
    name: 'Redis gone',
    what: 'killed, restarted, emptied, paused; far, narrow, sliced, half-open, a black hole, resets in mid-command; a replica promoted',
    expected:
      'the newest book rewritten, one write in flight, no old book sent, no record goes back, the stale writer fenced; a check says that the store was emptied',
    maxRuns: REAL_RUNS,
    variants: OUTAGES.length,
    recovers: EVERY_RUN,
    run: playOutage,
  },
];
