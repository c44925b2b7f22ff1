import { BPS, quoteOf } from './quote';
import type { BookOrigin, NoSignalReason, SignalInput, SignalParameters } from './types';

/** What a user would type for a number of levels. */
const ROUND_LEVELS = [50, 100, 200, 500, 1000, 2000, 5000];
/** Levels lie wider apart further out in no book for certain: half as many again. */
const SAFETY = 1.5;

/** Which field of which node to change, and to what, where levels are missing. A sentence without its full stop. */
export function levelsRemedy(
  input: SignalInput,
  parameters: SignalParameters,
  reason: NoSignalReason,
): string {
  const { measure, levels } = parameters;
  const { origin } = input;
  const common = Math.min(input.bids.length, input.asks.length);
  if (reason === 'too-few-levels')
    return common === levels
      ? 'Switch on Match Levels'
      : `Lower Levels to ${common}, or switch on Match Levels`;
  if (measure === 'queue' || common === 0) return moreOf(origin, null) ?? 'Try again with the next book';
  if (measure === 'band') return bandRemedy(input, parameters);
  const lower = `lower Levels to ${common}`;
  const more = moreOf(origin, levels);
  return more === null ? capital(lower) : `${more}, or ${lower}`;
}

function bandRemedy(input: SignalInput, parameters: SignalParameters): string {
  const quote = quoteOf(input.bids[0], input.asks[0]);
  const sides = [
    { levels: input.bids, complete: input.bidsComplete },
    { levels: input.asks, complete: input.asksComplete },
  ].filter(({ complete }) => !complete);
  // How far from the mid the known levels reach, and how many there are; in doubles, as it is advice only.
  const reach = sides.map(({ levels }) => {
    const last = Number(levels[levels.length - 1][0]);
    return { bps: (Math.abs(last - quote.mid) / quote.mid) * BPS, count: levels.length };
  });
  const bandBps = Math.max(parameters.bandBps, parameters.bandMinSpreads * quote.spreadBps);
  const needed = Math.max(...reach.map(({ bps, count }) => (count * bandBps * SAFETY) / Math.max(bps, 0.01)));
  const narrowest = roundDown(Math.min(...reach.map(({ bps }) => bps)));
  const more = moreOf(input.origin, ROUND_LEVELS.find((levels) => levels >= needed) ?? ROUND_LEVELS[6]);
  // Narrower than this, the band would end inside the spread or be widened again.
  const possible = narrowest > Math.max(0.5, parameters.bandMinSpreads) * quote.spreadBps;
  const lower = possible ? `lower Band (Basis Points) to ${narrowest}` : null;
  if (more !== null) return lower === null ? more : `${more}, or ${lower}`;
  return lower === null
    ? 'Choose another measure: the known levels do not reach beyond such a band'
    : capital(lower);
}

/** Where to get more levels; null where there are no more. @param to null: as many as there are */
function moreOf(origin: BookOrigin | undefined, to: number | null): string | null {
  if (origin === undefined) return to === null ? null : `Give the book ${to} levels a side`;
  const { kind, keptLevels, maxLevels } = origin;
  const wanted = Math.min(to ?? maxLevels, maxLevels);
  const bookDepth = `Set Book Depth in the options of the Binance Order Book Trigger to ${bookDepthFor(wanted, maxLevels)}`;
  switch (kind) {
    case 'exchange':
      return null;
    case 'item':
      return `Raise Levels in the node that the item comes from to ${wanted}`;
    case 'store':
      return keptLevels !== null && keptLevels >= wanted
        ? bookDepth
        : `Raise Levels in the Binance Order Book Trigger to ${wanted}`;
    case 'feed':
      return bookDepth;
  }
}

/** The next choice of the field above what is wanted: what is asked for may run short until the book is fetched again. */
function bookDepthFor(levels: number, maxLevels: number): number {
  return [100, 500, 1000, 5000].find((depth) => depth > levels && depth <= maxLevels) ?? maxLevels;
}

function roundDown(bps: number): number {
  if (bps <= 0) return 0;
  const step = 10 ** (Math.floor(Math.log10(bps)) - 1);
  // The last known level itself must lie beyond the band.
  return Number(((Math.ceil(bps / step) - 1) * step).toPrecision(2));
}

/** Which field to raise where the band ends inside the spread. */
export function bandInsideSpreadRemedy({ bids, asks }: SignalInput): string {
  const { spreadBps } = quoteOf(bids[0], asks[0]);
  return `Raise Band at Least (Spreads) to 1, or Band (Basis Points) to more than ${Number((spreadBps / 2).toPrecision(3))}`;
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
