/**
 * `npm run audit`: looks at what a user of n8n installs with the package, and at nothing else: exact versions, integrity
 * of each, no install scripts, no file that does not belong there, and known weaknesses as the registry reports them.
 * `--strict`, for publishing, also fails where the registry does not answer, and where the build is missing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmCommand, npmEnv, run } from './processes';

const ROOT = join(__dirname, '..');

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly peer?: boolean;
}

/** What is wrong with the packages that are shipped, a line each. */
export function lockTrouble(
  dependencies: Readonly<Record<string, string>>,
  packages: Readonly<Record<string, LockedPackage>>,
): string[] {
  const trouble: string[] = [];
  for (const [name, range] of Object.entries(dependencies))
    if (packages[`node_modules/${name}`]?.version !== range)
      trouble.push(`${name}: package.json asks for ${range}, which is not one exact, locked version`);
  for (const [path, { dev, peer, integrity, hasInstallScript }] of Object.entries(packages)) {
    if (path === '' || dev || peer) continue;
    if (!integrity) trouble.push(`${path}: locked without a hash`);
    if (hasInstallScript) trouble.push(`${path}: runs a script when it is installed`);
  }
  return trouble;
}

/** What of package.json says which files there must be. */
interface Manifest {
  readonly main: string;
  readonly n8n: { readonly credentials: readonly string[]; readonly nodes: readonly string[] };
}

/** What the build makes, what n8n reads beside it, and the documents. No name that begins with a dot, no test. */
const KNOWN = [
  /^dist\/(src|nodes|credentials)\/(\w+\/)*\w+(\.node|\.credentials)?\.(js|d\.ts)$/,
  /^dist\/nodes\/\w+\/\w+\.node\.json$/,
  /^dist\/charts\/(chartWorker\.js|resvg\.wasm|Roboto-(Regular|Bold)\.ttf|LICENSES\.txt)$/,
  /^dist\/(nodes|credentials|icons)\/(\w+\/)*\w+(\.dark)?\.svg$/,
  /^(docs\/|bench\/|workflows\/)?[\w-]+\.md$/,
  /^docs\/examples\/[\w-]+\.(mjs|py|yaml)$/,
  /^(docs\/images|bench\/plots|workflows\/images)\/[\w-]+\.(png|svg)$/,
  /^workflows\/[\w-]+\.json$/,
];

/** What is wrong with the files of the package, a line each. @param whole the build has to be there */
export function fileTrouble(files: readonly string[], manifest: Manifest, whole: boolean): string[] {
  const own = ['package.json', 'README.md', 'LICENSE', manifest.main];
  const named = [...own, ...manifest.n8n.credentials, ...manifest.n8n.nodes];
  return [
    ...files
      .filter((file) => !own.includes(file) && !KNOWN.some((form) => form.test(file)))
      .map((file) => `${file}: does not belong into the package`),
    ...(whole ? named : own)
      .filter((file) => !files.includes(file))
      .map((file) => `${file}: is not in the package`),
  ];
}

/** The files that would be published now. */
async function packedFiles(): Promise<string[]> {
  const npm = npmCommand(['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error']);
  const lines: string[] = [];
  const options = { cwd: ROOT, env: npmEnv(), onLine: (line: string) => lines.push(line) };
  const { code, tail } = await run(npm.command, npm.args, { ...options, timeoutMs: 60_000 });
  if (code !== 0) throw new Error(`npm pack ended with code ${code}:\n${tail}`);
  // npm's other output comes before the list.
  const [packed] = JSON.parse(lines.slice(lines.indexOf('[')).join('\n')) as [
    { files: Array<{ path: string }> },
  ];
  return packed.files.map(({ path }) => path);
}

async function main(strict: boolean): Promise<number> {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(ROOT, name), 'utf8'));
  const manifest = read('package.json') as Manifest & { dependencies: Record<string, string> };
  const { dependencies } = manifest;
  const { packages } = read('package-lock.json') as { packages: Record<string, LockedPackage> };
  const files = await packedFiles();
  const trouble = [...lockTrouble(dependencies, packages), ...fileTrouble(files, manifest, strict)];
  if (trouble.length > 0) {
    console.error(trouble.join('\n'));
    return 1;
  }
  const shipped = Object.entries(packages).filter(([path, { dev, peer }]) => path !== '' && !dev && !peer);
  console.log(`${shipped.length} shipped packages: exact versions, hashed, no install scripts`);
  console.log(`${files.length} files in the package, and none that does not belong there`);

  const npm = npmCommand(['audit', '--omit=dev', '--omit=peer', '--json']);
  const lines: string[] = [];
  const onLine = (line: string) => lines.push(line);
  const { code } = await run(npm.command, npm.args, { cwd: ROOT, env: npmEnv(), onLine, timeoutMs: 60_000 });
  const text = lines.join('\n');
  if (/"vulnerabilities": \{/.test(text)) {
    console.log(code === 0 ? 'No known weakness in any of them' : text);
    return code;
  }
  console.log(`NOT AUDITED for known weaknesses: the registry in use gives no answer to \`npm audit\``);
  return strict ? 1 : 0;
}

if (require.main === module) {
  void main(process.argv.includes('--strict')).then((code) => {
    process.exitCode = code;
  });
}
