import type { Level } from '../book/types';

export const CHART_THEMES = ['light', 'dark'] as const;
export const CHART_FORMATS = ['png', 'svg'] as const;
/** Pixels; the layout is the same at every width. */
export const CHART_WIDTH = { min: 320, max: 2_880, default: 1_440 } as const;

export type ChartTheme = (typeof CHART_THEMES)[number];
export type ChartFormat = (typeof CHART_FORMATS)[number];

/** How a chart looks, whatever it shows. */
export interface ChartLook {
  readonly theme: ChartTheme;
  readonly format: ChartFormat;
  /** Pixels of the PNG, or the width that the SVG asks for. */
  readonly width: number;
  /** IANA name; where the platform does not know it, times are in UTC and the chart says so. */
  readonly timeZone: string;
}

/** What every chart says of its symbol. */
export interface ChartSubject {
  readonly symbol: string;
  /** As people read it: Binance Spot. */
  readonly market: string;
  /** What prices are counted in; null where that is unknown. */
  readonly priceUnit: string | null;
}

/** The cumulative depth of an order book around its mid. The book has both sides and is not crossed. */
export interface DepthChart extends ChartSubject {
  readonly kind: 'depth';
  /** Best first, as many as are known. */
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  /** True: the exchange has no more levels than these. */
  readonly bidsComplete: boolean;
  readonly asksComplete: boolean;
  /** How many levels a side are marked. */
  readonly levels: number;
  readonly quantityUnit: string | null;
  /** Milliseconds since 1970; null where the book's time is not known. */
  readonly timeMs: number | null;
}

type Pressure = 'SELLING' | 'BUYING';

/** What is known of a moment; null where nothing is. */
export interface ChartSample {
  /** Milliseconds since 1970; later than that of the sample before. */
  readonly timeMs: number;
  readonly mid: number | null;
  /** Percent: positive = asks outweigh bids. */
  readonly percent: number | null;
  /** Percent, as it was in force. */
  readonly threshold: number;
  /** What is reported at this moment and has not ended. */
  readonly firing: Pressure | null;
  /** What was reported since the sample before; NEUTRAL is an end. */
  readonly alert: Pressure | 'NEUTRAL' | null;
  /** Something between the sample before and this one is missing. */
  readonly afterGap: boolean;
}

/** Price and measure over time. At least one sample has a mid. */
export interface HistoryChart extends ChartSubject {
  readonly kind: 'history';
  readonly fromMs: number;
  /** Later than `fromMs`. */
  readonly toMs: number;
  /** Oldest first, all of them from `fromMs` to `toMs`. */
  readonly samples: readonly ChartSample[];
  /** What is compared, a few words: notional, 20 levels. */
  readonly measure: string;
  /** Percent below which pressure ends; null where that is not known, or has not been one all the time. */
  readonly recovery: number | null;
}

export type Chart = DepthChart | HistoryChart;

export interface ChartRequest {
  readonly chart: Chart;
  readonly look: ChartLook;
}

/** A picture: the bytes of a PNG, or of an SVG in UTF-8. */
export interface ChartPicture {
  readonly format: ChartFormat;
  readonly bytes: Uint8Array;
}

/** What the worker sends back for a request. */
export type ChartAnswer =
  { readonly id: number; readonly picture: ChartPicture } | { readonly id: number; readonly failure: string };
