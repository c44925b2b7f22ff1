import { existsSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { npmCommand, npmEnv, run, type RunResult } from '../processes';
import { createProgress, grouped, type Progress } from '../terminal';
import { DownloadCount } from './downloadCount';
import { N8nInstance } from './instance';
import {
  isInstalled,
  N8N_VERSION,
  n8nLayout,
  needsNodePackage,
  NODE_VERSION,
  nodePackageName,
  TESTED_N8N,
  type N8nLayout,
} from './layout';
import { withLock } from './lock';

/** As measured: 3.2 GB for n8n and 1 GB that npm keeps in its cache. Below this it would end with a full disk. */
const NEEDED_BYTES = 4.5e9;
/** Those that n8n cannot start without. Another version than the tested one need not have them all: n8n 2.0 has no isolated-vm. */
const nativeModules = ({ home }: N8nLayout) =>
  ['sqlite3', 'isolated-vm'].filter(
    (name) => N8N_VERSION === TESTED_N8N || existsSync(join(home, 'node_modules', name)),
  );

/** Why an install failed, with what to do about it. */
export class InstallError extends Error {
  override readonly name = 'InstallError';
}

/**
 * Makes a real n8n ready and returns where it lies. Does nothing where that is done already. Two calls at once, also
 * from two processes, install once.
 */
export async function ensureN8n(
  options: { readonly home?: string; readonly signal?: AbortSignal; readonly progress?: Progress } = {},
): Promise<N8nLayout> {
  const layout = n8nLayout(options.home);
  const isReady = () => isInstalled(layout) && existsSync(layout.database);
  if (isReady()) return layout;
  makeHome(layout);
  const progress = options.progress ?? createProgress();
  try {
    await withLock(
      `${layout.home}.lock`,
      (owner) => progress.phase(`Another install is under way (${owner}), waiting for it`),
      async () => {
        if (isReady()) return;
        if (!isInstalled(layout)) await install(layout, progress, options.signal);
        await startOnce(layout, progress, options.signal);
        progress.done(`n8n ${N8N_VERSION} is ready in ${layout.home}`);
      },
    );
  } finally {
    progress.done();
  }
  return layout;
}

async function install(layout: N8nLayout, progress: Progress, signal?: AbortSignal): Promise<void> {
  rmSync(layout.marker, { force: true });
  if (!existsSync(layout.n8nEntry) || !existsSync(layout.nodeBinary) || !(await loads(layout, signal))) {
    await download(layout, progress, signal);
    await compile(layout, progress, signal);
    if (!(await loads(layout, signal))) {
      throw new InstallError(
        `n8n was installed in ${layout.home} but does not load. Delete that folder and run \`npm run n8n:install\` again.`,
      );
    }
  }
  const installedAt = new Date().toISOString();
  writeFileSync(
    layout.marker,
    `${JSON.stringify({ n8n: N8N_VERSION, nodeRoot: layout.nodeRoot, installedAt }, null, 2)}\n`,
  );
}

function makeHome(layout: N8nLayout): void {
  try {
    mkdirSync(layout.home, { recursive: true });
  } catch (error) {
    throw new InstallError(
      `The folder ${layout.home} cannot be made (${(error as Error).message}). Set ORDERFLOW_N8N_HOME to a folder that can be written.`,
    );
  }
}

async function download(layout: N8nLayout, progress: Progress, signal?: AbortSignal): Promise<void> {
  const { bavail, bsize } = statfsSync(layout.home);
  if (bavail * bsize < NEEDED_BYTES && !existsSync(layout.n8nEntry)) {
    throw new InstallError(
      `n8n takes 3.2 GB, and 1 GB in npm's cache, and only ${grouped((bavail * bsize) / 1e9, 1)} GB are free at ${layout.home}. Free some, or set ORDERFLOW_N8N_HOME to a folder on another disk.`,
    );
  }
  const dependencies: Record<string, string> = { n8n: N8N_VERSION };
  if (needsNodePackage()) dependencies[nodePackageName()] = NODE_VERSION;
  // Older versions take their reader of spreadsheets, which nothing here uses, from outside of the registry.
  const overrides = N8N_VERSION === TESTED_N8N ? {} : { overrides: { xlsx: '0.18.5' } };
  const manifest = { name: 'orderflow-n8n-runtime', private: true, dependencies, ...overrides };
  writeFileSync(join(layout.home, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);

  progress.phase(`Downloading n8n ${N8N_VERSION} (3.2 GB and 1 GB in npm's cache, 3 to 6 minutes)`);
  const count = new DownloadCount();
  const onLine = (line: string) => count.take(line);
  const freeAtStart = bavail * bsize;
  const timer = setInterval(() => {
    const now = statfsSync(layout.home);
    const written = Math.max(0, freeAtStart - now.bavail * now.bsize);
    progress.detail(`${count.text}, ${grouped(written / 1e6)} MB written`);
  }, 1_000);
  // Scripts stay off: one package's tries to download sources from elsewhere and fails. The two native modules that
  // n8n cannot start without are compiled in the next step.
  const npm = npmCommand(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=http']);
  const result = await run(npm.command, npm.args, {
    cwd: layout.home,
    env: npmEnv(),
    onLine,
    signal,
  }).finally(() => clearInterval(timer));
  if (result.code !== 0) throw new InstallError(explainDownload(result, layout));
}

async function compile(layout: N8nLayout, progress: Progress, signal?: AbortSignal): Promise<void> {
  const modules = nativeModules(layout);
  progress.phase(`Compiling ${modules.join(' and ')} for Node ${NODE_VERSION} (1 minute)`);
  const env = npmEnv({
    PATH: `${dirname(layout.nodeBinary)}:${process.env.PATH ?? ''}`,
    npm_config_nodedir: layout.nodeRoot,
  });
  const npm = npmCommand(['rebuild', ...modules, '--ignore-scripts=false', '--foreground-scripts']);
  // npm's own script runs under the Node that the modules are for: they ask the running one which version that is.
  const command = npm.command === process.execPath ? layout.nodeBinary : npm.command;
  const onLine = (line: string) => {
    // The compiler's own steps, not its warnings.
    if (/^\s*(CC|CXX|LINK|SOLINK|AR|COPY)\(/.test(line)) progress.detail(line.trim().split('/').slice(-1)[0]);
  };
  const result = await run(command, npm.args, { cwd: layout.home, env, onLine, signal });
  if (result.code !== 0) throw new InstallError(explainCompile(result));
}

/** Checks that it works: n8n prints its version, and its native modules open under the Node that will run it. */
async function loads(layout: N8nLayout, signal?: AbortSignal): Promise<boolean> {
  const version = await run(layout.nodeBinary, [layout.n8nEntry, '--version'], { signal }).catch(() => null);
  if (version?.code !== 0 || version.tail.trim() !== N8N_VERSION) return false;
  const program = nativeModules(layout)
    .map((name) => `require(${JSON.stringify(name)})`)
    .join(';');
  const native = await run(layout.nodeBinary, ['-e', program], {
    cwd: join(layout.home, 'node_modules', 'n8n'),
    signal,
  });
  return native.code === 0;
}

async function startOnce(layout: N8nLayout, progress: Progress, signal?: AbortSignal): Promise<void> {
  progress.phase('Starting n8n once, which makes its database (half a minute)');
  const folder = dirname(dirname(layout.database));
  const userFolder = `${folder}.part`;
  for (const path of [folder, userFolder]) rmSync(path, { recursive: true, force: true });
  const n8n = await N8nInstance.start({ layout, userFolder, signal });
  await n8n.terminate();
  renameSync(userFolder, folder);
}

function explainDownload({ tail }: RunResult, layout: N8nLayout): string {
  const last = lastLines(tail);
  if (/ENOSPC/.test(tail)) {
    return `The disk of ${layout.home} is full. Free some space, or set ORDERFLOW_N8N_HOME to a folder on another disk.\n${last}`;
  }
  if (/EACCES|EPERM/.test(tail)) {
    return `No permission to write to ${layout.home}. Set ORDERFLOW_N8N_HOME to a folder of your own.\n${last}`;
  }
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|network/i.test(tail)) {
    return `The package registry cannot be reached. Check the network, and the proxy and registry settings of npm; then run \`npm run n8n:install\` again (it goes on where it stopped).\n${last}`;
  }
  return `npm could not install n8n ${N8N_VERSION}:\n${last}`;
}

function explainCompile({ tail }: RunResult): string {
  const last = lastLines(tail);
  if (
    /not found: make|make: not found|g\+\+|gcc|Could not find any Python|find Python|no compiler/i.test(tail)
  ) {
    return `A compiler is missing. Install it (Debian, Ubuntu: \`apt-get install -y build-essential python3\`; macOS: \`xcode-select --install\`) and run \`npm run n8n:install\` again.\n${last}`;
  }
  return `The native modules of n8n could not be compiled:\n${last}`;
}

function lastLines(tail: string): string {
  const wanted = tail.split('\n').filter((line) => line.trim() && !/npm http (fetch|cache)/.test(line));
  return wanted.slice(-15).join('\n');
}

if (require.main === module) {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => controller.abort(new InstallError('Stopped.')));
  }
  ensureN8n({ signal: controller.signal }).then(
    (layout) => console.log(`n8n ${N8N_VERSION} in ${layout.home}, run by ${layout.nodeBinary}`),
    (error: Error) => {
      console.error(`\n${error.message}`);
      process.exitCode = 1;
    },
  );
}
