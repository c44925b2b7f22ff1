import { releaseTrouble } from '../../../scripts/releaseCheck';

const sound = {
  repository: { url: 'git+https://github.com/somebody/orderflow.git' },
  homepage: 'https://github.com/somebody/orderflow#readme',
  author: { email: 'maintainers@orderflow.dev' },
};
const told = (over: Partial<typeof sound>, publisher = 'somebody/orderflow'): string[] =>
  releaseTrouble({ ...sound, ...over }, publisher);

test('a package that names the repository that publishes it can be published', () => {
  expect(told({})).toEqual([]);
});

test('a placeholder is told, with what to set', () => {
  const [line, ...others] = told({ repository: { url: 'git+https://orderflow.example/repository.git' } });
  expect(line).toMatch(
    /repository\.url is a placeholder .*Set it to git\+https:\/\/github\.com\/somebody\/orderflow\.git$/,
  );
  expect(others).toEqual([]);
  expect(told({ homepage: 'https://orderflow.example' })).toEqual([expect.stringContaining('homepage')]);
  expect(told({ author: { email: 'a@orderflow.example' } })).toEqual([
    expect.stringContaining('author.email'),
  ]);
});

test('another repository is told: its provenance would be refused', () => {
  expect(told({}, 'somebody/else')).toEqual([expect.stringContaining('but somebody/else publishes')]);
  expect(told({ repository: { url: 'https://github.com/somebody/orderflow' } })).toHaveLength(1);
  expect(told({}, '')).toEqual([expect.stringContaining('owner/name')]);
});
