import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { must } from '../scenario';
import type { Inventory, Orders, Report, Wish, Word } from './protocol';

const ANSWER_LIMIT_MS = 20_000;

/** A trigger in its own process, to be stalled, stopped, killed. Its one owner is the code that started it. */
export class ChildTrigger {
  readonly failures: string[] = [];
  items = 0;
  private readonly waiting = new Set<(word: Word) => void>();
  /** What it wrote to its error output, the end of it. */
  lastWords = '';
  /** Resolves with the signal or code by which it ended. */
  readonly exited: Promise<string>;

  private constructor(private readonly child: ChildProcess) {
    this.exited = new Promise((resolve) =>
      child.once('exit', (code, signal) => resolve(signal ?? String(code))),
    );
    child.stderr?.on(
      'data',
      (chunk: Buffer) => (this.lastWords = (this.lastWords + chunk.toString()).slice(-2_000)),
    );
    child.on('message', (word: Word) => {
      if (word.say === 'item') this.items++;
      if (word.say === 'failed') this.failures.push(word.code);
      for (const listener of [...this.waiting]) listener(word);
    });
  }

  /** @param whenForked called before it has started, for tests that end it in the middle of that */
  static async start(
    orders: Orders,
    program: 'triggerChild' | 'updatedChild' = 'triggerChild',
    whenForked: (child: ChildTrigger) => void = () => undefined,
  ): Promise<ChildTrigger> {
    const child = fork(join(__dirname, `${program}.ts`), [JSON.stringify(orders)], {
      execArgv: ['--import', 'tsx'],
      cwd: join(__dirname, '../../..'),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const trigger = new ChildTrigger(child);
    whenForked(trigger);
    await trigger.next('started').catch(async (error: Error) => {
      await trigger.end();
      throw error;
    });
    return trigger;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Asks it to end its trigger and itself. */
  close(): void {
    this.child.send({ do: 'close' } satisfies Wish);
  }

  async inventory(): Promise<Inventory> {
    const inventory = this.next('inventory');
    this.child.send({ do: 'inventory' } satisfies Wish);
    return (await inventory) as Inventory;
  }

  async wish(wish: Exclude<Wish, { do: 'report' | 'close' | 'inventory' }>): Promise<void> {
    const done = this.next('done');
    this.child.send(wish);
    await done;
  }

  async report(): Promise<Report> {
    const report = this.next('report');
    this.child.send({ do: 'report' } satisfies Wish);
    return (await report) as Report;
  }

  /** Waits until it has started this many executions since it began. */
  async itemsReached(count: number): Promise<void> {
    while (this.items < count) await this.next('item');
  }

  /** Ends it whatever it does. Idempotent. */
  async end(): Promise<void> {
    if (this.running) this.child.kill('SIGKILL');
    await this.exited;
  }

  private next(what: Word['say']): Promise<Word> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.waiting.delete(listener);
        act();
      };
      const listener = (word: Word) => {
        if (word.say === what) settle(() => resolve(word));
      };
      const timer = setTimeout(
        () =>
          settle(() =>
            reject(new Error(`no "${what}" of the child within ${ANSWER_LIMIT_MS} ms: ${this.lastWords}`)),
          ),
        ANSWER_LIMIT_MS,
      );
      this.waiting.add(listener);
      void this.exited.then((how) =>
        settle(() => reject(new Error(`the child ended (${how}) before "${what}": ${this.lastWords}`))),
      );
    });
  }
}

/** It has to end like this, by itself. */
export async function mustEnd(child: ChildTrigger, how: string, withinMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('still running'), withinMs);
  });
  const seen = await Promise.race([child.exited, timeout]).finally(() => clearTimeout(timer));
  must(seen === how, () => `the child is ${seen} and not ${how}: ${child.lastWords}`);
}
