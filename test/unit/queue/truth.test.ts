import { type Alert, alertFaults } from '../../queue/truth';

/** What the rule says of events 1 to 6. */
const SIGNALS = (['NEUTRAL', 'SELLING', 'SELLING', 'NEUTRAL', 'BUYING', 'NEUTRAL'] as const).map(
  (signal, i) => ({ id: i + 1, signal }),
);
const WARNING = 'Held up by a restart of the trigger. It may have been reported before.';

const alert = (id: number, previousSignal: Alert['previousSignal'], warning?: string): Alert => ({
  ...{ lastUpdateId: id, signal: SIGNALS[id - 1].signal, previousSignal },
  ...(warning === undefined ? {} : { warning }),
});
const SELLING = alert(2, 'NEUTRAL');
const ENDED = alert(4, 'SELLING');
const BUYING = alert(5, 'NEUTRAL');
const LAST = alert(6, 'BUYING');

const faults = (
  alerts: readonly Alert[],
  before: Alert | null,
  blind: Array<readonly [number, number]> = [],
) => alertFaults(SIGNALS, blind, alerts, before);

describe('what is wrong with the alerts of a queue accident', () => {
  test('each change once, in whatever order they arrived: nothing', () => {
    expect(faults([BUYING, LAST, ENDED], SELLING)).toEqual([]);
  });

  test('a change that the rule does not see is named', () => {
    expect(faults([{ ...ENDED, signal: 'BUYING' }], SELLING)).toEqual([
      'at 4 BUYING was reported where the rule says NEUTRAL',
    ]);
  });

  test('a lost alert is noticed by the next one, which follows what was lost', () => {
    expect(faults([BUYING, LAST], SELLING)).toEqual([
      'at 5 an alert after NEUTRAL, and the one before it said SELLING',
    ]);
  });

  test('lost alerts are noticed by the rule, where the next one follows on', () => {
    expect(faults([alert(6, 'SELLING')], SELLING)).toEqual(['no alert at 4, where SELLING became NEUTRAL']);
  });

  test('what changed while nothing watched the market is no loss', () => {
    expect(faults([alert(6, 'SELLING')], SELLING, [[3, 5]])).toEqual([]);
  });

  test.each([
    ['at the one before the accident', [ENDED], ENDED],
    ['older than that', [SELLING], ENDED],
    ['among those after it', [ENDED, ENDED], SELLING],
  ])('an alert that comes twice without a word is named: %s', (_, alerts, before) => {
    expect(faults([...alerts, BUYING], before)).toEqual([
      `the alert at ${alerts[0].lastUpdateId} came twice`,
    ]);
  });

  test('alerts that say that they may be repeats may be the last ones before a kill, two of them too', () => {
    expect(faults([alert(2, 'NEUTRAL', WARNING), alert(4, 'SELLING', WARNING), BUYING], ENDED)).toEqual([]);
  });

  test('a repeat hides no alert that is lost', () => {
    expect(faults([alert(2, 'NEUTRAL', WARNING), BUYING], SELLING)).toEqual([
      'at 5 an alert after NEUTRAL, and the one before it said SELLING',
    ]);
  });
});
