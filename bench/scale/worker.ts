import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments of any kind; call() gives them their types back
type Methods = Readonly<Record<string, (...args: any[]) => unknown>>;

interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

const CLOSE_MS = 5_000;

/** A process of its own that answers calls; `M` are the methods that its file serves. */
export class Worker<M extends Methods> {
  private readonly waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  private readonly gone: Promise<void>;
  private readonly kill = () => void this.child.kill('SIGKILL');
  private nextId = 1;
  private dead: string | null = null;

  private constructor(
    private readonly child: ChildProcess,
    file: string,
  ) {
    process.once('exit', this.kill);
    child.on('message', (answer: Answer) => {
      const waiting = this.waiting.get(answer.id);
      this.waiting.delete(answer.id);
      if (answer.error === undefined) waiting?.resolve(answer.value);
      else waiting?.reject(new Error(`${file}: ${answer.error}`));
    });
    this.gone = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        process.removeListener('exit', this.kill);
        this.dead = `${file} ended with ${signal ?? code}`;
        for (const { reject } of this.waiting.values()) reject(new Error(this.dead));
        this.waiting.clear();
        resolve();
      });
    });
  }

  /** @param file beside this one, without its ending */
  static start<M extends Methods>(file: string): Worker<M> {
    const child = fork(join(__dirname, `${file}.ts`), [], {
      execArgv: ['--import', 'tsx', '--expose-gc'],
      // What a worker prints is for people, and stdout is for figures.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    return new Worker<M>(child, file);
  }

  call<K extends keyof M & string>(method: K, ...args: Parameters<M[K]>): Promise<Awaited<ReturnType<M[K]>>> {
    if (this.dead !== null) return Promise.reject(new Error(this.dead));
    return new Promise((resolve, reject) => {
      const id = this.nextId++;
      this.waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.child.send({ id, method, args } satisfies Call);
    });
  }

  /** Lets the process end by itself, which it does when nothing is open in it any more. Idempotent. */
  async close(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    const timer = setTimeout(this.kill, CLOSE_MS);
    await this.gone;
    clearTimeout(timer);
  }
}

/**
 * The other side of Worker.
 * @param close closes what is open after the last call
 */
export function serve(methods: Methods, close: () => Promise<void>): void {
  process.on('message', (call: Call) => void answer(methods, call));
  process.once('disconnect', () => void close().finally(() => process.exit()));
}

async function answer(methods: Methods, { id, method, args }: Call): Promise<void> {
  const send = (reply: Answer) => void (process.connected && process.send?.(reply));
  try {
    send({ id, value: await methods[method](...args) });
  } catch (error) {
    send({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}
