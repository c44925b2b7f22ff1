import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildIfNeeded } from '../../scripts/demo/build';
import { packProject } from '../../scripts/n8n/communityPackage';
import { ensureN8n } from '../../scripts/n8n/install';
import { N8nInstance } from '../../scripts/n8n/instance';
import { openRunFolder } from '../support/runFolder';
import { failingProxies, FailingServers } from './failingServers';

/** The parts of Jest's configuration that say how many files run side by side. */
interface RunConfig {
  readonly maxWorkers: number;
  readonly testPathPatterns: { readonly patterns: readonly string[] };
}

/**
 * A real n8n with the packed package for each worker: files that run side by side share no embedded store, and a file
 * cleans up its workflows for the next one.
 */
export default async function globalSetup({ maxWorkers, testPathPatterns }: RunConfig): Promise<void> {
  openRunFolder();
  await buildIfNeeded();
  const layout = await ensureN8n();
  const folder = mkdtempSync(join(tmpdir(), 'orderflow-e2e-'));
  const tarball = await packProject(folder);
  const { patterns } = testPathPatterns;
  const files = readdirSync(__dirname).filter((name) => {
    const isWanted = (pattern: string): boolean => new RegExp(pattern, 'i').test(join(__dirname, name));
    return name.endsWith('.test.ts') && (patterns.length === 0 || patterns.some(isWanted));
  });
  const servers = new FailingServers();
  const env = await failingProxies(servers);
  const started = await Promise.allSettled(
    Array.from({ length: Math.max(1, Math.min(maxWorkers, files.length)) }, () =>
      N8nInstance.start({ layout, tarball, env }),
    ),
  );
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  teardown.run = async () => {
    await Promise.all(running.map((n8n) => n8n.stop()));
    await servers.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const failed = started.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await teardown.run();
    throw failed.reason;
  }
  process.env.ORDERFLOW_E2E_URLS = running.map(({ url }) => url).join('\n');
  process.env.ORDERFLOW_E2E_LOGS = running.map(({ logFile }) => logFile).join('\n');
  process.env.ORDERFLOW_E2E_TARBALL = tarball;
}

/** Set-up and teardown run in one process, in module registries of their own. */
export const teardown = ((globalThis as Record<string, unknown>).orderflowE2e ??= {}) as {
  run?: () => Promise<void>;
};
