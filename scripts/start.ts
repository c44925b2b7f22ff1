/**
 * `npm start`: a real n8n with this package and a demonstration workflow, live on the terminal. Builds where that is
 * needed; everything it starts is gone when it ends.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MARKETS } from '../src/binance/markets';
import { storeTopics } from '../src/store/keys';
import { buildIfNeeded } from './demo/build';
import { DemoConsole, type ResultItem, type StatusItem } from './demo/console';
import { openExchange } from './demo/exchangeSource';
import { readOptions, USAGE, UsageError, type DemoOptions } from './demo/options';
import { stopSignal } from './demo/stopSignal';
import { demoWorkflow, STATUS_PATH } from './demo/workflow';
import { Collector, type Received } from './n8n/collector';
import { packProject } from './n8n/communityPackage';
import { ensureN8n } from './n8n/install';
import { N8nInstance } from './n8n/instance';
import { portOr } from './n8n/ports';
import { N8N_VERSION } from './n8n/layout';
import { OWNER } from './n8n/restClient';
import { createProgress } from './terminal';

const USUAL_PORT = 5678;

/** Things to undo, last one first. */
type Cleanup = Array<() => Promise<void> | void>;

async function demonstrate(options: DemoOptions, signal: AbortSignal, cleanup: Cleanup): Promise<void> {
  await buildIfNeeded(signal);
  const layout = await ensureN8n({ signal });
  const source = await openExchange(options);
  cleanup.push(() => source.close());
  console.log(`Exchange: ${source.description}`);

  const screen = screenFor(options, source.symbols);
  const collector = await Collector.start((received) => show(screen, received));
  cleanup.push(() => collector.close());

  const progress = createProgress();
  cleanup.push(() => progress.done());
  progress.phase(`Installing the package into n8n ${N8N_VERSION} and starting it`);
  const folder = mkdtempSync(join(tmpdir(), 'orderflow-package-'));
  cleanup.push(() => rmSync(folder, { recursive: true, force: true }));
  const tarball = await packProject(folder);
  const port = await portOr(options.port ?? USUAL_PORT, options.port !== null);
  signal.throwIfAborted();
  const n8n = await N8nInstance.start({ layout, tarball, port, signal });
  cleanup.push(() => n8n.stop());
  signal.throwIfAborted();

  const credential = options.redis
    ? await n8n.rest.createCredential('Order Flow Redis', 'orderFlowRedisApi', { ...options.redis })
    : null;
  const workflow = demoWorkflow({ demo: options, source, collectorUrl: collector.url, credential });
  const saved = await n8n.rest.createWorkflow(workflow);
  progress.done();
  console.log(`Editor:   ${n8n.url}/workflow/${saved.id}`);
  console.log(`Login:    ${OWNER.email}  ${OWNER.password}`);
  console.log(
    `Store:    ${options.redis ? `Redis at ${options.redis.host}:${options.redis.port}` : 'this n8n process (--redis URL for Redis)'}`,
  );
  console.log('Ctrl+C ends it all.\n');
  screen.connecting(MARKETS[options.market].name + (source.baseUrls ? ', as played by the stand-in' : ''));
  await n8n.rest.activate(saved.id);
  await Promise.race([n8n.ended(), aborted(signal)]);
  if (!signal.aborted) throw new Error(`n8n has ended by itself:\n${n8n.lastLog()}`);
}

function screenFor(
  { levels, threshold, redis, market }: DemoOptions,
  symbols: readonly string[],
): DemoConsole {
  const { depth, imbalance } = storeTopics('', market, symbols[0]);
  const more = symbols.length > 1 ? ', …' : '';
  const topics = redis ? { depth: depth + more, imbalance: imbalance + more } : null;
  return new DemoConsole(symbols, levels, threshold, topics);
}

function show(screen: DemoConsole, { path, body }: Received): void {
  if (path === STATUS_PATH) screen.status(body as StatusItem);
  else screen.result(body as ResultItem);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return console.log(USAGE);
  const signal = stopSignal();
  const cleanup: Cleanup = [];
  try {
    await demonstrate(options, signal, cleanup);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    if (signal.aborted) console.log('\nStopping n8n and everything else…');
    for (const undo of cleanup.reverse()) await undo();
    if (signal.aborted) console.log('Stopped; nothing is left running.');
  }
}

main().then(
  // Nothing of ours is open any more; what npm or a proxy library keeps alive must not hold the terminal.
  () => process.exit(process.exitCode ?? 0),
  (error: Error) => {
    console.error(`\n${error.message}`);
    if (error instanceof UsageError) console.error(`\n${USAGE}`);
    process.exit(1);
  },
);
