const { spawn } = require('node:child_process');
const { rm } = require('node:fs/promises');
const { join } = require('node:path');
const { dest, parallel, series, src } = require('gulp');
const { bundleCharts } = require('./scripts/charts/bundle.cjs');

const DIST = join(__dirname, 'dist');

const clean = () => rm(DIST, { recursive: true, force: true });

/** The compiler as the project has it, in its own process: its exit code is the task's. */
function compile(done) {
  const tsc = require.resolve('typescript/bin/tsc');
  const child = spawn(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: __dirname,
    stdio: 'inherit',
  });
  child.once('error', done);
  child.once('exit', (code) =>
    done(code === 0 ? undefined : new Error(`The compiler ended with code ${code}`)),
  );
}

/** What n8n reads beside the compiled nodes: icons and codex files. */
const assets = () =>
  src(['nodes/**/*.svg', 'nodes/**/*.node.json', 'credentials/**/*.svg', 'icons/**/*.svg'], {
    base: '.',
    encoding: false,
    allowEmpty: true,
    cwd: __dirname,
  }).pipe(dest(DIST));

/** The thread that draws charts is one file, so that nothing of it has to be installed. */
const charts = async () => bundleCharts();

exports.build = series(clean, parallel(compile, assets, charts));
exports.default = exports.build;
