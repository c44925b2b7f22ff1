import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageName } from '../../scripts/n8n/communityPackage';
import type { N8nInstance } from '../../scripts/n8n/instance';
import { n8nLayout } from '../../scripts/n8n/layout';
import { nodeTypes } from '../../scripts/n8n/workflowBuilder';
import { npmEnv, run } from '../../scripts/processes';
import { type Certificate, CertificateWorkshop } from '../support/certificates';
import { ConnectProxy } from '../support/connectProxy';
import { LoopbackRegistry } from '../support/loopbackRegistry';
import { Bench } from './support';

/**
 * The ways of installing that README.md and docs/docker.md describe, as they are written there. The registry is one on
 * loopback that holds the packed package.
 */
const ROOT = join(__dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const bench = new Bench();
const workshop = new CertificateWorkshop();
const DISPLAY_NAMES = ['Binance Order Book Trigger', 'Order Flow Imbalance', 'Order Flow Data'];
let folder: string;
let home: string;
let registries: { http: LoopbackRegistry; https: LoopbackRegistry };
/** n8n asks one registry only, so a proxy leads that name to the one on loopback. Nothing listens at 1. */
const proxy = new ConnectProxy((host) => (host === 'registry.npmjs.org' ? registries.https.port : 1));
let proxyUrl: string;
let certificate: Certificate;
let n8n: N8nInstance;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'orderflow-install-'));
  home = join(folder, 'home');
  for (const name of ['packed', 'home', 'cache']) mkdirSync(join(folder, name));
  for (const name of ['npmrc', 'npmrc-global']) writeFileSync(join(folder, name), '');
  workshop.authority('registry-ca');
  certificate = workshop.certificate('registry-ca', 'registry', 'DNS:registry.npmjs.org');
  const held = LoopbackRegistry.pack(process.env.ORDERFLOW_E2E_TARBALL ?? '', join(folder, 'packed'));
  registries = {
    http: await LoopbackRegistry.start(held),
    https: await LoopbackRegistry.start(held, certificate),
  };
  proxyUrl = `http://127.0.0.1:${await proxy.listen()}`;
});
afterAll(async () => {
  await bench.close();
  await proxy.close();
  for (const registry of Object.values(registries)) await registry.close();
  workshop.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** No setting of the user's npm, and nothing of the tests in its cache. */
const npmSettings = () => ({
  npm_config_cache: join(folder, 'cache'),
  npm_config_userconfig: join(folder, 'npmrc'),
  npm_config_globalconfig: join(folder, 'npmrc-global'),
});

/** A command of a page, as its reader would give it. */
async function give(command: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { code, tail } = await run('sh', ['-c', command], {
    env: npmEnv({ ...npmSettings(), ...env }),
    cwd: folder,
    timeoutMs: 120_000,
  });
  if (code !== 0) throw new Error(`${command} ended with code ${code}:\n${tail}`);
}

/** What n8n shows our nodes as; an unknown one is an error. @param prefix of their types */
async function shownNodes(prefix = packageName()): Promise<string[]> {
  const nodeInfos = Object.values(nodeTypes()).map((type) => ({
    ...{ name: type.replace(packageName(), prefix), version: 1 },
  }));
  const found = await n8n.rest.request<Array<{ displayName: string }>>('POST', '/rest/node-types', {
    nodeInfos,
  });
  return found.map(({ displayName }) => displayName);
}

/** Settings that only older versions of n8n have; the pages say so. */
const OF_OLDER_VERSIONS = ['N8N_COMMUNITY_PACKAGES_ALLOW_TOOL_USAGE'];

test('the pages name only settings of n8n that there are', () => {
  const packages = join(n8nLayout().home, 'node_modules');
  const known = ['@n8n/config/dist', 'n8n-core/dist', 'n8n/dist/modules/community-packages']
    .flatMap((place) => readdirSync(join(packages, place), { withFileTypes: true, recursive: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
  const pages = ['docs', 'docs/examples', 'workflows'].flatMap((place) =>
    readdirSync(join(ROOT, place)).flatMap((name) => (/\.\w+$/.test(name) ? [join(place, name)] : [])),
  );
  const named = ['README.md', ...pages].flatMap((page) => [
    ...(read(page).match(/\b(N8N|EXECUTIONS|DB|QUEUE|OFFLOAD)_[A-Z0-9_]+\b/g) ?? []),
  ]);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !known.includes(name) && !OF_OLDER_VERSIONS.includes(name))).toEqual([]);
});

test('npm installs the package where n8n has never started, and for an image of its own', async () => {
  const env = { HOME: home, npm_config_registry: registries.http.url };
  const inReadme = /^ {4}(mkdir .*npm install .*)$/m.exec(read('README.md'))?.[1] ?? '';
  const docker = read('docs/docker.md');
  const inContainer = /^docker exec n8n (npm install .*)$/m.exec(docker)?.[1] ?? '';
  const inImage = /^RUN (npm install .*)$/m.exec(docker)?.[1] ?? '';
  expect(inReadme.split(' && ')[1]).toBe(inContainer.replace('/home/node/', '~/'));
  await give(inReadme, env);
  await give(inImage.replace('/home/node', folder), env);
  const installed = join(home, '.n8n/nodes/node_modules');
  expect(existsSync(join(installed, packageName(), 'docs/README.md'))).toBe(true);
  expect(existsSync(join(installed, packageName(), 'workflows/calm-slack-alert.json'))).toBe(true);
  // A second copy of n8n's own package would break its errors.
  expect(readdirSync(installed)).not.toContain('n8n-workflow');

  const extensions = /^ENV N8N_CUSTOM_EXTENSIONS=(.*)$/m.exec(docker)?.[1] ?? '';
  n8n = await bench.ownN8n({
    userFolder: home,
    tarball: undefined,
    env: {
      ...npmSettings(),
      ...{ N8N_CUSTOM_EXTENSIONS: extensions.replace('/home/node', folder) },
      ...{ HTTPS_PROXY: proxyUrl, https_proxy: proxyUrl, NODE_EXTRA_CA_CERTS: certificate.caFile },
    },
  });
  expect(await shownNodes()).toEqual(DISPLAY_NAMES);
  expect(await shownNodes('CUSTOM')).toEqual(DISPLAY_NAMES);
});

test('the dialog of the community nodes installs the package from the registry', async () => {
  // As if it had never been there. n8n itself goes on running: a second start would show nothing more.
  rmSync(join(home, '.n8n/nodes'), { recursive: true });
  await n8n.rest.request('POST', '/rest/community-packages', { name: packageName() });
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const [listed] = await n8n.rest.request<Array<Record<string, unknown>>>('GET', '/rest/community-packages');
  expect(listed).toMatchObject({ packageName: packageName(), installedVersion: version });
  expect(listed.failedLoading).not.toBe(true);
  expect(await shownNodes()).toEqual(DISPLAY_NAMES);
  expect(registries.https.asked).toContain(packageName());
});
