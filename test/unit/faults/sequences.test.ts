import fc from 'fast-check';
import { readCorpus } from '../../faults/corpus/corpus';
import { runSequence, sequence } from '../../faults/model/commands';
import { SEQUENCE_BUGS } from '../../faults/mutants';

const corpus = readCorpus();

test('whatever happens to a stream and its replies, no wrong book can be read, and it comes back', () => {
  fc.assert(
    fc.property(sequence, (one) => runSequence(one)),
    { numRuns: 300, seed: 20_261_123 },
  );
});

test.each(corpus)('the kept sequence %s passes', (_name, entry) => {
  runSequence(entry.sequence);
});

test.each(corpus.filter(([, entry]) => entry.bug !== null))(
  'the kept sequence %s fails with the bug that it shows',
  (_name, entry) => {
    const variant = SEQUENCE_BUGS.get(entry.bug ?? '');
    expect(variant).toBeDefined();
    expect(() => runSequence(entry.sequence, variant)).toThrow(entry.shows);
  },
);

test('each hand-made bug has a sequence that shows it', () => {
  expect(new Set(corpus.map(([, { bug }]) => bug).filter(Boolean))).toEqual(new Set(SEQUENCE_BUGS.keys()));
});
