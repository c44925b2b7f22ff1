import { alertRestartRows } from './rows/alertRestarts';
import { bookRows } from './rows/books';
import { chartRows } from './rows/charts';
import { clockRows } from './rows/clocks';
import { connectionRows } from './rows/connections';
import { crashLoopRows } from './rows/crashLoop';
import { downForGoodRows } from './rows/downForGood';
import { overSockets, playHostileFrames, SOCKETS_EVERY } from './rows/frames';
import { failoverRows } from './rows/failovers';
import { haltRows } from './rows/halts';
import { historyRows } from './rows/history';
import { lifecycleRows } from './rows/lifecycle';
import { parameterRows } from './rows/parameters';
import { poolRows } from './rows/pools';
import { recordRows } from './rows/records';
import { restRows } from './rows/rest';
import { routeRows } from './rows/routes';
import { ruleRows } from './rows/rules';
import { sequenceRows } from './rows/sequence';
import { storeRows } from './rows/storeTrouble';
import { silenceRows } from './rows/silence';
import { SOAK, soakRow } from './rows/soak';
import { workflowRows } from './rows/workflows';
import { writerRows } from './rows/writers';
import type { Scenario } from './scenario';

const hostileFrames: Scenario = {
  id: 10,
  name: 'hostile frames',
  what: 'frames cut, doubled, of wrong types, with numbers that are none, __proto__, random bytes; over sockets: 16 MiB, bombs, fragments, broken protocol',
  expected: 'refused with a coded error; the book untouched or fetched again; sizes and memory bounded',
  maxRuns: Infinity,
  variants: SOCKETS_EVERY,
  recovers: (seed) => !overSockets(seed),
  run: playHostileFrames,
};

/** Every row of the scoreboard, by its number. */
export const SCENARIOS: readonly Scenario[] = [
  ...sequenceRows,
  hostileFrames,
  ...connectionRows,
  ...restRows,
  ...bookRows,
  ...writerRows,
  ...storeRows,
  ...recordRows,
  ...lifecycleRows,
  ...clockRows,
  ...crashLoopRows,
  ...routeRows,
  ...parameterRows,
  ...workflowRows,
  ...silenceRows,
  ...poolRows,
  ...downForGoodRows,
  ...alertRestartRows,
  ...haltRows,
  ...failoverRows,
  ...historyRows,
  ...ruleRows,
  ...chartRows,
  soakRow(SOAK),
].sort((a, b) => a.id - b.id);
