import type { SymbolStatus } from '../../../exchange/market/types';
import { readSignalParameters } from '../../../src/signal/parameters';
import { BookJudge } from '../../../src/trigger/bookJudge';
import { must, EVERY_RUN, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { pause, PATIENT, Scene, until } from '../scene';

const HALTED = 'BTCUSDT';
const OTHER = 'ETHUSDT';
const STATUSES: readonly SymbolStatus[] = ['BREAK', 'HALT', 'END_OF_DAY', 'CANCEL_ONLY'];
/** The package asks every 55 s; here as often as that makes a run short. */
const STATUS_EVERY_MS = 150;
/** The last of them while the exchange's list cannot be had for a moment. */
const HALTS = 3;

/** Row 24: a market is halted and opened again, over and over. */
function haltAndReopen(seed: number): Promise<RunResult> {
  const status = STATUSES[seed % STATUSES.length];
  const timings = { ...PATIENT, statusEveryMs: STATUS_EVERY_MS };
  return Scene.play({ seed, timings, exchange: { symbols: [HALTED, OTHER] } }, async (scene) => {
    await scene.live();
    const judge = new BookJudge(scene.view(HALTED), readSignalParameters({}));
    const other = new BookJudge(scene.view(OTHER), readSignalParameters({}));
    const recoverMs: number[] = [];
    for (let halt = 0; halt < HALTS; halt++) {
      await until(() => judge.judge().signal !== null, 'a signal while the market trades');
      await pause(scene.random.whole(0, 2 * STATUS_EVERY_MS));
      const withoutList = halt === HALTS - 1;
      if (withoutList)
        scene.exchange.faults.add({ kind: 'rest', path: 'exchangeInfo', status: 500, times: 2 });
      scene.exchange.setStatus(HALTED, status);
      await until(() => judge.judge().reason === 'not-trading', 'no signal from a halted market');
      must(judge.judge().message.includes(status), `the message does not name ${status}`);
      must(Number.isNaN(judge.look()), 'an update of a halted market has a percentage');
      must(other.judge().signal !== null, 'the other symbol lost its signal');
      await pause(scene.random.whole(0, STATUS_EVERY_MS));
      must(judge.judge().reason === 'not-trading', 'a signal before the market was open again');
      const begun = performance.now();
      scene.exchange.setStatus(HALTED, 'TRADING');
      await until(() => judge.judge().signal !== null, 'a signal again');
      recoverMs.push(performance.now() - begun);
    }
    const { resyncs, state } = scene.view(HALTED).status();
    must(state === 'live' && resyncs === 0, `${state} after ${resyncs} resyncs: the book itself was sound`);
    return recoverMs.length === 0 ? null : Math.max(...recoverMs);
  });
}

export const haltRows: readonly Scenario[] = [
  {
    id: 24,
    name: 'market halted and reopened',
    what: 'a symbol that is halted (BREAK, HALT, END_OF_DAY, CANCEL_ONLY) and opened again three times, once while the list of symbols cannot be had',
    expected:
      'no signal, with the status as its reason, from the next look at the list until the one after the opening; the book and other symbols untouched',
    maxRuns: REAL_RUNS,
    variants: STATUSES.length,
    recovers: EVERY_RUN,
    run: haltAndReopen,
  },
];
