/**
 * The thread that draws: the build makes one file of this and of all that it imports, with the picture engine and the
 * fonts beside it (scripts/charts/bundle.cjs).
 */
import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { drawChart } from '../draw/draw';
import type { ChartAnswer, ChartRequest } from '../types';

// Feeds go first. Elsewhere than on Linux the whole process would be what gets less.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const beside = (name: string) => readFileSync(join(__dirname, name));

let engine: Promise<readonly Buffer[]> | null = null;
/** Loads engine and fonts with the first PNG. */
function startEngine(): Promise<readonly Buffer[]> {
  return (engine ??= initWasm(beside('resvg.wasm')).then(() => [
    beside('Roboto-Regular.ttf'),
    beside('Roboto-Bold.ttf'),
  ]));
}

async function pictureOf(request: ChartRequest): Promise<Uint8Array<ArrayBuffer>> {
  const svg = drawChart(request);
  if (request.look.format === 'svg') return Uint8Array.from(Buffer.from(svg, 'utf8'));
  const fontBuffers = [...(await startEngine())];
  const resvg = new Resvg(svg, { font: { fontBuffers, defaultFontFamily: 'Roboto' } });
  try {
    const image = resvg.render();
    try {
      // A copy: what the engine gives is a view of its own memory.
      return Uint8Array.from(image.asPng());
    } finally {
      image.free();
    }
  } finally {
    resvg.free();
  }
}

parentPort?.on('message', ({ id, request }: { id: number; request: ChartRequest }) => {
  pictureOf(request).then(
    (bytes) => {
      const answer: ChartAnswer = { id, picture: { format: request.look.format, bytes } };
      parentPort?.postMessage(answer, [bytes.buffer]);
    },
    (error: unknown) => {
      const failure = error instanceof Error ? error.message : String(error);
      parentPort?.postMessage({ id, failure } satisfies ChartAnswer);
    },
  );
});
