import { isOrderFlowError } from '../../../src/runtime/errors';
import {
  type RawSignalParameters,
  SIGNAL_DEFAULTS,
  readSignalParameters,
} from '../../../src/signal/parameters';

function refusal(raw: RawSignalParameters): string {
  try {
    readSignalParameters(raw);
  } catch (error) {
    if (isOrderFlowError(error) && error.code === 'OF_PARAMETER') return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

test('what is not given takes its default', () => {
  expect(readSignalParameters({})).toEqual(SIGNAL_DEFAULTS);
});

test('numbers and text that is a number are taken', () => {
  const read = readSignalParameters({
    levels: ' 5 ',
    threshold: '12.5',
    maxAge: '0',
    matchLevels: 'true',
    costAmount: '1e4',
  });
  expect(read).toMatchObject({
    levels: 5,
    threshold: 12.5,
    maxAgeMs: 0,
    matchLevels: true,
    costAmount: 10_000,
  });
});

test('no amount, an empty one and zero ask for no cost', () => {
  for (const costAmount of [undefined, null, '', 0, '0']) {
    expect(readSignalParameters({ costAmount }).costAmount).toBeNull();
  }
});

test.each([
  ['Levels', { levels: 0 }, 'must be a whole number from 1 to 5000, not 0'],
  ['Levels', { levels: -1 }, 'not -1'],
  ['Levels', { levels: 1e9 }, 'not 1000000000'],
  ['Levels', { levels: 2.5 }, 'whole'],
  ['Levels', { levels: NaN }, 'not NaN'],
  ['Levels', { levels: Infinity }, 'not Infinity'],
  ['Levels', { levels: '0x10' }, 'not "0x10"'],
  ['Levels', { levels: '' }, 'not ""'],
  ['Levels', { levels: {} }, 'not a value of type object'],
  ['Levels', { levels: [20] }, 'not a list'],
  ['Levels', { levels: null }, 'not null'],
  ['Threshold (%)', { threshold: 100 }, 'below 100'],
  ['Threshold (%)', { threshold: -0.1 }, 'of at least 0 and below 100'],
  ['Threshold (%)', { threshold: 'ten\r\n' }, 'not "ten\\r\\n"'],
  ['Maximum Age (Seconds)', { maxAge: -1 }, 'from 0 to'],
  ['Maximum Age (Seconds)', { maxAge: 86_401 }, 'from 0 to 86400'],
  ['Measure', { measure: 'constructor' }, 'one of notional, quantity, queue, band'],
  ['Match Levels', { matchLevels: 1 }, 'true or false'],
  ['Band (Basis Points)', { bandBps: 0 }, 'above 0'],
  ['Band at Least (Spreads)', { bandMinSpreads: -1 }, 'from 0 to'],
  ['Cost of an Amount', { costAmount: -5 }, 'from 0 to'],
] as const)('%s %j is refused with the field and the limit', (field, raw, limit) => {
  const message = refusal(raw);
  expect(message).toContain(field);
  expect(message).toContain(limit);
});
