import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { OrderFlowError } from '../runtime/errors';
import { oneLine } from '../runtime/text';
import type { ChartAnswer, ChartPicture, ChartRequest } from './types';

/** Charts that may wait for the thread; each takes a fraction of a second. */
const MOST_WAITING = 200;
/** For one chart, from when the thread begins with it. */
const DRAW_TIMEOUT_MS = 60_000;
/** The most that a drawing may take of the heap: one that goes wild ends its thread, not the process. A usual one takes a few. */
const MOST_HEAP_MB = 256;
/** The thread ends when nothing was asked of it for this time. */
const IDLE_MS = 60_000;

export interface RendererOptions {
  readonly workerFile: string;
  readonly idleMs: number;
  readonly timeoutMs: number;
  readonly mostWaiting: number;
}

interface Waiting {
  readonly id: number;
  readonly request: ChartRequest;
  readonly isWanted: () => boolean;
  resolve(picture: ChartPicture): void;
  reject(error: OrderFlowError): void;
}

/**
 * Draws charts in a thread of its own, one after the other, so that no update of a book waits for one. The thread starts
 * with the first chart and ends after a while without any; it keeps no process alive that has nothing else to do.
 */
export class ChartRenderer {
  private readonly options: RendererOptions;
  private worker: Worker | null = null;
  private readonly queue: Waiting[] = [];
  private current: Waiting | null = null;
  private timer: NodeJS.Timeout | undefined;
  private lastId = 0;

  constructor(options: Partial<RendererOptions> = {}) {
    this.options = {
      ...{ workerFile: '', idleMs: IDLE_MS, timeoutMs: DRAW_TIMEOUT_MS, mostWaiting: MOST_WAITING },
      ...options,
    };
  }

  /**
   * @param isWanted asked when its turn comes: of what nobody waits for any more nothing is drawn
   * @throws OrderFlowError OF_CHART
   */
  draw(request: ChartRequest, isWanted: () => boolean = () => true): Promise<ChartPicture> {
    if (this.queue.length >= this.options.mostWaiting)
      return Promise.reject(failed(`${this.queue.length} charts wait already`));
    return new Promise((resolve, reject) => {
      this.queue.push({ id: ++this.lastId, request, isWanted, resolve, reject });
      this.next();
    });
  }

  /** Ends the thread where nothing is drawn. */
  async closeIdle(): Promise<void> {
    if (this.current === null) await this.stop();
  }

  private next(): void {
    if (this.current !== null) return;
    let waiting = this.queue.shift();
    for (; waiting?.isWanted() === false; waiting = this.queue.shift()) waiting.reject(failed(UNWANTED));
    clearTimeout(this.timer);
    if (waiting === undefined) {
      this.worker?.unref();
      this.timer = setTimeout(() => void this.stop(), this.options.idleMs);
      this.timer.unref();
      return;
    }
    this.current = waiting;
    this.timer = setTimeout(
      () => this.giveUp(`not done within ${this.options.timeoutMs / 1_000} s`),
      this.options.timeoutMs,
    );
    try {
      this.worker ??= this.start();
      this.worker.ref();
      this.worker.postMessage({ id: waiting.id, request: waiting.request });
    } catch (error) {
      this.giveUp(error instanceof Error ? error.message : String(error));
    }
  }

  private start(): Worker {
    // No option of the process is one of the thread: it needs none, and not every option is allowed there.
    const worker = new Worker(this.options.workerFile || builtWorker(), {
      ...{ execArgv: [], stdin: false, resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MB } },
    });
    const ended = (why: string) => {
      if (this.worker === worker) this.giveUp(why);
    };
    worker.on('message', (answer: ChartAnswer) => this.answered(answer));
    worker.on('error', (error) => ended(error.message));
    worker.on('exit', (code) => ended(`its thread ended with code ${code}`));
    return worker;
  }

  private answered(answer: ChartAnswer): void {
    const { current } = this;
    if (current === null || current.id !== answer.id) return;
    this.current = null;
    if ('picture' in answer) current.resolve(answer.picture);
    else current.reject(failed(answer.failure));
    this.next();
  }

  /** Ends the thread with the chart that it is at; the next chart gets a new one. */
  private giveUp(why: string): void {
    const { current } = this;
    this.current = null;
    void this.stop();
    current?.reject(failed(why));
    this.next();
  }

  private async stop(): Promise<void> {
    clearTimeout(this.timer);
    const { worker } = this;
    this.worker = null;
    await worker?.terminate();
  }
}

const UNWANTED = 'nobody waits for it any more';

function failed(why: string): OrderFlowError {
  return new OrderFlowError('OF_CHART', oneLine(why));
}

/** The file that the build makes, in the package or, where the sources run, in the project. */
function builtWorker(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, 'dist', 'charts', 'chartWorker.js');
}

let shared: ChartRenderer | null = null;

/**
 * The one renderer of this package as it was loaded: after an update in place the new code draws with a thread of its
 * own, for the old one may not know what it is asked.
 */
export function chartRenderer(): ChartRenderer {
  return (shared ??= new ChartRenderer());
}
