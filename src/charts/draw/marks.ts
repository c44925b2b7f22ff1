import { coordinate, element } from './svg';
import type { Theme } from './theme';

/** Signs that differ by their shape, not by their colour alone. */
export type Mark = 'up' | 'down' | 'ring' | 'unknown';

const HALF = 10;

/** A sign around a place. */
export function mark(kind: Mark, x: number, y: number, theme: Theme): string {
  switch (kind) {
    case 'up':
    case 'down': {
      const tip = kind === 'up' ? -HALF : HALF;
      const corners = [
        [x, y + tip],
        [x + HALF, y - tip * 0.8],
        [x - HALF, y - tip * 0.8],
      ];
      return element('polygon', {
        points: corners.map((corner) => corner.map(coordinate).join(',')).join(' '),
        ...{ fill: kind === 'up' ? theme.bid : theme.ask, stroke: theme.background, 'stroke-width': 2 },
        ...{ 'stroke-linejoin': 'round', 'paint-order': 'stroke' },
      });
    }
    case 'ring':
      return element('circle', {
        ...{ cx: x, cy: y, r: 6.5, fill: theme.background, stroke: theme.text, 'stroke-width': 3 },
      });
    case 'unknown':
      return element('rect', {
        ...{ x: x - HALF, y: y - HALF + 1, width: 2 * HALF, height: 2 * HALF - 2, fill: theme.unknown },
        ...{ stroke: theme.muted, 'stroke-width': 1 },
      });
  }
}
