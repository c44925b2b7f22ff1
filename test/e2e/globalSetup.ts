import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildIfNeeded } from '../../scripts/demo/build';
import { packProject } from '../../scripts/n8n/communityPackage';
import { ensureN8n } from '../../scripts/n8n/install';
import { N8nInstance } from '../../scripts/n8n/instance';

/** One real n8n with the packed package for all files; each file cleans up its workflows. */
export default async function globalSetup(): Promise<void> {
  await buildIfNeeded();
  const layout = await ensureN8n();
  const folder = mkdtempSync(join(tmpdir(), 'orderflow-e2e-'));
  const tarball = await packProject(folder);
  const n8n = await N8nInstance.start({ layout, tarball });
  process.env.ORDERFLOW_E2E_URL = n8n.url;
  process.env.ORDERFLOW_E2E_TARBALL = tarball;
  process.env.ORDERFLOW_E2E_LOG = n8n.logFile;
  teardown.run = async () => {
    await n8n.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Set-up and teardown run in one process, in module registries of their own. */
export const teardown = ((globalThis as Record<string, unknown>).orderflowE2e ??= {}) as {
  run?: () => Promise<void>;
};
