import { firstLines } from '../runtime/text';
import type { AlertJson, DeliverAlert } from './alertMemory';
import type { ItemFate } from './host';

/** Passes on what goes to n8n as one item: an alert, or several that were found within moments. */
export type DeliverAlerts = (alerts: readonly AlertJson[], item: AlertJson, fate: ItemFate) => void;

interface Waiting {
  readonly alert: AlertJson;
  readonly fate: ItemFate;
}

/** Alerts of many symbols that come within a few seconds go out as one item. What waits at the end its owner still has. */
export class AlertGather {
  private waiting: Waiting[] = [];
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  /** @param forMs how long the first alert waits for others; 0: not at all */
  constructor(
    private readonly forMs: number,
    private readonly passOn: DeliverAlerts,
  ) {}

  readonly add: DeliverAlert = (alert, fate) => {
    if (this.closed) return;
    this.waiting.push({ alert, fate });
    if (this.forMs === 0) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), this.forMs);
  };

  /** Idempotent. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.waiting = [];
  }

  private flush(): void {
    this.timer = undefined;
    const waiting = this.waiting;
    this.waiting = [];
    const alerts = waiting.map(({ alert }) => alert);
    const each = (act: (fate: ItemFate) => void) => () => waiting.forEach(({ fate }) => act(fate));
    const fate = { onGone: each((one) => one.onGone()), onTakenBack: each((one) => one.onTakenBack()) };
    this.passOn(alerts, alerts.length === 1 ? alerts[0] : gathered(alerts), fate);
  }
}

/** More lines than this some messengers refuse, and with them all alerts of the message. */
const LINES_SHOWN = 30;

/** One item for several alerts: a line for each, and each as it would have gone out alone. */
export function gathered(alerts: readonly AlertJson[]): AlertJson {
  const [{ exchange, market, signal, time }] = alerts;
  const lines = alerts.map(({ message }) => String(message));
  const symbols = [...new Set(alerts.map(({ symbol }) => String(symbol)))];
  return {
    // As a node that follows the item reads a list of symbols.
    symbol: symbols.join(', '),
    signal: alerts.every((alert) => alert.signal === signal) ? signal : null,
    message: firstLines(lines, LINES_SHOWN).join('\n'),
    ...{ exchange, market, kind: 'gathered', count: alerts.length, time },
    alerts,
  };
}
