import type { ChartRequest, ChartSubject } from '../types';
import { drawDepth } from './depth';
import { drawHistory } from './history';

/** A chart as SVG. The same request gives the same text. */
export function drawChart({ chart, look }: ChartRequest): string {
  const named = look.format === 'png' ? inAscii(chart) : chart;
  return named.kind === 'depth' ? drawDepth(named, look) : drawHistory(named, look);
}

/** A PNG has the letters of its own font alone, where 币 would be a box: it is written as its code, \u5e01, and a unit is left out. */
function inAscii<Chart extends ChartSubject>(chart: Chart): Chart {
  const code = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const texts = Object.entries(chart).flatMap(([name, value]) => {
    const coded: unknown = typeof value === 'string' ? value.replace(/[^ -~]/g, code) : value;
    return coded === value ? [] : [[name, name.endsWith('Unit') ? null : coded]];
  });
  return { ...chart, ...(Object.fromEntries(texts) as Partial<Chart>) };
}
