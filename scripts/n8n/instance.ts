import { spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { groupAlive, killGroup } from '../processes';
import { installBuiltPackage, installCommunityPackage } from './communityPackage';
import type { N8nLayout } from './layout';
import { freePorts } from './ports';
import { N8nRestClient } from './restClient';

export interface InstanceOptions {
  readonly layout: N8nLayout;
  /** Our packed package, installed before the first start; none: n8n with its own nodes. */
  readonly tarball?: string;
  /** The same as it is built here, which takes no time to pack. */
  readonly built?: boolean;
  /** The editor's port; a free one if not given. */
  readonly port?: number;
  /** The user folder; a temporary one, deleted by `stop`, if not given. */
  readonly userFolder?: string;
  /** Further settings of n8n's, by environment variable: another database, queue mode, a time zone. */
  readonly env?: NodeJS.ProcessEnv;
  /** The n8n command to run. A worker has no editor: nothing waits for its login. */
  readonly command?: 'start' | 'worker' | 'webhook';
  /** Gives up starting when it aborts. */
  readonly signal?: AbortSignal;
}

const READY_TIMEOUT_MS = 180_000;
const READY_POLL_MS = 100;
/** n8n gives its executions 30 s to end; nothing here needs longer. */
const STOP_GRACE_MS = 20_000;
/** What a test or the demonstration needs of the machine's environment; n8n's own settings never come from there. */
const INHERITED = /^(PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|SystemRoot|(https?|no|all)_proxy)$/i;

/** SQLite keeps what it wrote last in a file of its own. */
function copyDatabase({ database }: N8nLayout, userFolder: string): void {
  for (const end of ['', '-wal'])
    if (existsSync(database + end))
      copyFileSync(database + end, join(userFolder, '.n8n', `database.sqlite${end}`));
}

/** One real n8n: its process, its folder, its ports. Whoever makes one calls `stop`, which leaves nothing behind. */
export class N8nInstance {
  readonly rest: N8nRestClient;
  readonly url: string;
  readonly logFile: string;
  private child: ChildProcess | null = null;
  /** Length of the log when the present process began. */
  private logStart = 0;

  private constructor(
    private readonly options: InstanceOptions,
    readonly userFolder: string,
    private readonly port: number,
    private readonly brokerPort: number,
    private readonly temporary: boolean,
  ) {
    this.url = `http://127.0.0.1:${port}`;
    this.rest = new N8nRestClient(this.url);
    this.logFile = join(userFolder, 'n8n.log');
  }

  /** Prepares the folder, installs the package, starts n8n and logs in. */
  static async start(options: InstanceOptions): Promise<N8nInstance> {
    const temporary = options.userFolder === undefined;
    const folder = options.userFolder ?? mkdtempSync(join(tmpdir(), 'orderflow-n8n-'));
    mkdirSync(join(folder, '.n8n'), { recursive: true });
    if (temporary) copyDatabase(options.layout, folder);
    const [free, broker] = await freePorts(2);
    const instance = new N8nInstance(options, folder, options.port ?? free, broker, temporary);
    try {
      if (options.tarball) await installCommunityPackage(folder, options.tarball, options.signal);
      else if (options.built) installBuiltPackage(folder);
      await instance.launch();
    } catch (error) {
      await instance.stop();
      throw error;
    }
    return instance;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Resolves when the present process ends, for whatever reason. */
  async ended(): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => child.once('exit', () => resolve()));
  }

  /** What n8n has written since its first start. */
  log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** The end of it. */
  lastLog(): string {
    return this.log().split('\n').slice(-40).join('\n');
  }

  /** The same n8n again, with its database and packages: after `terminate` or `kill`, or in place of the running one. */
  async restart(): Promise<void> {
    await this.terminate();
    await this.launch();
  }

  /** Ends the process as an operating system does (SIGTERM, SIGKILL after the grace) and keeps the folder. */
  async terminate(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** Ends the process as a crash does: no handler of n8n's runs. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Ends the process and deletes the folder if it is a temporary one. Idempotent. */
  async stop(): Promise<void> {
    await this.terminate();
    if (this.temporary) rmSync(this.userFolder, { recursive: true, force: true, maxRetries: 5 });
  }

  private async launch(): Promise<void> {
    const { layout, command = 'start' } = this.options;
    const log = openSync(this.logFile, 'a');
    this.logStart = this.log().length;
    const guard = join(__dirname, 'stopWithParent.cjs');
    this.child = spawn(layout.nodeBinary, ['--require', guard, layout.n8nEntry, command], {
      cwd: this.userFolder,
      env: this.environment(),
      detached: true,
      stdio: ['pipe', log, log],
    });
    closeSync(log);
    this.child.stdin?.on('error', () => undefined);
    const failure = new Promise<never>((_, reject) => this.child?.once('error', reject));
    failure.catch(() => undefined);
    await Promise.race([this.waitUntilReady(), failure]);
    if (command === 'start') await this.rest.login();
  }

  private async waitUntilReady(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      this.options.signal?.throwIfAborted();
      const child = this.child;
      if (!child || child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`n8n ended while it started:\n${this.lastLog()}`);
      }
      const healthy = await fetch(`${this.url}/healthz/readiness`, {
        signal: AbortSignal.timeout(2_000),
      }).then(
        (response) => response.ok,
        () => false,
      );
      // The REST routes are there a moment after the health check says yes.
      if (
        healthy &&
        /Editor is now accessible via|worker is now ready/i.test(this.log().slice(this.logStart))
      )
        return;
      if (performance.now() > deadline)
        throw new Error(`n8n did not become ready in time:\n${this.lastLog()}`);
      await delay(READY_POLL_MS);
    }
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.child;
    this.child = null;
    if (child?.pid === undefined) return;
    const { pid } = child;
    const exited = new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve();
      else child.once('exit', () => resolve());
    });
    if (signal === 'SIGKILL') killGroup(child, 'SIGKILL');
    else child.kill('SIGTERM');
    const abort = new AbortController();
    await Promise.race([
      exited,
      delay(STOP_GRACE_MS, undefined, { signal: abort.signal }).catch(() => undefined),
    ]);
    abort.abort();
    // The task runner is a child of n8n's in the same group: whatever is left of it goes as well.
    killGroup(child, 'SIGKILL');
    await exited;
    while (groupAlive(pid)) await delay(20);
  }

  private environment(): NodeJS.ProcessEnv {
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => INHERITED.test(name)),
    );
    const noProxy = [process.env.NO_PROXY ?? process.env.no_proxy, '127.0.0.1', 'localhost']
      .filter(Boolean)
      .join(',');
    return {
      ...inherited,
      NO_PROXY: noProxy,
      no_proxy: noProxy,
      N8N_USER_FOLDER: this.userFolder,
      N8N_ENCRYPTION_KEY: 'for-demonstration-and-tests-only',
      N8N_PORT: String(this.port),
      N8N_LISTEN_ADDRESS: '127.0.0.1',
      N8N_EDITOR_BASE_URL: this.url,
      N8N_SECURE_COOKIE: 'false',
      N8N_RUNNERS_BROKER_PORT: String(this.brokerPort),
      N8N_UNVERIFIED_PACKAGES_ENABLED: 'true',
      N8N_VERIFIED_PACKAGES_ENABLED: 'false',
      // An agent may use our action as its tool.
      N8N_COMMUNITY_PACKAGES_ALLOW_TOOL_USAGE: 'true',
      N8N_DIAGNOSTICS_ENABLED: 'false',
      N8N_PERSONALIZATION_ENABLED: 'false',
      N8N_TEMPLATES_ENABLED: 'false',
      N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
      N8N_DYNAMIC_BANNERS_ENABLED: 'false',
      N8N_HIRING_BANNER_ENABLED: 'false',
      N8N_GRACEFUL_SHUTDOWN_TIMEOUT: '10',
      // What Node has compiled once.
      NODE_COMPILE_CACHE: join(this.options.layout.home, 'compile-cache'),
      ORDERFLOW_STOP_WITH_PARENT: '1',
      ...this.options.env,
    };
  }
}
