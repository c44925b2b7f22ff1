/**
 * `npm start`: a real n8n with this package and a demonstration workflow, live on the terminal. Builds where that is
 * needed; everything it starts is gone when it ends.
 */
import { MARKETS } from '../src/feed/markets';
import { storeTopics } from '../src/store/keys';
import { buildIfNeeded } from './demo/build';
import { DemoConsole, type ResultItem, type StatusItem } from './demo/console';
import { openExchange, type ExchangeSource } from './demo/exchangeSource';
import { readOptions, USAGE, UsageError, type DemoOptions } from './demo/options';
import { startPreview } from './demo/preview';
import { stopSignal } from './demo/stopSignal';
import { demoWorkflow, STATUS_PATH } from './demo/workflow';
import { Collector, type Received } from './n8n/collector';
import { ensureN8n } from './n8n/install';
import { N8nInstance } from './n8n/instance';
import { portOr } from './n8n/ports';
import { isInstalled, N8N_VERSION, type N8nLayout } from './n8n/layout';
import { OWNER } from './n8n/restClient';
import { createProgress } from './terminal';

const USUAL_PORT = 5678;

/** Things to undo, last one first. */
type Cleanup = Array<() => Promise<void> | void>;

async function demonstrate(options: DemoOptions, signal: AbortSignal, cleanup: Cleanup): Promise<void> {
  await buildIfNeeded(signal);
  const source = await openExchange(options);
  cleanup.push(() => source.close());
  console.log(`Exchange: ${source.description}`);
  const layout = await n8nReady(options, source, signal);

  const screen = screenFor(options, source.symbols);
  const collector = await Collector.start((received) => show(screen, received));
  cleanup.push(() => collector.close());

  const progress = createProgress();
  cleanup.push(() => progress.done());
  progress.phase(`Installing the package into n8n ${N8N_VERSION} and starting it`);
  const port = await portOr(options.port ?? USUAL_PORT, options.port !== null);
  signal.throwIfAborted();
  const n8n = await N8nInstance.start({ layout, built: true, port, signal });
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
  screen.connecting(exchangeName(options, source));
  await n8n.rest.activate(saved.id);
  await Promise.race([n8n.ended(), aborted(signal)]);
  if (!signal.aborted) throw new Error(`n8n has ended by itself:\n${n8n.lastLog()}`);
}

/** Where n8n is to be downloaded first, the same nodes run in this process meanwhile. */
async function n8nReady(
  options: DemoOptions,
  source: ExchangeSource,
  signal: AbortSignal,
): Promise<N8nLayout> {
  // A recording plays once, and that is for the real n8n.
  if (isInstalled() || options.exchange.kind === 'recording') return await ensureN8n({ signal });
  const progress = createProgress();
  progress.print('\nWhile n8n is downloaded, its engine runs the nodes in this process:\n');
  const screen = screenFor({ ...options, redis: null }, source.symbols, (line) => progress.print(line));
  screen.connecting(exchangeName(options, source));
  const preview = await startPreview(options, source, screen).catch((error: Error) => {
    progress.print(`     ! No preview: ${error.message}`);
    return null;
  });
  try {
    return await ensureN8n({ signal, progress });
  } finally {
    progress.done();
    await preview?.close();
    if (!signal.aborted) console.log('\nThe real n8n takes over.');
  }
}

function exchangeName({ market }: DemoOptions, { baseUrls }: ExchangeSource): string {
  return MARKETS[market].name + (baseUrls ? ', as played by the stand-in' : '');
}

function screenFor(
  { levels, threshold, redis, market }: DemoOptions,
  symbols: readonly string[],
  print?: (line: string) => void,
): DemoConsole {
  const { depth, imbalance } = storeTopics('', market, symbols[0]);
  const more = symbols.length > 1 ? ', …' : '';
  const topics = redis ? { depth: depth + more, imbalance: imbalance + more } : null;
  return new DemoConsole(symbols, levels, threshold, topics, print);
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
