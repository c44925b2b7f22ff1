import { releaseTrouble } from '../../../scripts/releaseCheck';

const sound = {
  version: '1.2.3',
  repository: { url: 'git+https://github.com/somebody/orderflow.git' },
  homepage: 'https://github.com/somebody/orderflow#readme',
  author: { email: 'maintainers@orderflow.dev' },
};

const reported = (over: Partial<typeof sound>, publisher = 'somebody/orderflow'): string[] =>
  releaseTrouble({ ...sound, ...over }, publisher, '# Changelog\n\n## 1.2.3\n');

test('a package that names the repository that publishes it can be published', () => {
  expect(reported({})).toEqual([]);
});

test('a placeholder is reported, with what to set', () => {
  const [line, ...others] = reported({ repository: { url: 'git+https://orderflow.example/repository.git' } });
  expect(line).toMatch(
    /repository\.url is a placeholder .*Set it to git\+https:\/\/github\.com\/somebody\/orderflow\.git$/,
  );
  expect(others).toEqual([]);
  expect(reported({ homepage: 'https://orderflow.example' })).toEqual([expect.stringContaining('homepage')]);
  expect(reported({ author: { email: 'a@orderflow.example' } })).toEqual([
    expect.stringContaining('author.email'),
  ]);
});

test('another repository is reported: its provenance would be refused', () => {
  expect(reported({}, 'somebody/else')).toEqual([expect.stringContaining('but somebody/else publishes')]);
  expect(reported({ repository: { url: 'https://github.com/somebody/orderflow' } })).toHaveLength(1);
  expect(reported({}, '')).toEqual([expect.stringContaining('owner/name')]);
});

test('a version that the changelog does not name is reported', () => {
  expect(reported({ version: '1.2.4' })).toEqual([expect.stringContaining('1.2.4')]);
});
