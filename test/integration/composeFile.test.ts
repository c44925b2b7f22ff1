import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TESTED_N8N } from '../../scripts/n8n/layout';
import { testRedisCredential } from '../../src/store/redis/credentialTest';
import { startRedis } from '../support/redisServer';

/** What can be checked of docs/docker.md without a Docker engine, besides what test/e2e/install.test.ts runs. */
const read = (file: string) => readFileSync(join(__dirname, '../..', file), 'utf8');
const compose = read('docs/examples/compose.yaml');

test('the images are of the n8n that the tests run', () => {
  const images = [compose, read('docs/docker.md')].flatMap((text) => text.match(/n8nio\/n8n:[\w.]+/g) ?? []);
  expect(new Set(images)).toEqual(new Set([`n8nio/n8n:${TESTED_N8N}`]));
});

test('Redis takes the options of the compose file, and the credential of the page fits it', async () => {
  const words = [...compose.slice(compose.indexOf('- redis-server')).matchAll(/^ +- (.*)$/gm)].map(
    ([, word]) => word.replace('${REDIS_PASSWORD:?put it into .env}', 'long').replace(/^''$/, '""'),
  );
  const options = words.join(' ').split('--').slice(1);
  expect(options).toHaveLength(4);
  const redis = await startRedis({ config: options });
  try {
    const credential = { host: redis.host, port: redis.port, user: 'default', password: 'long' };
    expect(await testRedisCredential(credential)).toMatchObject({ status: 'OK' });
    expect(await testRedisCredential({ ...credential, password: '' })).toMatchObject({ status: 'Error' });
  } finally {
    await redis.stop();
  }
});
