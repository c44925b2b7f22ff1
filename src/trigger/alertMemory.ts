import { randomUUID } from 'node:crypto';
import { explained, OrderFlowError, isOrderFlowError, toOrderFlowError } from '../runtime/errors';
import { inTime, LAST_TIME_MS, monotonicMs, wallMs } from '../runtime/time';
import { mayComeAgain } from '../signal/gate/alertMessage';
import {
  type GateRestart,
  type GateState,
  MAX_GATE_AGE_MS,
  restoreGate,
  resumeGate,
  shiftGate,
} from '../signal/gate/gateState';
import { GATE_TTL_MS, type NodeOwner, gateKey } from '../store/keys';
import { changeState, loadEach } from '../store/states';
import type { ReadResult, SnapshotStore, StoredState } from '../store/types';
import type { AlertWatch } from './alertWatch';
import type { ItemFate } from './host';
import type { TriggerSettings } from './settings';

/** An alert waits no longer than this for the store to note it. Milliseconds. */
export const NOTE_WITHIN_MS = 2_000;
/**
 * n8n writes an execution down after it has taken its items: of a process that is killed before, nobody has them. Until
 * then the store keeps them too. Milliseconds.
 */
export const TAKEN_AFTER_MS = 1_000;
/** A state is written at least this often, so that one that goes on never looks too old. Milliseconds. */
const REFRESH_MS = MAX_GATE_AGE_MS / 6;
/** Alerts of one symbol that the store keeps while they wait for an execution; of more, the newest. */
const MAX_WAITING = 20;

/** An alert as it goes to n8n. */
export type AlertJson = Readonly<Record<string, unknown>>;

/** Found, and not handed to n8n yet. */
interface WaitingAlert {
  readonly foundAtMs: number;
  readonly item: AlertJson;
}

/** What the store keeps of one symbol's alerts. Times by the writer's wall clock. */
interface AlertRecord {
  /** Which running trigger wrote it. */
  readonly writer: string;
  /** The writer has ended in order: what waits was certainly not handed over. */
  readonly ended: boolean;
  readonly gate: unknown;
  /** When what holds was reported, the mid was this; null where it is not known. */
  readonly mid: number | null;
  readonly waiting: readonly WaitingAlert[];
}

/** Passes an item on to n8n, and says what becomes of it. */
export type DeliverAlert = (item: AlertJson, fate: ItemFate) => void;

type Log = (level: 'info' | 'warn', message: string) => void;

/**
 * Reads what the store knows of each symbol's alerts, in one round trip. A store that fails keeps no trigger from
 * starting: the log then says what cannot be known.
 */
export async function loadAlertMemories(
  settings: TriggerSettings,
  store: SnapshotStore,
  owner: NodeOwner,
  log: Log,
): Promise<Map<string, AlertMemory>> {
  const { keyPrefix, market, symbols } = settings;
  const keys = symbols.map((symbol) => gateKey(keyPrefix, market, symbol, owner));
  const loaded = await loadEach(store, keys);
  return new Map(
    symbols.map((symbol, i) => [symbol, new AlertMemory(symbol, keys[i], loaded[i], store, log)]),
  );
}

/**
 * What one symbol's gate has reported, kept in the store, so that a restart, an edit or a republish neither repeats an
 * alert nor loses one. An alert is noted first, in one compare-and-swap, then handed to n8n, then noted as handed over.
 * Of two triggers with one key, as two n8n on one Redis may be, the first to note it reports it.
 */
export class AlertMemory {
  /** The mid when what holds was reported; kept with it. */
  mid: number | null;
  private readonly writer = randomUUID();
  /** With which the symbol's gate goes on. */
  readonly state: GateState;
  private restarted: GateRestart | null;
  /** Oldest first; compared by object, not by content. */
  private waiting: WaitingAlert[] = [];
  /** Of these, n8n was given some a moment ago. */
  private readonly leaving = new Map<WaitingAlert, NodeJS.Timeout>();
  /** Another running trigger's, which that one hands over. */
  private others: readonly WaitingAlert[] = [];
  private seenVersion: number;
  private watch: AlertWatch | null = null;
  private passOn: DeliverAlert = () => undefined;
  private refresh: NodeJS.Timeout | undefined;
  private unlisten = (): void => undefined;
  private current: Promise<unknown> = Promise.resolve();
  private next: Promise<'noted' | 'another'> | null = null;
  private troubleCode: string | null = null;
  private ended = false;

  constructor(
    private readonly symbol: string,
    private readonly key: string,
    loaded: ReadResult<StoredState>,
    private readonly store: SnapshotStore,
    private readonly log: Log,
  ) {
    const failed = isOrderFlowError(loaded);
    const stored = failed ? null : loaded;
    const record = stored === null ? null : readRecord(stored.value);
    this.seenVersion = stored?.version ?? 0;
    const { state, restarted } = gateOf(record, stored?.ageMs ?? 0);
    this.state = state;
    this.mid = restarted === null ? (record?.mid ?? null) : null;
    this.restarted = failed || (stored !== null && record === null) ? 'unreadable' : restarted;
    if (failed) this.onTrouble(loaded);
    const waiting = (record?.waiting ?? []).map((alert) => late(alert, record?.ended ?? false));
    if (restarted === null) this.waiting = waiting;
    else if (waiting.length > 0)
      log('warn', `${waiting.length} alerts of ${symbol} are too old to be reported; nobody took them over.`);
  }

  /** Passes on what an earlier run found and could not hand over, and keeps the watch's state from now on. */
  start(watch: AlertWatch, deliver: DeliverAlert): void {
    this.watch = watch;
    this.passOn = deliver;
    for (const alert of this.waiting) this.deliver(alert, alert.item);
    this.refresh = setInterval(() => this.saveSoon(), REFRESH_MS);
    this.refresh.unref();
    this.unlisten = this.store.onReady(() => this.troubleCode !== null && this.saveSoon());
  }

  /** Notes an alert and passes it on: without the store's word too, where that does not come in time. */
  async note(found: AlertJson): Promise<void> {
    const item = { ...found, restarted: this.restarted };
    this.restarted = null;
    const alert: WaitingAlert = { foundAtMs: wallMs(), item };
    this.waiting.push(alert);
    const noted = await this.notedInTime();
    if (noted === 'another') return this.forget(alert);
    const warning = noted === 'noted' ? {} : { warning: mayComeAgain(noted) };
    this.deliver(alert, { ...item, ...warning });
  }

  /** Ends in order: the store then knows what was handed over and what was not. Never rejects. */
  async close(): Promise<void> {
    clearInterval(this.refresh);
    this.unlisten();
    this.ended = true;
    // n8n takes its time to end: it writes down what it was given.
    for (const alert of this.leaving.keys()) this.forget(alert);
    if (this.hasNews()) await this.notedInTime();
  }

  private deliver(alert: WaitingAlert, item: AlertJson): void {
    this.passOn(item, {
      onGone: () => {
        const timer = setTimeout(() => {
          this.forget(alert);
          this.saveSoon();
        }, TAKEN_AFTER_MS);
        this.leaving.set(alert, timer.unref());
      },
      onTakenBack: () => {
        if (this.stays(alert)) return;
        this.keepAgain(alert);
        this.saveSoon();
      },
    });
  }

  /** @returns whether it was on its way out */
  private stays(alert: WaitingAlert): boolean {
    clearTimeout(this.leaving.get(alert));
    return this.leaving.delete(alert);
  }

  /** In the place that it had. */
  private keepAgain(alert: WaitingAlert): void {
    const later = this.waiting.findIndex(({ foundAtMs }) => foundAtMs > alert.foundAtMs);
    this.waiting.splice(later < 0 ? this.waiting.length : later, 0, alert);
  }

  private forget(alert: WaitingAlert): void {
    this.stays(alert);
    this.waiting = this.waiting.filter((other) => other !== alert);
  }

  /** Before anything was reported there is nothing to keep. */
  private hasNews(): boolean {
    const { lastAlertMs, lastNoSignalMs } = this.stateNow();
    return !Number.isNaN(lastAlertMs) || !Number.isNaN(lastNoSignalMs) || this.waiting.length > 0;
  }

  private saveSoon(): void {
    if (this.hasNews()) void this.save().catch(() => undefined);
  }

  private notedInTime(): Promise<'noted' | 'another' | OrderFlowError> {
    const late = () => new OrderFlowError('OF_REDIS_TIMEOUT', `no answer within ${NOTE_WITHIN_MS / 1000} s`);
    return inTime(this.save(), NOTE_WITHIN_MS, late).catch(toOrderFlowError);
  }

  /** One write at a time; those that are asked for meanwhile share the next. */
  private save(): Promise<'noted' | 'another'> {
    this.next ??= this.current
      .catch(() => undefined)
      .then(() => {
        const writing = this.write();
        this.next = null;
        this.current = writing;
        return writing;
      });
    return this.next;
  }

  private async write(): Promise<'noted' | 'another'> {
    try {
      const written = await changeState(this.store, this.key, GATE_TTL_MS, (stored) =>
        stored !== null && this.isAnothers(stored) ? undefined : this.record(),
      );
      if (!written) return 'another';
      this.onTrouble(null);
      return 'noted';
    } catch (error) {
      const failure = toOrderFlowError(error);
      this.onTrouble(failure);
      throw failure;
    }
  }

  /** Did another running trigger report something since this one looked? Then this one goes on from there. */
  private isAnothers({ value, version, ageMs }: StoredState): boolean {
    const record = readRecord(value);
    if (record === null || record.writer === this.writer || version <= this.seenVersion) return false;
    const { state, restarted } = gateOf(record, ageMs);
    if (restarted !== null) return false;
    this.seenVersion = version;
    this.others = record.ended ? [] : record.waiting;
    if (record.ended) {
      const waiting = record.waiting.map((alert) => late(alert, true));
      this.waiting.unshift(...waiting);
      for (const alert of waiting) this.deliver(alert, alert.item);
    }
    this.mid = record.mid;
    this.watch?.adopt(state);
    return true;
  }

  private record(): AlertRecord {
    const nowMs = wallMs();
    return {
      writer: this.writer,
      ended: this.ended,
      gate: shiftGate(this.stateNow(), nowMs - monotonicMs()),
      mid: this.mid,
      waiting: [...this.others, ...this.waiting].slice(-MAX_WAITING).map(({ foundAtMs, item }) => ({
        foundAtMs,
        item: flat(item),
      })),
    };
  }

  private stateNow(): GateState {
    return { ...(this.watch?.state() ?? this.state), atMs: monotonicMs() };
  }

  private onTrouble(error: OrderFlowError | null): void {
    const code = error?.code ?? null;
    if (code === this.troubleCode) return;
    this.troubleCode = code;
    if (error === null) return this.log('info', `The alerts of ${this.symbol} are kept in the store again.`);
    const what = `The store cannot keep the alerts of ${this.symbol}, so one may come twice around a restart`;
    this.log('warn', `${what}: ${explained(error)}`);
  }
}

/** What is asked of a memory. */
export type AlertKeeper = Pick<AlertMemory, 'mid' | 'state' | 'start' | 'note' | 'close'>;

/** The gate that a record describes, by this process's monotonic clock. */
function gateOf(record: AlertRecord | null, ageMs: number) {
  const nowMs = monotonicMs();
  const gate = record?.gate as { readonly atMs?: unknown } | null | undefined;
  const writtenAtMs = Number.isFinite(gate?.atMs) ? (gate?.atMs as number) : 0;
  // The writer's clock need not be this machine's: the store knows how old the record is.
  const aheadMs = nowMs - writtenAtMs - ageMs;
  const { state, restarted } = restoreGate(gate, nowMs, MAX_GATE_AGE_MS, aheadMs);
  return { state: resumeGate(state, nowMs), restarted };
}

function late({ foundAtMs, item }: WaitingAlert, ended: boolean): WaitingAlert {
  const found = `Found at ${new Date(foundAtMs).toISOString()} and held up by a restart of the trigger.`;
  return {
    foundAtMs,
    item: { ...item, warning: ended ? found : `${found} It may have been reported before.` },
  };
}

/** Without what is nested: levels and flow are of a moment that has passed, and a store may hold anything. */
function flat(item: AlertJson): AlertJson {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => Object(value) !== value));
}

function readRecord(value: unknown): AlertRecord | null {
  const { writer, ended, gate, mid, waiting } = (value ?? {}) as Partial<Record<keyof AlertRecord, unknown>>;
  if (typeof writer !== 'string' || !Array.isArray(waiting)) return null;
  const alerts = (waiting as Array<Partial<WaitingAlert> | null>).flatMap((alert) => {
    const { foundAtMs, item } = alert ?? {};
    if (typeof foundAtMs !== 'number' || !(Math.abs(foundAtMs) <= LAST_TIME_MS)) return [];
    return item instanceof Object ? [{ foundAtMs, item: flat(item) }] : [];
  });
  const known = typeof mid === 'number' && mid > 0 ? mid : null;
  return { writer, ended: ended === true, gate, mid: known, waiting: alerts };
}
