import type { ChartRequest } from '../types';
import { drawDepth } from './depth';
import { drawHistory } from './history';

/** A chart as SVG. The same request gives the same text. */
export function drawChart({ chart, look }: ChartRequest): string {
  return chart.kind === 'depth' ? drawDepth(chart, look) : drawHistory(chart, look);
}
