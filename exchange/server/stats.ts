/** The cap on the remembered requests. */
export const MAX_REMEMBERED_REQUESTS = 20_000;

export interface RequestRecord {
  readonly atMs: number;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  status: number;
}

export interface ConnectionStats {
  readonly id: number;
  readonly path: string;
  readonly openedAtMs: number;
  readonly subscriptions: readonly string[];
  readonly bufferedBytes: number;
  readonly halfOpen: boolean;
}

/** What the server has seen and done. Read it; `connections` and `usedWeight` are taken at that moment. */
export interface Stats {
  readonly openConnections: number;
  readonly totalConnections: number;
  readonly refusedUpgrades: number;
  readonly connections: readonly ConnectionStats[];
  readonly requests: readonly RequestRecord[];
  readonly requestsByPath: Readonly<Record<string, number>>;
  readonly usedWeight: number;
  /** Requests sent before a Retry-After had passed. */
  readonly earlyRequests: number;
  readonly bans: number;
  readonly framesSent: number;
  readonly eventsSent: number;
  readonly pingsSent: number;
  /** SUBSCRIBE and the like, as received (the newest). */
  readonly controlMessages: readonly string[];
  /** How connections ended, by who and why. */
  readonly closes: Readonly<Record<string, number>>;
  /** Most streams that one symbol's diff had at once on open connections: above 1 is a doubled subscription. */
  readonly mostSubscribersOfADiff: number;
}

/** What is counted; the rest of `Stats` is looked up when asked. */
export class Counters {
  totalConnections = 0;
  refusedUpgrades = 0;
  framesSent = 0;
  eventsSent = 0;
  pingsSent = 0;
  readonly closes = new Map<string, number>();
  readonly requestsByPath = new Map<string, number>();
  private readonly rememberedRequests: RequestRecord[] = [];
  private readonly rememberedMessages: string[] = [];

  get requests(): readonly RequestRecord[] {
    return this.rememberedRequests;
  }

  get controlMessages(): readonly string[] {
    return this.rememberedMessages;
  }

  request(record: RequestRecord): void {
    this.requestsByPath.set(record.path, (this.requestsByPath.get(record.path) ?? 0) + 1);
    push(this.rememberedRequests, record);
  }

  message(text: string): void {
    push(this.rememberedMessages, text.slice(0, 2000));
  }

  closed(reason: string): void {
    this.closes.set(reason, (this.closes.get(reason) ?? 0) + 1);
  }
}

function push<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > MAX_REMEMBERED_REQUESTS) list.splice(0, list.length / 2);
}
