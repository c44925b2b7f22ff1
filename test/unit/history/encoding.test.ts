import fc from 'fast-check';
import { decodeSample, encodeSample, formatOf } from '../../../src/history/encoding';
import { expectSame } from '../../support/same';
import { anyContent, content } from './samples';

test('a sample is one short line of text', () => {
  expect(encodeSample(content({ resyncs: 1 }))).toBe(
    '1,53812345678,90000.15,0.1,-12.34,-8.1,-10.22,BNp,r1,n20/10@10,8',
  );
  const nothing = content({
    ...{ lastUpdateId: null, mid: null, spread: null, imbalancePercent: null },
    ...{ meanImbalancePercent60s: null, smoothedPercent: null, signal: null, reason: 'syncing' },
    ...{ gateSignal: null, gateState: null, began: true, alerts: 2, measure: 'band', depth: 7.5 },
    recoveryThreshold: null,
  });
  expect(encodeSample(nothing)).toBe('1,,,,,,,--.syncing,ba2,b7.5/10@10');
});

test('what is written is read again', () => {
  fc.assert(
    fc.property(anyContent, fc.nat({ max: 4_000_000_000_000 }), (written, timeMs) => {
      expectSame(decodeSample(timeMs, encodeSample(written)), { timeMs, ...written });
    }),
  );
});

test('what a later version puts behind is not read', () => {
  expect(decodeSample(1, `${encodeSample(content())},more,fields`)).toEqual({ timeMs: 1, ...content() });
});

test.each([
  '',
  '1',
  'hello',
  '2,53812345678,90000.15,0.1,-12.34,-8.1,-10.22,BNp,,n20/10@10',
  '1,53812345678,90000.15,0.1,-12.34,-8.1,-10.22,BNp,n20/10@10',
  '1,x,90000.15,0.1,-12.34,-8.1,-10.22,BNp,,n20/10@10',
  '1,1.5,90000.15,0.1,-12.34,-8.1,-10.22,BNp,,n20/10@10',
  '1,5,1e999,0.1,-12.34,-8.1,-10.22,BNp,,n20/10@10',
  '1,5,90000.15,0.1,-12.34,-8.1,-10.22,BN,,n20/10@10',
  '1,5,90000.15,0.1,-12.34,-8.1,-10.22,BNp<b>,,n20/10@10',
  '1,5,90000.15,0.1,-12.34,-8.1,-10.22,BNp,r0,n20/10@10',
  '1,5,90000.15,0.1,-12.34,-8.1,-10.22,BNp,,n20/10@0',
  '1,5,90000.15,0.1,-12.34,-8.1,-10.22,BNp,,n1.2.3/10@10',
  '1,5,90000.15,0.1,-12.34,-8.1,-10.22,BNp,,n20/10@10,about 8',
  `1,5,90000.15,0.1,-12.34,-8.1,-10.22,BNp,,n20/10@10,8,${'x'.repeat(300)}`,
])('%j is no sample', (text) => {
  expect(decodeSample(1, text)).toBeNull();
});

test('any text is a sample or none', () => {
  const pieces = fc.array(fc.constantFrom('1', ',', '-', '.', 'S', 'N', 'p', 'r2', 'n20/10@10', '9e9', ' '));
  fc.assert(
    fc.property(pieces, (parts) => {
      const text = parts.join('');
      const read = decodeSample(1, text);
      if (read !== null) expectSame(decodeSample(1, encodeSample(read)), read);
    }),
  );
});

test('a text names its version', () => {
  expect(formatOf(encodeSample(content()))).toBe(1);
  expect(formatOf('27,a')).toBe(27);
  expect(formatOf('x,a')).toBeNull();
});
