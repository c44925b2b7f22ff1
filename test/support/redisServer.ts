import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePorts } from '../../scripts/n8n/ports';

/** A real Redis of the tests' own, on a free loopback port, with its files in a directory that goes with it. */
export interface RedisServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly pid: number;
  /** Its own, for what it saves. */
  readonly directory: string;
  /** Without a password; with TLS `rediss://`. */
  readonly url: string;
  /** Stops answering, connections stay open. */
  pause(): void;
  resume(): void;
  /** SIGKILL, then waits until it is gone. */
  kill(): Promise<void>;
  /** Ends the process if it still runs and removes its files. Idempotent. */
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** A port to come back on; else a free one. */
  readonly port?: number;
  readonly requirepass?: string;
  /** Lines of an ACL file, for example `user reader on >secret ~examples/* +get`. */
  readonly acl?: readonly string[];
  /** PEM files; the plain port is off then. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
  readonly maxmemory?: string;
  readonly maxmemoryPolicy?: string;
  /** Port of a master on loopback. */
  readonly replicaOf?: number;
  /** Makes it a Sentinel that watches this master on loopback. */
  readonly sentinelOf?: { readonly name: string; readonly port: number; readonly quorum?: number };
  /** Further lines of the configuration file. */
  readonly config?: readonly string[];
}

const START_TIMEOUT_MS = 10_000;
const START_ATTEMPTS = 5;

function onPath(name: string): string | null {
  const found = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  return found.find((file) => existsSync(file)) ?? null;
}

/** Finds redis-server, or installs it where this may be done; throws a message that says what to do. */
export function findRedisServer(): string {
  const found = onPath('redis-server');
  if (found !== null) return found;
  const failed =
    'redis-server is not on the PATH. Install it, for example with: apt-get install redis-server';
  if (process.getuid?.() !== 0 || onPath('apt-get') === null) throw new Error(failed);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    installWithApt(env);
  } catch (error) {
    throw new Error(
      `${failed} (tried, and it failed: ${error instanceof Error ? error.message.split('\n')[0] : ''})`,
    );
  }
  const installed = onPath('redis-server');
  if (installed === null) throw new Error(failed);
  return installed;
}

function installWithApt(env: NodeJS.ProcessEnv): void {
  const install = () =>
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'redis-server'], {
      env,
      stdio: 'ignore',
      timeout: 180_000,
    });
  try {
    install();
  } catch {
    execFileSync('apt-get', ['update'], { env, stdio: 'ignore', timeout: 120_000 });
    install();
  }
}

function configuration(port: number, directory: string, options: RedisServerOptions): string {
  const lines = ['bind 127.0.0.1', `dir ${directory}`, 'daemonize no'];
  if (options.sentinelOf) {
    const { name, port: master, quorum = 1 } = options.sentinelOf;
    lines.push(`sentinel monitor ${name} 127.0.0.1 ${master} ${quorum}`);
  } else lines.push('save ""', 'appendonly no', 'repl-diskless-sync-delay 0');
  if (options.tls) {
    lines.push('port 0', `tls-port ${port}`, 'tls-auth-clients no');
    lines.push(
      `tls-cert-file ${options.tls.certFile}`,
      `tls-key-file ${options.tls.keyFile}`,
      `tls-ca-cert-file ${options.tls.caFile}`,
    );
  } else {
    lines.push(`port ${port}`);
  }
  if (options.requirepass !== undefined) lines.push(`requirepass ${options.requirepass}`);
  if (options.acl) {
    const file = join(directory, 'users.acl');
    writeFileSync(file, `${options.acl.join('\n')}\n`);
    lines.push(`aclfile ${file}`);
  }
  if (options.maxmemory !== undefined) lines.push(`maxmemory ${options.maxmemory}`);
  if (options.maxmemoryPolicy !== undefined) lines.push(`maxmemory-policy ${options.maxmemoryPolicy}`);
  if (options.replicaOf !== undefined) lines.push(`replicaof 127.0.0.1 ${options.replicaOf}`);
  return [...lines, ...(options.config ?? [])].join('\n') + '\n';
}

/** Resolves once it listens; rejects with its last words if it ends before. */
function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(
      () => reject(new Error(`redis-server did not start in time: ${output.slice(-500)}`)),
      START_TIMEOUT_MS,
    );
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    child.once('error', (error) => settle(() => reject(error)));
    child.once('exit', () =>
      settle(() => reject(new Error(`redis-server ended at once: ${output.slice(-500)}`))),
    );
    child.stdout?.on('data', (chunk: Buffer) => {
      // Goes on reading after the start: a full pipe would stop the server.
      if (output.length < 10_000) output += chunk.toString();
      // A Sentinel says its last word when it watches.
      if (/Ready to accept connections|\+monitor master/.test(output)) settle(resolve);
    });
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}

export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary = findRedisServer();
  let failure: unknown;
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    try {
      return await startOn(binary, options.port ?? (await freePorts(1))[0], options);
    } catch (error) {
      // Another process may have taken the port in between.
      failure = error;
    }
  }
  throw failure;
}

async function startOn(binary: string, port: number, options: RedisServerOptions): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'orderflow-redis-'));
  const file = join(directory, 'redis.conf');
  writeFileSync(file, configuration(port, directory, options));
  const child = spawn(binary, [file, ...(options.sentinelOf ? ['--sentinel'] : [])], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid ?? 0;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const atExit = () => signal(pid, 'SIGKILL');
  process.once('exit', atExit);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null && pid !== 0) {
      // KILL also ends a paused server.
      signal(pid, 'SIGKILL');
      await exited;
    }
    process.removeListener('exit', atExit);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await listening(child);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: '127.0.0.1',
    port,
    pid,
    directory,
    url: `${options.tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    pause: () => signal(pid, 'SIGSTOP'),
    resume: () => signal(pid, 'SIGCONT'),
    async kill() {
      signal(pid, 'SIGKILL');
      await exited;
    },
    stop,
  };
}
