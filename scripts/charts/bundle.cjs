const {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require('node:fs');
const { dirname, join } = require('node:path');
const esbuild = require('esbuild');

const ROOT = join(__dirname, '..', '..');
const BUNDLE = join(ROOT, 'dist', 'charts');
const FONTS = '@expo-google-fonts/roboto';
const folderOf = (name) => dirname(require.resolve(`${name}/package.json`));
const fontFile = (weight) => join(folderOf(FONTS), weight, `Roboto_${weight}.ttf`);

/** Packages of which parts are in the bundle; those of d3 are found by the bundle itself. */
const ENGINE = '@resvg/resvg-wasm';

/**
 * Makes one file of the thread that draws charts, with the picture engine, the fonts and their licences beside it.
 * Nothing of it is a dependency: the package installs nothing more. The folder is complete or not there.
 */
function bundleCharts(target = BUNDLE) {
  mkdirSync(dirname(target), { recursive: true });
  const folder = mkdtempSync(`${target}-`);
  try {
    const { metafile } = esbuild.buildSync({
      entryPoints: [join(ROOT, 'src', 'charts', 'worker', 'chartWorker.ts')],
      outfile: join(folder, 'chartWorker.js'),
      absWorkingDir: ROOT,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: 'none',
      metafile: true,
      logLevel: 'error',
    });
    copyFileSync(require.resolve(`${ENGINE}/index_bg.wasm`), join(folder, 'resvg.wasm'));
    copyFileSync(fontFile('400Regular'), join(folder, 'Roboto-Regular.ttf'));
    copyFileSync(fontFile('700Bold'), join(folder, 'Roboto-Bold.ttf'));
    writeFileSync(join(folder, 'LICENSES.txt'), licences(Object.keys(metafile.inputs)));
    chmodSync(folder, 0o755);
    rmSync(target, { recursive: true, force: true });
    renameSync(folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the licences of the parts ask to be shipped with them. */
function licences(inputs) {
  const names = inputs.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);
  const parts = [...new Set(names)].sort().filter((name) => name !== ENGINE);
  const { version, license, repository } = JSON.parse(
    readFileSync(join(ROOT, 'node_modules', ENGINE, 'package.json'), 'utf8'),
  );
  const source = repository.replace(/^git@github\.com:(.*)\.git$/, 'https://github.com/$1');
  return [
    'This folder holds parts of other projects, under their licences.',
    `resvg.wasm and its loader in chartWorker.js: ${ENGINE} ${version}, ${license} (https://mozilla.org/MPL/2.0/). Its source: ${source}, of resvg: https://github.com/linebender/resvg.`,
    ...parts.map((name) => `chartWorker.js: ${name}\n\n${licenceOf(name, 'LICENSE')}`),
    `Roboto-Regular.ttf, Roboto-Bold.ttf\n\n${licenceOf(FONTS, 'LICENSE_FONT')}`,
  ].join('\n\n----------------------------------------\n\n');
}

const licenceOf = (name, file) => readFileSync(join(ROOT, 'node_modules', name, file), 'utf8').trim();

/** Bundles where something has changed since: for what runs from the sources. */
function bundleChartsIfNeeded() {
  const made = statSync(join(BUNDLE, 'chartWorker.js'), { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
  const charts = join(ROOT, 'src', 'charts');
  const sources = readdirSync(charts, { recursive: true }).map((name) => join(charts, name));
  const newest = [...sources, join(__dirname, 'bundle.cjs'), join(ROOT, 'package-lock.json')].map(
    (path) => statSync(path).mtimeMs,
  );
  if (made < Math.max(...newest)) bundleCharts();
}

module.exports = { bundleCharts, bundleChartsIfNeeded };
