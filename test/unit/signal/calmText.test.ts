import { calmText } from '../../../src/signal/gate/calmText';
import { GATE_DEFAULTS } from '../../../src/signal/gate/gateParameters';

test('the fields say in words how calm alerts are', () => {
  expect(calmText(GATE_DEFAULTS)).toBe(
    'must last 22 s, at most one alert in 60 s, ends after 5 s at or below half of the threshold',
  );
});
