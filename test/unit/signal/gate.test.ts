import fc from 'fast-check';
import { MAX_CATCH_UP_MS, step } from '../../../src/signal/gate/gate';
import { type GateParameters, bareGate } from '../../../src/signal/gate/gateParameters';
import { type GateState, restoreGate, startGate } from '../../../src/signal/gate/gateState';
import type { Signal } from '../../../src/signal/types';
import { runs } from '../../support/runs';
import { expectSame } from '../../support/same';
import { GateReference } from './gateReference';
import {
  type TimedObservation,
  catchUp,
  gate,
  gateArb,
  noSignal,
  noticesOf,
  observationsArb,
  run,
  smoothedGateArb,
  stored,
  timer,
  value,
} from './gateRuns';

const NOW_MS = 1_700_000_000_000;

/** Values every 100 ms from 0 on. */
const every100 = (...percents: readonly number[]): TimedObservation[] =>
  percents.map((percent, i) => ({ atMs: 100 * i, observation: value(percent) }));

const kinds = (observations: readonly TimedObservation[], parameters: GateParameters, untilMs?: number) =>
  run(observations, parameters, untilMs).notices.map(({ atMs, kind, signal }) => `${atMs} ${kind} ${signal}`);

describe('the gate', () => {
  test('with nothing set reports every change of the bare rule', () => {
    expect(kinds(every100(0, 10, 10.1, 10, -10.1, 11), bareGate(10))).toEqual([
      '200 alert SELLING',
      '300 recovered NEUTRAL',
      '400 alert BUYING',
      '500 alert SELLING',
    ]);
  });

  test('says how long what it reports has lasted', () => {
    const { steps } = run(every100(0, 20, 20, 20, 20, 0), gate({ pendingMs: 100, repeatEveryMs: 200 }));
    expect(steps.map(({ outcome: { kind, lastedMs } }) => [kind, lastedMs])).toEqual([
      ...[
        [null, null],
        [null, null],
      ],
      // Beyond the threshold since 100.
      ['alert', 100],
      [null, null],
      ['repeat', 200],
      ['recovered', 300],
    ]);
  });

  test('a pending period must be filled without a break', () => {
    const parameters = gate({ pendingMs: 300 });
    expect(kinds(every100(20, 20, 20, 0, 20, 20, 20, 20), parameters)).toEqual(['700 alert SELLING']);
    expect(kinds(every100(20, 20, -20, -20, -20, -20), parameters)).toEqual(['500 alert BUYING']);
  });

  test('a pending period ends on a timer where no update comes', () => {
    expect(kinds(every100(0, 20), gate({ pendingMs: 5000 }), 50_000)).toEqual(['5100 alert SELLING']);
  });

  test('consecutive updates are counted without timers', () => {
    const parameters = gate({ consecutiveUpdates: 3 });
    const ticks: TimedObservation[] = [10, 20, 30].map((atMs) => ({ atMs, observation: timer }));
    expect(kinds([...every100(20), ...ticks], parameters, 50_000)).toEqual([]);
    expect(kinds(every100(20, 20, 20), parameters)).toEqual(['200 alert SELLING']);
  });

  test('an alert ends at the lower threshold only, and that threshold itself is low enough', () => {
    expect(kinds(every100(20, 6, 11, 5.01, 5), gate())).toEqual(['0 alert SELLING', '400 recovered NEUTRAL']);
  });

  test('it keeps firing until the value has been low for long enough, on a timer too', () => {
    const parameters = gate({ keepFiringMs: 250 });
    expect(kinds(every100(20, 0, 0, 6, 0), parameters, 10_000)).toEqual([
      '0 alert SELLING',
      '650 recovered NEUTRAL',
    ]);
  });

  test('the other direction needs its own pending period, and may come at once while the old one is kept', () => {
    const parameters = gate({ pendingMs: 200, keepFiringMs: 1000 });
    const { steps, notices } = run(every100(20, 20, 20, -20, -20, -20), parameters);
    expect(notices.map(({ atMs, signal }) => [atMs, signal])).toEqual([
      [200, 'SELLING'],
      [500, 'BUYING'],
    ]);
    expect(steps.map(({ outcome }) => outcome.state)).toEqual([
      'pending',
      'pending',
      'firing',
      'recovering',
      'recovering',
      'firing',
    ]);
    expect(steps.at(-1)?.outcome).toMatchObject({
      signal: 'BUYING',
      previousSignal: 'SELLING',
      changed: true,
      sinceMs: 500,
    });
  });

  test('a cooldown delays an alert to its end and drops one that is over by then', () => {
    const parameters = gate({ cooldownMs: 1000 });
    expect(kinds(every100(20, 0, 20), parameters, 5000)).toEqual([
      '0 alert SELLING',
      '100 recovered NEUTRAL',
      '1000 alert SELLING',
    ]);
    expect(kinds(every100(20, 0, 20, 0), parameters, 5000)).toHaveLength(2);
  });

  test('it repeats while it lasts, not while it recovers', () => {
    const parameters = gate({ repeatEveryMs: 1000, keepFiringMs: 60_000 });
    expect(kinds(every100(20), parameters, 3500)).toEqual([
      '0 alert SELLING',
      '1000 repeat SELLING',
      '2000 repeat SELLING',
      '3000 repeat SELLING',
    ]);
    expect(kinds(every100(20, 0), parameters, 3500)).toEqual(['0 alert SELLING']);
  });

  test('no signal is reported after its time, once, and its end as well', () => {
    const parameters = gate({ noSignalAfterMs: 400 });
    const lost: TimedObservation = { atMs: 100, observation: noSignal };
    const { steps, notices } = run(
      [...every100(20), lost, { atMs: 900, observation: value(20) }],
      parameters,
    );
    expect(notices).toEqual([
      { atMs: 0, kind: 'alert', signal: 'SELLING' },
      { atMs: 500, kind: 'no-signal', signal: null },
      { atMs: 900, kind: 'alert', signal: 'SELLING' },
    ]);
    expect(steps[1].outcome).toMatchObject({
      state: 'firing',
      signal: 'SELLING',
      reason: 'stale',
      percent: null,
    });
    expect(steps[2].outcome).toMatchObject({
      state: 'no-signal',
      signal: null,
      reason: 'stale',
      changed: true,
    });
    const back = [...every100(20), lost, { atMs: 900, observation: value(0) }];
    expect(run(back, parameters).notices.at(-1)).toEqual({ atMs: 900, kind: 'recovered', signal: 'NEUTRAL' });
  });

  test('no signal ends a pending period and starts the time toward recovery again', () => {
    const blink: TimedObservation = { atMs: 250, observation: noSignal };
    expect(
      kinds(
        [...every100(20, 20, 20), blink, { atMs: 260, observation: value(20) }],
        gate({ pendingMs: 300 }),
        5000,
      ),
    ).toEqual(['560 alert SELLING']);
    expect(
      kinds(
        [...every100(20, 0, 0), blink, { atMs: 260, observation: value(0) }],
        gate({ keepFiringMs: 300 }),
        5000,
      ),
    ).toEqual(['0 alert SELLING', '560 recovered NEUTRAL']);
  });

  test('smoothing weighs the value that held before, so one wild update is nothing', () => {
    const parameters = gate({ smoothingHalfLifeMs: 1000 });
    expect(kinds(every100(0, 100, 0, 0, 0), parameters, 5000)).toEqual([]);
    // From 0 toward 20 the mean passes 10 after one half-life: on a timer, just beyond it.
    expect(kinds(every100(0, 20), parameters, 5000)).toEqual(['1101 alert SELLING']);
  });

  test('a time that runs backwards counts as standing still', () => {
    const first = step(startGate(1000), value(20), 2000, gate({ pendingMs: 500 }));
    const back = step(first.state, value(20), 500, gate({ pendingMs: 500 }));
    expect(back.state.atMs).toBe(2000);
    expect(back.outcome.fire).toBe(false);
  });

  test('nothing is caught up after a long time without a step', () => {
    const parameters = gate({ pendingMs: 500 });
    const { state, nextDeadlineMs } = step(startGate(0), value(20), 0, parameters);
    expect(catchUp(state, nextDeadlineMs, 500, parameters)).toEqual([]);
    expect(catchUp(state, nextDeadlineMs, MAX_CATCH_UP_MS, parameters)).toHaveLength(1);
    expect(catchUp(state, nextDeadlineMs, MAX_CATCH_UP_MS + 1, parameters)).toEqual([]);
    // For long means since the last step, and not since a clock's beginning.
    const late = step(startGate(NOW_MS), value(20), NOW_MS, parameters);
    expect(catchUp(late.state, late.nextDeadlineMs, NOW_MS + MAX_CATCH_UP_MS, parameters)).toHaveLength(1);
    expect(catchUp(late.state, late.nextDeadlineMs, NOW_MS + MAX_CATCH_UP_MS + 1, parameters)).toEqual([]);
  });

  test('asks for no timer where nothing can fall due', () => {
    expect(step(startGate(0), value(0), 0, gate()).nextDeadlineMs).toBeNull();
    expect(step(startGate(0), value(20), 0, gate({ pendingMs: 5 })).nextDeadlineMs).toBe(5);
  });
});

describe('properties of the gate', () => {
  const anyGate = fc.oneof(gateArb, smoothedGateArb);
  const often = runs(300);

  test('agrees with the second implementation at every step', () => {
    let notices = 0;
    const often = runs(600);
    fc.assert(
      fc.property(observationsArb(30), anyGate, (observations, parameters) => {
        const reference = new GateReference(0, parameters);
        let before: Signal | null = 'NEUTRAL';
        for (const { state, outcome, observation } of observedRun(observations, parameters)) {
          const expected = reference.step(observation, state.atMs);
          const { percent, signal, previousSignal, kind, sinceMs } = outcome;
          const { fire, changed, state: phase } = outcome;
          const { percent: wanted, ...others } = expected;
          expectSame(
            { signal, previousSignal, kind, sinceMs, state: phase, fire, changed },
            { ...others, fire: kind !== null, changed: signal !== before },
          );
          const near = percent !== null && wanted !== null && Math.abs(percent - wanted) < 5e-7;
          if (!near) expect(percent).toBe(wanted);
          before = signal;
          if (kind !== null) notices++;
        }
      }),
      often,
    );
    expect(notices).toBeGreaterThan(often.numRuns);
  });

  test('a timer every millisecond reports nothing else than one at the deadlines', () => {
    fc.assert(
      fc.property(observationsArb(12), anyGate, (observations, parameters) => {
        const endMs = (observations.at(-1)?.atMs ?? 0) + 100;
        const dense: TimedObservation[] = [];
        let next = 0;
        for (let atMs = 0; atMs <= endMs; atMs++) {
          while (observations[next]?.atMs === atMs) dense.push(observations[next++]);
          dense.push({ atMs, observation: timer });
        }
        const densely = dense.reduce<{ state: GateState; steps: ReturnType<typeof step>[] }>(
          ({ state, steps }, { atMs, observation }) => {
            const taken = step(state, observation, atMs, parameters);
            return { state: taken.state, steps: [...steps, taken] };
          },
          { state: startGate(0), steps: [] },
        );
        expect(run(observations, parameters, endMs).notices).toEqual(noticesOf(densely.steps));
      }),
      runs(200),
    );
  });

  test('never two alerts within a cooldown, repeats among them', () => {
    fc.assert(
      fc.property(observationsArb(40), anyGate, (observations, parameters) => {
        const { notices } = run(observations, parameters);
        for (const reported of [['alert', 'repeat'], ['no-signal']]) {
          const times = notices.filter(({ kind }) => reported.includes(kind)).map(({ atMs }) => atMs);
          times
            .slice(1)
            .forEach((atMs, i) => expect(atMs - times[i]).toBeGreaterThanOrEqual(parameters.cooldownMs));
        }
      }),
      often,
    );
  });

  test('never an alert before the value was beyond the threshold for the whole pending period', () => {
    fc.assert(
      fc.property(observationsArb(40), anyGate, (observations, parameters) => {
        const { steps } = run(observations, parameters);
        steps.forEach(({ atMs, outcome: { kind, signal } }, at) => {
          if (kind !== 'alert') return;
          const sign = signal === 'SELLING' ? 1 : -1;
          const upTo = steps.slice(0, at + 1);
          // Of several steps at the moment when the period began, the last: what came before it at that moment may differ.
          const from = upTo.findLastIndex((taken) => taken.atMs <= atMs - parameters.pendingMs);
          expect(from).toBeGreaterThanOrEqual(0);
          for (const { outcome } of upTo.slice(from)) {
            expect(sign * (outcome.percent ?? NaN)).toBeGreaterThan(parameters.threshold);
          }
        });
      }),
      often,
    );
  });

  test('no chatter: a value that stays inside the band, ends and all, changes nothing', () => {
    const inside = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 10 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(inside, gateArb, fc.boolean(), (moves, chosen, firing) => {
        const parameters = {
          ...chosen,
          threshold: 10,
          recoveryThreshold: 0,
          repeatEveryMs: 0,
          pendingMs: 0,
          consecutiveUpdates: 1,
        };
        let atMs = 0;
        const observations: TimedObservation[] = [
          { atMs, observation: value(firing ? 20 : 0) },
          ...moves.map(([wait, percent]) => ({ atMs: (atMs += wait), observation: value(percent) })),
        ];
        expect(run(observations, parameters).notices).toHaveLength(firing ? 1 : 0);
      }),
      often,
    );
  });

  test('is the same for both directions', () => {
    fc.assert(
      fc.property(observationsArb(30), anyGate, (observations, parameters) => {
        const mirrored = observations.map(({ atMs, observation }) => ({
          atMs,
          observation: observation.kind === 'value' ? value(-observation.percent) : observation,
        }));
        const turned = { SELLING: 'BUYING', BUYING: 'SELLING', NEUTRAL: 'NEUTRAL' } as const;
        expect(run(mirrored, parameters).notices).toEqual(
          run(observations, parameters).notices.map((notice) => ({
            ...notice,
            signal: notice.signal === null ? null : turned[notice.signal],
          })),
        );
      }),
      often,
    );
  });

  test('equality with the threshold is no reason for an alert', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 99, noNaN: true }), (threshold) => {
        expect(run(every100(threshold, -threshold, threshold), bareGate(threshold)).notices).toEqual([]);
      }),
    );
  });

  test('goes on after being written to JSON and read again at any step', () => {
    fc.assert(
      fc.property(observationsArb(20), anyGate, (observations, parameters) => {
        let state = startGate(0);
        for (const { atMs, observation } of observations) {
          const { state: restored } = restoreGate(stored(state), atMs, 1e9);
          const direct = step(state, observation, atMs, parameters);
          expectSame(step(restored, observation, atMs, parameters), direct);
          state = direct.state;
        }
      }),
      often,
    );
  });

  test('its deadline lies ahead, and is always reached in the end', () => {
    fc.assert(
      fc.property(observationsArb(10), anyGate, (observations, parameters) => {
        const { steps } = run(observations, { ...parameters, repeatEveryMs: 0 });
        for (const { nextDeadlineMs, atMs } of steps) {
          if (nextDeadlineMs !== null) expect(nextDeadlineMs).toBeGreaterThan(atMs);
        }
        const last = steps[steps.length - 1];
        // Without repeats it comes to rest: nothing wakes anybody for ever.
        const rest = catchUp(last.state, last.nextDeadlineMs, last.atMs + 50_000, {
          ...parameters,
          repeatEveryMs: 0,
        });
        expect(rest.length).toBeLessThan(30);
      }),
      often,
    );
  });
});

function observedRun(observations: readonly TimedObservation[], parameters: GateParameters) {
  let state = startGate(0);
  return observations.map(({ atMs, observation }) => {
    const taken = step(state, observation, atMs, parameters);
    state = taken.state;
    return { ...taken, observation };
  });
}
