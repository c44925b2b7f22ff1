import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startExchange, type Exchange } from '../../exchange';
import { buildIfNeeded } from '../../scripts/demo/build';
import { packProject } from '../../scripts/n8n/communityPackage';
import { ensureN8n } from '../../scripts/n8n/install';
import { N8nInstance } from '../../scripts/n8n/instance';
import { connect, nodeTypes, symbolsValue } from '../../scripts/n8n/workflowBuilder';
import type { Workflow, WorkflowNode } from '../../scripts/n8n/workflowTypes';
import { Meter, type Reported } from './meter';

const EXTENSION = join(__dirname, 'naive');
const FIRST_EXECUTION_MS = 40_000;
const POLL_MS = 50;
/** How long a side of every book is pressed before the other one is: makes signals change. */
const PRESSED_MS = 1_500;
/** The first executions of a workflow take longer; they are not measured. */
const SETTLE_MS = 2_000;
const LEVELS = 20;

export type Mode = 'continuous' | 'interval' | 'signalChange' | 'naive';

export interface LiveCase {
  readonly mode: Mode;
  readonly symbols: number;
  readonly measuredMs: number;
}

/** What was reported of a workflow while it was watched. */
export interface Watched {
  readonly reported: readonly Reported[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Depth events that the exchange sent a second, all symbols together. */
  readonly eventsPerSecond: number;
}

/** A real n8n with the packed package, the naive trigger and the probe, and a meter that they report to. */
export class LiveBench {
  private constructor(
    private readonly folder: string,
    private readonly meter: Meter,
    private readonly n8n: N8nInstance,
  ) {}

  static async start(progress: (text: string) => void): Promise<LiveBench> {
    progress('building and packing the package');
    await buildIfNeeded();
    const layout = await ensureN8n();
    const folder = mkdtempSync(join(tmpdir(), 'orderflow-bench-'));
    const meter = await Meter.start();
    try {
      const tarball = await packProject(folder);
      progress('starting n8n');
      const env = {
        N8N_CUSTOM_EXTENSIONS: EXTENSION,
        EXTERNAL_HOOK_FILES: join(EXTENSION, 'hooks.js'),
        ORDERFLOW_BENCH_METER: String(meter.port),
      };
      return new LiveBench(folder, meter, await N8nInstance.start({ layout, tarball, env }));
    } catch (error) {
      await meter.close();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Runs one workflow against an exchange of its own and watches it. */
  async run(test: LiveCase): Promise<Watched> {
    const names = Array.from({ length: test.symbols }, (_, i) => `S${i}USDT`);
    const exchange = await startExchange({
      seed: 4,
      symbols: names.map((symbol) => ({ symbol, levels: 1_000 })),
    });
    const press = test.mode === 'signalChange' ? pressInTurns(exchange, names) : null;
    try {
      const { id } = await this.n8n.rest.createWorkflow(workflowOf(test, names, exchange));
      await this.n8n.rest.activate(id);
      await this.firstExecution(id);
      await delay(Math.min(SETTLE_MS, test.measuredMs / 2));
      const fromMs = Date.now();
      const framesBefore = exchange.stats.framesSent;
      await delay(test.measuredMs);
      const toMs = Date.now();
      const frames = exchange.stats.framesSent - framesBefore;
      // A workflow that fell behind is left to the n8n that is stopped or restarted with it.
      if (test.mode !== 'naive') await this.n8n.rest.removeWorkflow(id);
      return {
        ...{ fromMs, toMs, reported: this.meter.of(id, fromMs, toMs) },
        eventsPerSecond: (frames / (toMs - fromMs)) * 1e3,
      };
    } finally {
      if (press !== null) clearInterval(press);
      await exchange.close();
    }
  }

  /** The same n8n with nothing left to do. */
  async restart(): Promise<void> {
    await this.n8n.kill();
    await this.n8n.restart();
  }

  async close(): Promise<void> {
    await this.n8n.kill();
    await this.n8n.stop();
    await this.meter.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async firstExecution(id: string): Promise<void> {
    const deadline = performance.now() + FIRST_EXECUTION_MS;
    while (!this.meter.reported.some(({ kind, workflow }) => kind === 'started' && workflow === id)) {
      if (performance.now() > deadline)
        throw new Error(`no execution within ${FIRST_EXECUTION_MS / 1e3} s:\n${this.n8n.lastLog()}`);
      await delay(POLL_MS);
    }
  }
}

/** Presses half of the books toward one side and the others toward the other, and changes sides at a fixed interval. */
function pressInTurns(exchange: Exchange, names: readonly string[]): NodeJS.Timeout {
  let turn = 0;
  const press = () => {
    turn++;
    names.forEach((symbol, i) =>
      exchange.pressure(symbol, (i + turn) % 2 === 0 ? 'bid' : 'ask', 0.6, PRESSED_MS),
    );
  };
  press();
  return setInterval(press, PRESSED_MS);
}

/** Trigger, probe, and the judgement of the books that came: the least that is of use to anybody. */
function workflowOf(test: LiveCase, names: readonly string[], exchange: Exchange): Workflow {
  return {
    name: `${test.mode}, ${test.symbols}`,
    settings: { executionOrder: 'v1', saveDataSuccessExecution: 'none' },
    nodes: [
      triggerOf(test, names, exchange),
      { name: 'Probe', type: 'CUSTOM.probe', typeVersion: 1, position: [200, 0], parameters: {} },
      {
        name: 'Imbalance',
        type: nodeTypes().imbalance,
        typeVersion: 1,
        position: [400, 0],
        parameters: { source: 'item', levels: LEVELS, threshold: 10 },
      },
    ],
    connections: connect(['Trigger', 0, 'Probe'], ['Probe', 0, 'Imbalance']),
  };
}

function triggerOf(
  { mode }: LiveCase,
  names: readonly string[],
  { restBaseUrl, webSocketBaseUrl }: Exchange,
): WorkflowNode {
  const common = { name: 'Trigger', typeVersion: 1, position: [0, 0] as [number, number] };
  if (mode === 'naive') {
    const parameters = { url: webSocketBaseUrl, symbols: names.join(',') };
    return { ...common, type: 'CUSTOM.naiveTrigger', parameters };
  }
  const unreported = {
    pendingPeriod: 0,
    keepFiringFor: 0,
    cooldown: 0,
    smoothingHalfLife: 0,
    recoveryThreshold: 10,
  };
  return {
    ...common,
    type: nodeTypes().trigger,
    parameters: {
      ...{ market: 'spot', symbols: symbolsValue(names.join(',')), emit: mode, levels: LEVELS },
      ...(mode === 'interval' ? { interval: 1 } : {}),
      ...(mode === 'signalChange' ? { threshold: 10, alerts: unreported } : {}),
      options: { restBaseUrl, webSocketBaseUrl },
    },
  };
}
