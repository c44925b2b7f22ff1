import { bareGate, withThreshold } from '../../../src/signal/gate/gateParameters';
import { type GateOutcome, startGate } from '../../../src/signal/gate/gateState';
import { AlertWatch } from '../../../src/trigger/alertWatch';
import { monotonicMs } from '../../../src/runtime/time';

const GATE = { ...bareGate(10), noSignalAfterMs: null };
const at = (threshold: number) => ({ parameters: withThreshold(GATE, threshold), from: 'budget' as const });

const fired: Array<readonly [kind: unknown, signal: unknown]> = [];
let watch: AlertWatch;
beforeEach(() => {
  fired.length = 0;
  const onFire = ({ kind, signal }: GateOutcome) => void fired.push([kind, signal]);
  watch = new AlertWatch(GATE, startGate(monotonicMs()), onFire);
});
afterEach(() => watch.stop());
const see = (percent: number) => watch.onValue(percent, monotonicMs());

test('another threshold holds at once where nothing is reported or about to be', () => {
  see(5);
  watch.tune(at(4));
  expect(watch.tuning).toEqual(at(4));
  see(5);
  expect(fired).toEqual([['alert', 'SELLING']]);
});

test('a book that sends no update is judged by it too', async () => {
  see(5);
  watch.tune(at(4));
  while (fired.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(fired).toEqual([['alert', 'SELLING']]);
});

test('the alert that is under way keeps its threshold to its end', () => {
  see(20);
  watch.tune(at(50));
  see(15);
  expect(watch.tuning.from).toBe('set');
  expect(fired).toEqual([['alert', 'SELLING']]);
  see(3);
  see(3);
  expect(watch.tuning).toEqual(at(50));
  see(30);
  expect(fired).toEqual([
    ['alert', 'SELLING'],
    ['recovered', 'NEUTRAL'],
  ]);
});

test('so does one that is about to be', () => {
  watch.stop();
  const onFire = ({ kind, signal }: GateOutcome) => void fired.push([kind, signal]);
  watch = new AlertWatch({ ...GATE, pendingMs: 86_400_000 }, startGate(0), onFire);
  watch.onValue(20, 0);
  watch.tune(at(50));
  expect(watch.tuning.from).toBe('set');
  watch.onValue(3, 1);
  expect(watch.tuning).toEqual(at(50));
});
