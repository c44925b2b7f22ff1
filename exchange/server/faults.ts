/** Faults on the diff events of a symbol. Without `times` they last until cleared. */
export type EventFault =
  | { kind: 'drop' | 'duplicate' | 'swap' | 'merge' | 'overlap' | 'freeze' }
  /** Held back for `ms`, in order with nothing. */
  | { kind: 'delay'; ms: number }
  /** Futures: `pu` names this id, or one that never was. */
  | { kind: 'brokenPrevious'; previousId?: number }
  /** Sent in place of the event; base64 for bytes. */
  | { kind: 'replaceEvent'; text?: string; base64?: string; binary?: boolean }
  /** The event carries a level that the true book does not have, written as given. */
  | { kind: 'extraLevel'; side: 'bid' | 'ask'; price: unknown; quantity: unknown };

/** Faults on the REST depth reply. */
export type SnapshotFault =
  /** Older than everything sent to the open connections; or `ids` behind the book. */
  | { kind: 'staleSnapshot'; ids?: number }
  /** Taken just before, in the middle of, or at the end of the newest event sent. */
  | { kind: 'straddle'; at: 'before' | 'inside' | 'end' }
  /** The true book at this id. */
  | { kind: 'snapshotId'; lastUpdateId: number };

/** Faults of the book itself: the true book is in that state until cleared. */
export type BookFault =
  { kind: 'crossed' | 'locked' | 'emptyBook' } | { kind: 'emptySide'; side: 'bid' | 'ask' };

/** Faults on REST replies. `path`: the last part of the path, for example `depth`; all paths without. */
export type RestFault =
  | {
      kind: 'rest';
      path?: string;
      status?: number;
      body?: string;
      headers?: Record<string, string>;
      /** Cut the body at half, send none, send `bytes` of it, a byte at a time, never answer, reset the connection. */
      mode?: 'truncated' | 'empty' | 'huge' | 'slow' | 'hang' | 'reset';
      delayMs?: number;
      bytes?: number;
    }
  | {
      kind: 'forbidden' | 'restricted' | 'serverError' | 'backendTimeout' | 'wrongSchema' | 'redirect';
      path?: string;
    };

/** Faults on connections that last: on those open and those to come. */
export type ConnectionFault =
  | { kind: 'noPings' | 'ignorePongs' | 'ignorePings' }
  | { kind: 'refuseUpgrade'; status: number; body?: string }
  /** A SUBSCRIBE that names a stream of the symbol is refused as a whole. */
  | { kind: 'refuseStream' };

/** Done once, when added. */
export type Strike =
  /** `only: 'newest'` or all connections. */
  | { kind: 'halfOpen' | 'reset' | 'cut'; only?: 'newest' }
  | { kind: 'close'; code: number; reason?: string; only?: 'newest' }
  | { kind: 'serverShutdown'; closeAfterMs?: number; only?: 'newest' }
  /** Delays what open connections are sent from now on, in order; pings and their answers are not delayed. */
  | { kind: 'lag'; ms: number; only?: 'newest' }
  | { kind: 'rawFrame'; text?: string; base64?: string; binary?: boolean }
  | { kind: 'jump'; bps: number }
  | { kind: 'resetIds'; to?: number }
  | { kind: 'rateLimited' | 'banned'; retryAfterSeconds: number }
  | { kind: 'useWeight'; weight: number };

export type LastingFault = EventFault | SnapshotFault | BookFault | RestFault | ConnectionFault;

/** `symbol`: that one only; all without. `times`: how many events, requests or upgrades; until cleared without. */
export type Fault = (LastingFault | Strike) & { symbol?: string; times?: number };

export type FaultKind = Fault['kind'];

const STRIKES: ReadonlySet<string> = new Set<Strike['kind']>([
  'halfOpen',
  'reset',
  'cut',
  'close',
  'serverShutdown',
  'lag',
  'rawFrame',
  'jump',
  'resetIds',
  'rateLimited',
  'banned',
  'useWeight',
]);

const LASTING: ReadonlySet<string> = new Set<LastingFault['kind']>([
  'drop',
  'duplicate',
  'swap',
  'merge',
  'overlap',
  'freeze',
  'delay',
  'brokenPrevious',
  'replaceEvent',
  'extraLevel',
  'staleSnapshot',
  'straddle',
  'snapshotId',
  'crossed',
  'locked',
  'emptyBook',
  'emptySide',
  'rest',
  'forbidden',
  'restricted',
  'serverError',
  'backendTimeout',
  'wrongSchema',
  'redirect',
  'noPings',
  'ignorePongs',
  'ignorePings',
  'refuseUpgrade',
  'refuseStream',
]);

export function isStrike(fault: Fault): fault is Strike & { symbol?: string; times?: number } {
  return STRIKES.has(fault.kind);
}

export type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;

interface ActiveFault {
  readonly id: number;
  readonly fault: Fault;
  /** How often it has been at work. */
  hits: number;
  left: number;
}

export interface FaultHooks {
  strike(fault: Strike & { symbol?: string }): void;
  /** A lasting fault has begun or ended. */
  began(fault: Fault): void;
  ended(fault: Fault): void;
}

/** The switchboard: faults are added and cleared while the server runs. */
export class Faults {
  private active: ActiveFault[] = [];
  private nextId = 1;

  constructor(private readonly hooks: FaultHooks) {}

  /** Switches a fault on. @returns its id @throws Error for an unknown kind */
  add(fault: Fault): number {
    const id = this.nextId++;
    if (isStrike(fault)) {
      this.hooks.strike(fault);
      return id;
    }
    if (!LASTING.has(fault.kind))
      throw new Error(`unknown fault ${JSON.stringify((fault as { kind: unknown }).kind)}`);
    this.active.push({ id, fault, hits: 0, left: fault.times ?? Infinity });
    this.hooks.began(fault);
    return id;
  }

  /** Ends one by id, all of a kind, or all. */
  clear(which?: number | FaultKind): void {
    const ends = (entry: ActiveFault): boolean =>
      which === undefined || entry.id === which || entry.fault.kind === which;
    const ended = this.active.filter(ends);
    this.active = this.active.filter((entry) => !ends(entry));
    for (const { fault } of ended) this.hooks.ended(fault);
  }

  list(): Array<{ id: number; fault: Fault; hits: number; left: number | null }> {
    return this.active.map(({ id, fault, hits, left }) => ({
      id,
      fault,
      hits,
      left: left === Infinity ? null : left,
    }));
  }

  get any(): boolean {
    return this.active.length > 0;
  }

  /** The oldest fault of these kinds on this symbol, used once; null where there is none. */
  take<K extends FaultKind>(
    kinds: readonly K[],
    symbol?: string,
    fits?: (fault: FaultOf<K>) => boolean,
  ): FaultOf<K> | null {
    const entry = this.find(kinds, symbol, fits);
    if (entry === undefined) return null;
    entry.hits++;
    if (--entry.left <= 0) {
      this.active = this.active.filter((other) => other !== entry);
      this.hooks.ended(entry.fault);
    }
    return entry.fault as FaultOf<K>;
  }

  has(kind: FaultKind, symbol?: string): boolean {
    return this.find([kind], symbol) !== undefined;
  }

  private find<K extends FaultKind>(
    kinds: readonly K[],
    symbol?: string,
    fits?: (fault: FaultOf<K>) => boolean,
  ): ActiveFault | undefined {
    if (this.active.length === 0) return undefined;
    return this.active.find(
      ({ fault }) =>
        (kinds as readonly string[]).includes(fault.kind) &&
        (fault.symbol === undefined || fault.symbol === symbol) &&
        (fits === undefined || fits(fault as FaultOf<K>)),
    );
  }
}
