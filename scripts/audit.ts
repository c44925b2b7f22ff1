/**
 * `npm run audit`: looks at what a user of n8n installs with the package, and at nothing else: exact versions, integrity
 * of each, no install scripts, and known weaknesses as the registry tells them. `--strict`, for publishing, also fails
 * where the registry does not tell.
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

async function main(strict: boolean): Promise<number> {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(ROOT, name), 'utf8'));
  const { dependencies } = read('package.json') as { dependencies: Record<string, string> };
  const { packages } = read('package-lock.json') as { packages: Record<string, LockedPackage> };
  const trouble = lockTrouble(dependencies, packages);
  if (trouble.length > 0) {
    console.error(trouble.join('\n'));
    return 1;
  }
  const shipped = Object.entries(packages).filter(([path, { dev, peer }]) => path !== '' && !dev && !peer);
  console.log(`${shipped.length} shipped packages: exact versions, hashed, no install scripts`);

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
