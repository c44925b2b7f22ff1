import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChartRenderer, type RendererOptions } from '../../src/charts/chartRenderer';
import { drawChart } from '../../src/charts/draw/draw';
import { textWidth } from '../../src/charts/draw/text';
import { THEMES } from '../../src/charts/draw/theme';
import type { ChartLook, ChartRequest, DepthChart } from '../../src/charts/types';
import { parseSvg } from '../support/drawnSvg';
import { advancesOf } from '../support/fontFile';
import { labelBoxes } from '../support/labelBoxes';
import { type Pixels, readPng } from '../support/png';

const CHART: DepthChart = {
  ...{ kind: 'depth', symbol: 'BTCUSDT', market: 'Binance Spot', priceUnit: 'USDT', quantityUnit: 'BTC' },
  ...{ timeMs: 1_795_953_600_000, levels: 1, bidsComplete: false, asksComplete: false },
  bids: [
    ['100', '1'],
    ['99', '2'],
  ],
  asks: [
    ['101', '4'],
    ['102', '5'],
  ],
};
const LOOK: ChartLook = { format: 'png', theme: 'light', width: 1_440, timeZone: 'UTC' };
const request = (look: Partial<ChartLook> = {}, chart: Partial<DepthChart> = {}): ChartRequest => ({
  chart: { ...CHART, ...chart },
  look: { ...LOOK, ...look },
});

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'orderflow-charts-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const open: ChartRenderer[] = [];
function renderer(options: Partial<RendererOptions> = {}): ChartRenderer {
  const one = new ChartRenderer(options);
  open.push(one);
  return one;
}
afterEach(async () => {
  for (const one of open.splice(0)) await one.closeIdle();
});

/** A thread that does what the text says with each request. */
function threadThat(does: string): string {
  const file = join(folder, `thread-${Math.random().toString(36).slice(2)}.js`);
  writeFileSync(
    file,
    `const { parentPort } = require('node:worker_threads'); parentPort.on('message', ({ id, request }) => { ${does} });`,
  );
  return file;
}

/** The share of a box that is far from the colour around it. */
function ink(
  pixels: Pixels,
  box: { left: number; right: number; top: number; bottom: number },
  scale: number,
) {
  const [left, right, top, bottom] = [box.left, box.right, box.top, box.bottom].map((at) =>
    Math.round(at * scale),
  );
  const ground = pixels.at(left - 2, top);
  let inked = 0;
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) {
      const far = pixels.at(x, y).reduce((sum, value, i) => sum + Math.abs(value - ground[i]), 0);
      if (far > 150) inked++;
    }
  return inked / ((right - left) * (bottom - top));
}

describe('a PNG', () => {
  test.each([
    ['light', 720],
    ['dark', 1_440],
    ['light', 320],
  ] as const)(
    'has the width and ground of its look, and ink where each label is (%s, %i)',
    async (theme, width) => {
      const { bytes, format } = await renderer().draw(request({ theme, width }));
      expect(format).toBe('png');
      const pixels = readPng(bytes);
      expect(pixels.width).toBe(width);
      const [red, green, blue] = [1, 3, 5].map((at) =>
        parseInt(THEMES[theme].background.slice(at, at + 2), 16),
      );
      expect(pixels.at(1, 1)).toEqual([red, green, blue]);
      const labels = labelBoxes(parseSvg(drawChart(request({ theme, width }))));
      expect(labels.length).toBeGreaterThan(12);
      for (const box of labels) {
        const share = ink(pixels, box, width / 720);
        // Of letters a sixth to a half is ink; a box without any is empty, one that is full is no letter.
        expect([box.text, share > 0.06 && share < 0.7]).toEqual([box.text, true]);
      }
    },
  );
});

test('the widths by which labels are placed are those of the fonts that are shipped', () => {
  const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
  for (const [file, weight] of [
    ['Roboto-Regular.ttf', 'regular'],
    ['Roboto-Bold.ttf', 'bold'],
  ] as const) {
    const advances = advancesOf(readFileSync(join(__dirname, '../../dist/charts', file)));
    for (const character of printable)
      expect(textWidth(character, 1, weight)).toBeCloseTo(advances(character) ?? NaN, 3);
  }
});

test('an SVG is the drawn text, and starts no picture engine', async () => {
  const { bytes } = await renderer().draw(request({ format: 'svg' }));
  expect(Buffer.from(bytes).toString('utf8')).toBe(drawChart(request({ format: 'svg' })));
});

test('charts that are asked for at once come one after the other, each its own', async () => {
  const one = renderer();
  const symbols = Array.from({ length: 20 }, (_, i) => `S${i}USDT`);
  const pictures = await Promise.all(
    symbols.map((symbol) => one.draw(request({ format: 'svg' }, { symbol }))),
  );
  pictures.forEach(({ bytes }, i) =>
    expect(Buffer.from(bytes).toString('utf8')).toContain(`>${symbols[i]}<`),
  );
});

describe('a chart that fails', () => {
  test('is an error with its cause, and the next one is drawn', async () => {
    const one = renderer();
    await expect(one.draw(request({}, { bids: [['nonsense', '1']] }))).rejects.toMatchObject({
      code: 'OF_CHART',
      message: expect.stringContaining('A coordinate is NaN') as unknown,
    });
    expect((await one.draw(request({ format: 'svg' }))).bytes.length).toBeGreaterThan(1_000);
  });

  test.each([
    ['ends', 'process.exit(3)', /thread ended with code 3/],
    ['throws', 'throw new Error("burst")', /burst/],
    // So long that a machine under load gets the others done.
    ['hangs', 'for (;;) ;', /not done within 8 s/],
  ])('because its thread %s fails alone; those behind it get a new thread', async (_how, does, words) => {
    const file = threadThat(
      `if (request.chart.symbol === 'BAD') { ${does} } else parentPort.postMessage({ id, picture: { format: 'png', bytes: new Uint8Array(1) } });`,
    );
    const one = renderer({ workerFile: file, timeoutMs: 8_000 });
    const answers = await Promise.allSettled(
      ['A', 'BAD', 'B', 'C'].map((symbol) => one.draw(request({}, { symbol }))),
    );
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    const { reason } = answers[1] as PromiseRejectedResult;
    expect(reason).toMatchObject({ code: 'OF_CHART', message: expect.stringMatching(words) as unknown });
  });

  test('because there is no thread to draw it names the file', async () => {
    await expect(renderer({ workerFile: join(folder, 'none.js') }).draw(request())).rejects.toThrow(
      /none\.js/,
    );
  });

  test('because nobody waits for it any more keeps no other one waiting', async () => {
    const one = renderer();
    const first = one.draw(request({ format: 'svg' }));
    const given = Array.from({ length: 3 }, () => one.draw(request(), () => false));
    const last = one.draw(request({ format: 'svg' }, { symbol: 'LAST' }));
    const answers = await Promise.allSettled([first, ...given, last]);
    expect(answers.map(({ status }) => status === 'fulfilled')).toEqual([true, false, false, false, true]);
  });

  test('because too many wait says how many', async () => {
    const one = renderer({ workerFile: threadThat(''), mostWaiting: 2, timeoutMs: 200 });
    const answers = await Promise.allSettled(Array.from({ length: 4 }, () => one.draw(request())));
    expect((answers[3] as PromiseRejectedResult).reason).toMatchObject({
      message: 'The chart could not be drawn: 2 charts wait already',
    });
  });
});

test('the thread gives way to all others of the process', async () => {
  // As Linux has it: elsewhere a thread has no priority of its own.
  if (process.platform !== 'linux') return;
  const nice = () =>
    readdirSync('/proc/self/task').flatMap((id) => {
      try {
        const [, fields] = readFileSync(`/proc/self/task/${id}/stat`, 'utf8').split(/\) (?=[A-Z] )/);
        return [[Number(id), Number(fields.split(' ')[16])] as const];
      } catch {
        // A thread that has ended meanwhile.
        return [];
      }
    });
  const before = new Map(nice());
  await renderer().draw(request({ format: 'svg' }));
  const changed = nice().filter(([id, value]) => value !== (before.get(id) ?? before.get(process.pid)));
  expect(changed.map(([, value]) => value)).toEqual([10]);
});

test('the thread ends when nothing is asked of it, and starts again', async () => {
  const file = threadThat(
    `parentPort.postMessage({ id, picture: { format: 'png', bytes: Uint8Array.of((globalThis.drawn = (globalThis.drawn ?? 0) + 1)) } });`,
  );
  const drawnBy = async (one: ChartRenderer) => (await one.draw(request())).bytes[0];
  const patient = renderer({ workerFile: file });
  expect([await drawnBy(patient), await drawnBy(patient)]).toEqual([1, 2]);
  await patient.closeIdle();
  await patient.closeIdle();
  expect(await drawnBy(patient)).toBe(1);
  const hurried = renderer({ workerFile: file, idleMs: 0 });
  expect(await drawnBy(hurried)).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await drawnBy(hurried)).toBe(1);
});
