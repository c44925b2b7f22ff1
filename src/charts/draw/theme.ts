import type { ChartTheme } from '../types';

/** Blue and orange, which every kind of colour vision tells apart; what they mean is also written beside them. */
export interface Theme {
  readonly background: string;
  readonly text: string;
  /** For what explains: axes, units. */
  readonly muted: string;
  readonly grid: string;
  /** Bids and buying pressure. */
  readonly bid: string;
  /** Asks and selling pressure. */
  readonly ask: string;
  /** Where nothing is known. */
  readonly unknown: string;
}

export const THEMES: Readonly<Record<ChartTheme, Theme>> = {
  light: {
    background: '#ffffff',
    text: '#17202a',
    muted: '#55626e',
    grid: '#e2e7ec',
    bid: '#0067a5',
    ask: '#c44f00',
    unknown: '#e6eaee',
  },
  dark: {
    background: '#12171d',
    text: '#eef2f5',
    muted: '#a3b0bb',
    grid: '#2a333c',
    bid: '#5bb5f0',
    ask: '#f79a4b',
    unknown: '#262f38',
  },
};
