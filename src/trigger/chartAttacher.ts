import { historyChart } from '../charts/historyChart';
import type { ChartSample, HistoryChart } from '../charts/types';
import { isGap } from '../history/sample';
import { OrderFlowError, toOrderFlowError, withCode } from '../runtime/errors';
import { inTime } from '../runtime/time';
import { historySamples } from '../store/historySamples';
import type { SnapshotStore } from '../store/types';
import type { OutgoingItem, SessionHost } from './host';
import type { TriggerSettings } from './settings';
import type { AlertItem } from './symbolSignals';

/** An alert waits no longer for its picture. */
const CHART_WAIT_MS = 10_000;
/** Of more alerts at once the newest have a picture. */
const MOST_CHARTS = 10;

/** Puts a chart of the last hours beside each alert. An alert goes out with its picture, or without and says why. */
export class ChartAttacher {
  constructor(
    private readonly settings: TriggerSettings,
    private readonly store: SnapshotStore,
    private readonly host: Pick<SessionHost, 'picture'>,
    private readonly waitMs = CHART_WAIT_MS,
  ) {}

  get isWanted(): boolean {
    return this.settings.attachChartMs > 0 && this.host.picture !== undefined;
  }

  /** The same items in the same order. Never rejects. */
  async attach(items: readonly OutgoingItem[]): Promise<OutgoingItem[]> {
    const alerts = items.filter(({ json }) => isAlert(json));
    const leftOut = new Set(alerts.slice(0, -MOST_CHARTS));
    const why = new OrderFlowError(
      'OF_CHART',
      `of ${alerts.length} alerts at once the newest ${MOST_CHARTS} have one`,
    );
    return await Promise.all(
      items.map((item) => {
        if (!isAlert(item.json)) return item;
        return leftOut.has(item) ? withoutChart(item, why) : this.withChart(item);
      }),
    );
  }

  private async withChart(item: OutgoingItem): Promise<OutgoingItem> {
    let isWanted = true;
    const late = () => new OrderFlowError('OF_CHART', `not done within ${this.waitMs / 1000} s`);
    try {
      const picture = this.pictureFor(item.json as AlertItem, () => isWanted);
      return { ...item, picture: await inTime(picture, this.waitMs, late) };
    } catch (error) {
      return withoutChart(item, toOrderFlowError(error));
    } finally {
      isWanted = false;
    }
  }

  private async pictureFor(alert: AlertItem, isWanted: () => boolean): Promise<unknown> {
    const chart = await this.chartOf(alert);
    if (chart === null) throw new OrderFlowError('OF_CHART', `no history of ${alert.symbol} is kept yet`);
    return await this.host.picture?.(chart, isWanted);
  }

  private async chartOf(alert: AlertItem): Promise<HistoryChart | null> {
    const { market, keyPrefix, attachChartMs: lastMs, measure } = this.settings;
    const { symbol } = alert;
    const { samples, toMs } = await historySamples(this.store, keyPrefix, { market, symbol }, { lastMs });
    const last = samples.at(-1);
    const threshold = alert.thresholdInForce ?? measure.threshold;
    const now = { ...newest(alert, toMs), threshold };
    return historyChart({
      ...{ market, symbol, samples, toMs, fromMs: null },
      // The alert itself: the history has it with its next sample only.
      newest: { ...now, afterGap: last !== undefined && isGap(last, { ...last, timeMs: toMs }) },
    });
  }
}

function withoutChart(item: OutgoingItem, why: OrderFlowError): OutgoingItem {
  return { ...item, json: { ...item.json, chartError: withCode(why) } };
}

/** Of one symbol: an item that gathers several has no chart. */
const KINDS: ReadonlySet<unknown> = new Set(['alert', 'repeat', 'recovered', 'no-signal', 'test']);

function isAlert(json: object): boolean {
  return 'kind' in json && KINDS.has(json.kind);
}

function newest(
  { mid = null, smoothedPercent, imbalancePercent, signal, state, kind }: AlertItem,
  timeMs: number,
): Omit<ChartSample, 'threshold' | 'afterGap'> {
  const pressure = signal === 'NEUTRAL' ? null : signal;
  const isFiring = state === 'firing' || state === 'recovering';
  return {
    ...{ timeMs, mid, percent: smoothedPercent ?? imbalancePercent },
    firing: isFiring ? pressure : null,
    // A repeat is of an alert that has its sign already.
    alert: kind === 'repeat' ? null : (pressure ?? 'NEUTRAL'),
  };
}
