import { reasonText } from '../../../src/signal/message';

test('a reason in words, without its full stop', () => {
  expect(reasonText('too-little-history')).toBe(
    'The mean over the last minute is not known for long enough yet',
  );
});
