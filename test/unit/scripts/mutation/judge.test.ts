import { judge, type MutationReport, type Reason } from '../../../../scripts/mutation/judge';

const SOURCE = ['const a = 1;', 'if (a < 2) {', '  run();', '}', 'if (a < 2) stop();'].join('\n');

const mutant = (status: string, line: number, becomes = 'a <= 2') => ({
  ...{ mutatorName: 'EqualityOperator', replacement: becomes, status },
  location: { start: { line, column: 5 }, end: { line, column: 10 } },
});

const report = (...mutants: ReturnType<typeof mutant>[]): MutationReport => ({
  files: { 'src/a.ts': { source: SOURCE, mutants } },
});

const reasonFor = (line: string, file = 'src/a.ts'): Reason => ({
  reason: 'equal values end in the same place',
  mutants: { [file]: [{ line, was: 'a < 2', becomes: 'a <= 2' }] },
});

test.each(['Survived', 'NoCoverage', 'Pending'])(
  '%s without a reason is open, and named by its text',
  (status) => {
    const { files, unexplained, stale } = judge(report(mutant('Killed', 2), mutant(status, 5)), []);
    expect(files).toEqual([{ file: 'src/a.ts', mutants: 2, killed: 1, excused: 0 }]);
    expect(unexplained).toEqual([
      {
        ...{ file: 'src/a.ts', line: 'if (a < 2) stop();', was: 'a < 2', becomes: 'a <= 2' },
        at: { line: 5, column: 5 },
      },
    ]);
    expect(stale).toEqual([]);
  },
);

test('a written reason excuses the one mutant that it names', () => {
  const found = report(mutant('Survived', 2), mutant('Survived', 5));
  const { files, unexplained, stale } = judge(found, [reasonFor('if (a < 2) {')]);
  expect(files[0].excused).toBe(1);
  expect(unexplained).toMatchObject([{ line: 'if (a < 2) stop();' }]);
  expect(stale).toEqual([]);
  const twice = report(mutant('Survived', 2), mutant('Survived', 2));
  expect(judge(twice, [reasonFor('if (a < 2) {')]).unexplained).toHaveLength(1);
});

test('a reason whose mutant is killed or gone is stale; one for a file that was not run is left alone', () => {
  const killed = report(mutant('Killed', 2));
  expect(judge(killed, [reasonFor('if (a < 2) {')]).stale).toHaveLength(1);
  expect(judge(killed, [reasonFor('if (a < 3) {')]).stale).toHaveLength(1);
  expect(judge(killed, [reasonFor('if (a < 2) {', 'src/b.ts')]).stale).toEqual([]);
});

test('a mutant that merely took too long counts as noticed, or with a reason as excused', () => {
  const tooLong = report(mutant('Timeout', 2));
  expect(judge(tooLong, [])).toMatchObject({
    files: [{ killed: 1, excused: 0 }],
    unexplained: [],
    stale: [],
  });
  expect(judge(tooLong, [reasonFor('if (a < 2) {')])).toMatchObject({
    files: [{ killed: 0, excused: 1 }],
    ...{ unexplained: [], stale: [] },
  });
});

test('where a text occurs twice, the one that no test noticed has the reason', () => {
  const found = report(mutant('Timeout', 2), mutant('Survived', 2));
  expect(judge(found, [reasonFor('if (a < 2) {')])).toMatchObject({
    files: [{ killed: 1, excused: 1 }],
    ...{ unexplained: [], stale: [] },
  });
});

test('a mutant of several lines is named by its text on one', () => {
  const block = {
    ...mutant('Survived', 2, '{}'),
    location: { start: { line: 2, column: 12 }, end: { line: 4, column: 2 } },
  };
  expect(judge(report(block), []).unexplained).toMatchObject([{ was: '{ run(); }', becomes: '{}' }]);
});
