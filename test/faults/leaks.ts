import { Socket } from 'node:net';

/** How long sockets, servers and timers may last after the end of a run, milliseconds. */
const LEAK_GRACE_MS = 3_000;
/** What has ended is forgotten whenever so much has been noted since. */
const PRUNE_EVERY = 1_000;

/** Timers that n8n's engine begins once in a process and keeps. */
const OF_N8N = /cleanupStaleConnections/;

type Begin = typeof setTimeout | typeof setInterval;

/** Node says so of a timer that has fired for the last time or was cleared; `hasRef` alone would not tell. */
const isOver = (timer: NodeJS.Timeout): boolean => (timer as { _destroyed?: boolean })._destroyed === true;

/** Null once the socket has none any more. */
const handleOf = (socket: Socket): { hasRef?(): boolean } | null =>
  (socket as unknown as { _handle: { hasRef?(): boolean } | null })._handle;

/**
 * What a run leaves open. Node lists what keeps the event loop alive; what does not, the timers and sockets that somebody
 * has unreferenced, is on no list of Node's and is noted here as it begins.
 */
export class LeakWatch {
  private readonly before = activeResources();
  private timers = new Set<NodeJS.Timeout>();
  private sockets = new Set<Socket>();
  private noted = 0;
  private readonly undo: ReadonlyArray<() => void>;

  constructor() {
    this.undo = [this.watchTimers('setTimeout'), this.watchTimers('setInterval'), this.watchSockets()];
  }

  /** Ends the watch, after a grace for what ends by itself. @returns a word for each thing left open */
  async end(graceMs = LEAK_GRACE_MS): Promise<string[]> {
    const until = performance.now() + graceMs;
    try {
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        const left = this.leftOver();
        if (left.length === 0 || performance.now() > until) return left;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } finally {
      for (const undo of this.undo) undo();
    }
  }

  private leftOver(): string[] {
    const left: string[] = [];
    for (const [kind, count] of activeResources())
      // Immediates and file requests end by themselves; terminals are the runner's own.
      if (!/^(Immediate|FSReq|TTYWrap)/.test(kind))
        for (let i = this.before.get(kind) ?? 0; i < count; i++) left.push(kind);
    for (const timer of this.timers)
      if (!isOver(timer) && !timer.hasRef() && !OF_N8N.test(describe(timer)))
        left.push(`unreferenced ${describe(timer)}`);
    for (const socket of this.sockets)
      if (!socket.destroyed && handleOf(socket)?.hasRef?.() === false)
        left.push(`unreferenced socket to ${socket.remoteAddress}:${socket.remotePort}`);
    return left;
  }

  private watchTimers(name: 'setTimeout' | 'setInterval'): () => void {
    const real: Begin = globalThis[name];
    const note = (timer: NodeJS.Timeout): void => this.note(this.timers, timer);
    const noting = new Proxy(real, {
      apply(target, self, args: Parameters<Begin>) {
        const timer = Reflect.apply(target, self, args) as NodeJS.Timeout;
        note(timer);
        return timer;
      },
    });
    globalThis[name] = noting as never;
    return () => {
      // Where somebody else has put his own in its place since, it is his to undo.
      if (globalThis[name] === noting) globalThis[name] = real as never;
    };
  }

  /** Clients of every kind, those under TLS, HTTP and WebSocket among them, connect by this one. */
  private watchSockets(): () => void {
    const prototype = Socket.prototype as { connect: (...args: never[]) => Socket };
    const real = prototype.connect;
    const note = (socket: Socket): void => this.note(this.sockets, socket);
    prototype.connect = function (this: Socket, ...args: never[]): Socket {
      note(this);
      return real.apply(this, args);
    };
    return () => (prototype.connect = real);
  }

  private note<T extends NodeJS.Timeout | Socket>(into: Set<T>, one: T): void {
    into.add(one);
    if (++this.noted % PRUNE_EVERY !== 0) return;
    for (const timer of this.timers) if (isOver(timer)) this.timers.delete(timer);
    for (const socket of this.sockets) if (socket.destroyed) this.sockets.delete(socket);
  }
}

/** What it would do, as far as that tells whose it is. */
function describe(timer: NodeJS.Timeout): string {
  const { _repeat, _idleTimeout, _onTimeout } = timer as unknown as Record<string, unknown>;
  const kind = _repeat === null ? 'timeout' : 'interval';
  return `${kind} of ${String(_idleTimeout)} ms: ${String(_onTimeout).replace(/\s+/g, ' ').slice(0, 80)}`;
}

/** What keeps the event loop alive, by kind. */
function activeResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
