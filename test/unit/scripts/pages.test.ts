import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DESCRIBED } from '../../../scripts/docs/described';
import { fieldsPage } from '../../../scripts/docs/fields';
import { workflowPicture } from '../../../scripts/docs/workflowPicture';
import { packageName } from '../../../scripts/n8n/communityPackage';
import type { Workflow } from '../../../scripts/n8n/workflowTypes';
import { ERROR_CATALOGUE } from '../../../src/runtime/errorCatalogue';
import { NO_SIGNAL_REASONS, reasonText } from '../../../src/signal/message';

const ROOT = join(__dirname, '../../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const markdownIn = (folder: string) =>
  readdirSync(join(ROOT, folder)).flatMap((name) => (name.endsWith('.md') ? [join(folder, name)] : []));
const pages = ['.', 'docs', 'workflows', 'bench', 'exchange'].flatMap(markdownIn);

/** The page without its blocks of code. */
const prose = (text: string) => text.replace(/^```[^]*?^```/gm, '');

/** A heading's name in links, as GitHub makes it. */
const anchor = (heading: string) =>
  heading
    .replace(/`|\*|\[|\]|\(.*?\)/g, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
const anchorsOf = (file: string) =>
  [...prose(read(file)).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading));

/** The links to files of the project. */
function linksOf(page: string): ReadonlyArray<{ link: string; file: string; heading?: string }> {
  return [...prose(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link]) => {
    if (/^https?:/.test(link)) return [];
    const [path, heading] = link.split('#');
    return [{ link, file: path === '' ? page : join(dirname(page), path), heading }];
  });
}

const manifest = JSON.parse(read('package.json')) as {
  readonly files: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
};
/** Whether the file comes with the package. */
const isPacked = (file: string) =>
  ['package.json', 'README.md', 'LICENSE'].includes(file) ||
  manifest.files.some((entry) => file === entry || file.startsWith(`${entry}/`) || matchesGlob(file, entry));
/** Of package.json's patterns only `folder/*.ending` is in use. */
function matchesGlob(file: string, pattern: string): boolean {
  const [folder, ending] = pattern.split('/*');
  return ending !== undefined && dirname(file) === folder && file.endsWith(ending);
}

/** Names in the first column of the tables, as code. */
const firstColumn = (text: string) => [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);

describe.each(pages)('%s', (page) => {
  const text = read(page);

  test('has no link that leads nowhere', () => {
    const broken = linksOf(page).flatMap(({ link, file, heading }) => {
      if (!existsSync(join(ROOT, file))) return [link];
      return heading === undefined || anchorsOf(file).includes(heading) ? [] : [link];
    });
    expect(broken).toEqual([]);
  });

  // Pages that come with the package lead to files that come with it, too.
  if (isPacked(page))
    test('leads to nothing that the package leaves behind', () => {
      const files = linksOf(page).map(({ file }) => file);
      expect(files.filter((file) => !isPacked(file) && !isPacked(join(file, 'x')))).toEqual([]);
    });

  test('names only scripts of npm that there are', () => {
    const named = [...text.matchAll(/\bnpm run (?:--silent )?([a-z][\w:]*)/g)].map(([, name]) => name);
    expect(named.filter((name) => !(name in manifest.scripts))).toEqual([]);
  });

  test('names only files of the project that there are', () => {
    const named = [
      ...text.matchAll(/`((?:src|scripts|test|docs|workflows|exchange|nodes)\/[\w./-]+\.\w+)`/g),
    ];
    expect(named.flatMap(([, file]) => (existsSync(join(ROOT, file)) ? [] : [file]))).toEqual([]);
  });

  test('names only error codes that there are', () => {
    const codes = [...text.matchAll(/\bOF_[A-Z_]+\b/g)].map(([code]) => code);
    expect(codes.filter((code) => !(code in ERROR_CATALOGUE))).toEqual([]);
  });
});

test('the index of the pages lists every page, and the one of the workflows every workflow', () => {
  const linked = (file: string) => [...read(file).matchAll(/\]\(([^)#\s/]+)\)/g)].map(([, link]) => link);
  const names = (folder: string, ending: string) =>
    readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(ending) && name !== 'README.md');
  expect(linked('docs/README.md').sort()).toEqual(names('docs', '.md').sort());
  expect(linked('workflows/README.md').sort()).toEqual(names('workflows', '.json').sort());
});

test('addresses of webhooks in the pages are those of the workflows', () => {
  const workflows = readdirSync(join(ROOT, 'workflows')).filter((name) => name.endsWith('.json'));
  const paths = workflows.flatMap((name) =>
    [...read(join('workflows', name)).matchAll(/"path": "([^"]+)"/g)].map(([, path]) => path),
  );
  const named = pages.flatMap((file) =>
    [...read(file).matchAll(/n8n\.example\.com\/(?:webhook|mcp)\/([\w-]+)/g)].map(([, path]) => path),
  );
  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((path) => !paths.includes(path))).toEqual([]);
});

test('the index of the workflows has a picture of each as it is (npm run docs:workflows)', () => {
  for (const file of readdirSync(join(ROOT, 'workflows')).filter((name) => name.endsWith('.json'))) {
    const picture = `images/${file.replace('.json', '.svg')}`;
    const workflow = JSON.parse(read(join('workflows', file))) as Workflow;
    expect(read(join('workflows', picture))).toBe(workflowPicture(workflow, packageName()));
    expect(read('workflows/README.md')).toContain(`![${workflow.name}](${picture})`);
  }
});

test('docs/fields.md has the fields as the nodes have them (npm run docs:fields)', () => {
  expect(read('docs/fields.md')).toBe(fieldsPage(DESCRIBED));
});

test('docs/no-signal.md has every reason for no signal, each with its sentence and what to do', () => {
  const text = read('docs/no-signal.md');
  expect(firstColumn(text)).toEqual(NO_SIGNAL_REASONS);
  for (const reason of NO_SIGNAL_REASONS)
    expect(text).toContain(`| \`${reason}\` | ${reasonText(reason)} | `);
});

test('docs/SIGNALS.md and docs/nodes.md name every reason for no signal', () => {
  expect(firstColumn(read('docs/SIGNALS.md'))).toEqual(expect.arrayContaining([...NO_SIGNAL_REASONS]));
  for (const reason of NO_SIGNAL_REASONS) expect(read('docs/nodes.md')).toContain(`\`${reason}\``);
});

test('no placeholder of an address is in what a user sees', () => {
  const filesIn = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true }).flatMap((entry) =>
      entry.isFile() && /\.(ts|json|md)$/.test(entry.name) ? [join(entry.parentPath, entry.name)] : [],
    );
  const seen = ['nodes', 'credentials', 'src', 'docs', 'workflows'].flatMap(filesIn);
  const placeholder = /n8n-nodes-orderflow\.example/;
  expect(seen.filter((file) => placeholder.test(readFileSync(file, 'utf8')))).toEqual([]);
  expect(read('README.md')).not.toMatch(placeholder);
  // What cannot be known before the first release: `npm run release:check` refuses to publish while it is not set.
  const lines = read('package.json').split('\n');
  expect(lines.filter((line) => placeholder.test(line)).map((line) => line.trim().split(':')[0])).toEqual([
    '"email"',
    '"url"',
  ]);
});
