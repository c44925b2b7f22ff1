import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../../scripts/n8n/ports';

const START_TIMEOUT_MS = 20_000;
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** The folder of PostgreSQL's programs; null where it is not installed. Debian keeps them off the path. */
export function postgresFolder(): string | null {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER).sort().reverse() : [];
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.map((version) => join(DEBIAN_FOLDER, version, 'bin')),
  ];
  return (
    folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres'))) ??
    null
  );
}

export const NO_POSTGRES =
  'PostgreSQL is not installed here (Debian, Ubuntu: `apt-get install -y postgresql`; no service has to run)';

/** A real PostgreSQL of its own on a free loopback port, with its files in a folder that goes with it. */
export class Postgres {
  readonly user = 'n8n';
  readonly database = 'postgres';
  private child: ChildProcess | null = null;

  private constructor(
    private readonly programs: string,
    private readonly folder: string,
    readonly port: number,
    private readonly as: { uid?: number; gid?: number },
  ) {}

  /** @throws Error where PostgreSQL is not installed */
  static async start(): Promise<Postgres> {
    const programs = postgresFolder();
    if (programs === null) throw new Error(NO_POSTGRES);
    const folder = mkdtempSync(join(tmpdir(), 'orderflow-postgres-'));
    const as = otherThanRoot();
    if (as.uid !== undefined && as.gid !== undefined) {
      chownSync(folder, as.uid, as.gid);
      // The folder of a test run is its owner's alone.
      const above = dirname(folder);
      chmodSync(above, statSync(above).mode | 0o011);
    }
    const [port] = await freePorts(1);
    const postgres = new Postgres(programs, folder, port, as);
    const options = ['--username', postgres.user, '--auth', 'trust', '--encoding', 'UTF8', '--no-sync'];
    execFileSync(join(programs, 'initdb'), ['--pgdata', postgres.data, ...options], {
      ...as,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await postgres.launch();
    return postgres;
  }

  /** Ends as a restart of its service does: connections are cut, what is committed stays. */
  async restart(downMs: number): Promise<void> {
    await this.end('SIGINT');
    await delay(downMs);
    await this.launch();
  }

  /** Rows as text, fields separated by a bar. */
  query(sql: string): string[] {
    const to = ['-h', '127.0.0.1', '-p', String(this.port), '-U', this.user, '-d', this.database];
    const text = execFileSync('psql', [...to, '-At', '-c', sql], { encoding: 'utf8' });
    return text.split('\n').filter(Boolean);
  }

  async stop(): Promise<void> {
    await this.end('SIGQUIT');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  private async launch(): Promise<void> {
    const settings = [
      ...['listen_addresses=127.0.0.1', `unix_socket_directories=${this.folder}`, 'fsync=off'],
      'max_connections=100',
    ].flatMap((setting) => ['-c', setting]);
    const child = spawn(
      join(this.programs, 'postgres'),
      ['-D', this.data, '-p', String(this.port), ...settings],
      { ...this.as, cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.child = child;
    process.once('exit', this.atExit);
    await new Promise<void>((resolve, reject) => {
      let output = '';
      const fail = (why: string) => reject(new Error(`PostgreSQL ${why}: ${output.slice(-500)}`));
      const timer = setTimeout(() => fail('did not start in time'), START_TIMEOUT_MS);
      child.once('exit', () => fail('ended at once'));
      child.once('error', (error) => fail(error.message));
      child.stderr?.on('data', (chunk: Buffer) => {
        if (output.length < 10_000) output += chunk.toString();
        if (!output.includes('ready to accept connections')) return;
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Whoever dies without a word takes it along. */
  private readonly atExit = (): void => void this.child?.kill('SIGQUIT');

  private async end(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    const { child } = this;
    this.child = null;
    process.removeListener('exit', this.atExit);
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    await exited;
  }
}

/** PostgreSQL refuses to run as root: as the user that its package makes, then. */
function otherThanRoot(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (kind: '-u' | '-g') => Number(execFileSync('id', [kind, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}
