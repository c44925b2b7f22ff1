import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { openRecording } from '../../scripts/replay/recording';
import { replay } from '../../scripts/replay/replay';
import { ENDPOINTS } from '../../src/binance/endpoints';
import { fastCodec } from '../../src/binance/wire/codec';
import { drawChart } from '../../src/charts/draw/draw';
import type { ChartSample, HistoryChart } from '../../src/charts/types';
import { MARKETS } from '../../src/feed/markets';
import { touchOf } from '../../src/signal/quote';
import { ofClass, parseSvg, pathParts, readAxis } from '../support/drawnSvg';
import { axisNumber, depthAxes } from '../support/depthAxes';
import { RECORDINGS, type RecordingFolder, describeWithRecordings } from '../support/recordings';

type Side = ReadonlyArray<readonly [price: number, quantity: number]>;
interface RawEvent {
  readonly u: number;
  readonly b: ReadonlyArray<readonly [string, string]>;
  readonly a: ReadonlyArray<readonly [string, string]>;
}

/** A recording as its raw text has it: a side is prices with their quantities, an event a change of both. */
function rawOf(path: string) {
  const text = (name: string) => gunzipSync(readFileSync(join(path, name))).toString('utf8');
  const reply = JSON.parse(text('snapshot.json.gz')) as {
    readonly lastUpdateId: number;
    readonly bids: RawEvent['b'];
    readonly asks: RawEvent['a'];
  };
  const bids = new Map(reply.bids.map(([price, quantity]) => [Number(price), Number(quantity)]));
  const asks = new Map(reply.asks.map(([price, quantity]) => [Number(price), Number(quantity)]));
  const events = text('events.ndjson.gz')
    .trim()
    .split('\n')
    .map((line) => () => {
      const read = JSON.parse(line) as RawEvent & { readonly data?: RawEvent };
      const event = read.data ?? read;
      if (event.u < reply.lastUpdateId) return;
      for (const [price, quantity] of event.b) bids.set(Number(price), Number(quantity));
      for (const [price, quantity] of event.a) asks.set(Number(price), Number(quantity));
    });
  return { bids, asks, events };
}

function best(side: Map<number, number>, sign: 1 | -1, count: number): Side {
  return [...side]
    .filter(([, quantity]) => quantity > 0)
    .sort(([a], [b]) => sign * (a - b))
    .slice(0, count);
}

/** The best levels at the end of a recording, by nothing of the project. */
function endOf({ path }: RecordingFolder): { bids: Side; asks: Side } {
  const { bids, asks, events } = rawOf(path);
  for (const apply of events) apply();
  return { bids: best(bids, -1, LEVELS), asks: best(asks, 1, LEVELS) };
}

/** The corners that the steps of a side must have. */
function cornersOf(side: Side): Array<readonly [number, number]> {
  let depth = 0;
  return side.flatMap(([price, quantity]) => {
    const before = depth;
    depth += quantity;
    return [
      [price, before],
      [price, depth],
    ] as const;
  });
}

/** How many looks at a recording a chart of its history shows. */
const LOOKS = 200;

/** The mid after some lines of a recording, by nothing of the project. */
function midsOf({ path }: RecordingFolder, lines: ReadonlySet<number>): Map<number, number> {
  const { bids, asks, events } = rawOf(path);
  const mids = new Map<number, number>();
  for (const [line, apply] of events.entries()) {
    apply();
    if (!lines.has(line)) continue;
    const [bid] = best(bids, -1, 1);
    const [ask] = best(asks, 1, 1);
    mids.set(line, (bid[0] + ask[0]) / 2);
  }
  return mids;
}

const LEVELS = 20;

describeWithRecordings('the depth that a chart draws', () => {
  test.each(RECORDINGS.map((recording) => [recording.name, recording] as const))(
    'is the one at the end of %s, level by level',
    async (_name, recording) => {
      const market = MARKETS[recording.market];
      const { sync } = await replay(fastCodec(), openRecording(recording.path), ENDPOINTS[recording.market]);
      const book = sync.book?.top(LEVELS);
      if (book === undefined) throw new Error('the book is not live');
      const { bids, asks } = book;
      const svg = drawChart({
        chart: {
          ...{ kind: 'depth', symbol: recording.name, market: market.name, bids, asks, levels: LEVELS },
          ...{ bidsComplete: false, asksComplete: false, priceUnit: null, quantityUnit: null, timeMs: null },
        },
        look: { theme: 'light', format: 'svg', width: 720, timeZone: 'UTC' },
      });
      const drawn = parseSvg(svg);
      const { price, depth } = depthAxes(drawn);
      const truth = endOf(recording);
      for (const [side, levels] of [
        ['bid', truth.bids],
        ['ask', truth.asks],
      ] as const) {
        const corners = pathParts(ofClass(drawn, `${side}-depth`).attributes.d)[0];
        const expected = cornersOf(levels);
        expect(corners).toHaveLength(expected.length);
        // The numbers on the axes, too, stand where they do to a hundredth of a unit of the picture.
        const [priceUnit, depthUnit] = [Math.abs(price(1) - price(0)), Math.abs(depth(1) - depth(0))];
        corners.forEach(([x, y], i) => {
          expect(Math.abs(price(x) - expected[i][0])).toBeLessThan(0.05 * priceUnit);
          expect(Math.abs(depth(y) - expected[i][1])).toBeLessThan(0.05 * depthUnit);
        });
      }
    },
  );
});

describeWithRecordings('the price that a chart draws', () => {
  test.each(RECORDINGS.map((recording) => [recording.name, recording] as const))(
    'is the mid at each look at %s',
    async (_name, recording) => {
      const market = MARKETS[recording.market];
      const samples: ChartSample[] = [];
      const lines: number[] = [];
      let line = -1;
      const { events } = rawOf(recording.path);
      const every = Math.max(1, Math.floor(events.length / LOOKS));
      await replay(fastCodec(), openRecording(recording.path), ENDPOINTS[recording.market], ({ sync }) => {
        line++;
        const top = sync.book?.top(1);
        if (line % every !== 0 || top === undefined) return;
        const { mid } = touchOf(top.bids, top.asks);
        lines.push(line);
        // A second for each look, so that no two are in one column of the picture.
        const timeMs = lines.length * 1_000;
        const unreported = { threshold: 10, firing: null, alert: null, afterGap: false };
        samples.push({ timeMs, mid, percent: null, ...unreported });
      });
      const chart: HistoryChart = {
        ...{ kind: 'history', symbol: recording.name, market: market.name, priceUnit: null, samples },
        ...{ fromMs: 0, toMs: (lines.length + 1) * 1_000, measure: 'none', recovery: null },
      };
      const look = { theme: 'light', format: 'svg', width: 720, timeZone: 'UTC' } as const;
      const drawn = parseSvg(drawChart({ chart, look }));
      const price = readAxis(ofClass(drawn, 'price-axis'), 'y1', axisNumber);
      const unit = Math.abs(price(1) - price(0));
      const corners = pathParts(ofClass(drawn, 'price-line').attributes.d).flat();
      const mids = midsOf(recording, new Set(lines));
      expect(corners).toHaveLength(lines.length);
      corners.forEach(([, y], i) =>
        expect(Math.abs(price(y) - (mids.get(lines[i]) ?? NaN))).toBeLessThan(0.05 * unit),
      );
    },
  );
});
