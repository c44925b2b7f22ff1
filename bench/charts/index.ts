import type { Part, PartOptions, PartResult } from '../lib/part';
import { figure } from '../lib/stats';
import type { FeederMethods, Measured } from '../scale/feeder';
import { symbolNames } from '../scale/names';
import { allLive, checkBooks, expectNothingLeft, senderOptions, time, warmUp } from '../scale/rig';
import type { SenderMethods } from '../scale/sender';
import { clockBase } from '../scale/sharedClock';
import { Worker } from '../scale/worker';

const MOST_P99_MS = 20;
/** A thousand events a second. */
const LOAD = { symbols: 100, levels: 1_000, perSecond: 10 };

export const part: Part = {
  name: 'charts',
  summary: 'frame sent → book updated while charts are drawn in the same process',
  needsPeers: false,
  run,
};

async function run({ quick, progress }: PartOptions): Promise<PartResult> {
  const seconds = quick ? 1 : 15;
  const sender = Worker.start<SenderMethods>('sender');
  const feeder = Worker.start<FeederMethods>('feeder');
  try {
    progress('start');
    const base = clockBase();
    const port = await sender.call('open', senderOptions(LOAD, base));
    await sender.call('resume');
    const symbols = symbolNames(0, LOAD.symbols);
    await feeder.call('start', { port, symbols, bookDepth: 1_000, clockBase: base });
    await allLive(feeder, LOAD.symbols);
    progress('warm-up');
    await warmUp(sender, LOAD, seconds);
    progress('timing without charts');
    const alone = await time(feeder, seconds);
    progress('timing with charts');
    await feeder.call('draw');
    const drawing = await time(feeder, seconds);
    const drawn = await feeder.call('stopDrawing');
    const compared = await checkBooks(sender, [feeder], LOAD.symbols);
    await expectNothingLeft(feeder);
    return resultOf(alone, drawing, { ...drawn, compared });
  } finally {
    await Promise.all([sender.close(), feeder.close()]);
  }
}

function resultOf(
  alone: Measured,
  drawing: Measured,
  { charts, medianMs, compared }: { charts: number; medianMs: number; compared: number },
): PartResult {
  const row = (what: string, value: (measured: Measured) => number) => [
    what,
    ...[alone, drawing].map((measured) => figure(value(measured))),
  ];
  return {
    figures: JSON.parse(JSON.stringify({ alone, drawing, charts, medianMs })) as PartResult['figures'],
    tables: [
      {
        title: `${LOAD.symbols} symbols × ${LOAD.perSecond} events a second`,
        head: ['what', 'no charts', 'one chart after the other'],
        rows: [
          row('frame sent to book updated, median ms', ({ latencyMs }) => latencyMs.median),
          row('p99 ms', ({ latencyMs }) => latencyMs.p99),
          row('longest ms', ({ latencyMs }) => latencyMs.most),
          row('events timed', ({ events }) => events),
          row('CPU, % of one core, all threads', ({ cpuShare }) => cpuShare * 100),
          ['charts drawn', '0', String(charts)],
          ['ms a chart, median', '-', figure(medianMs)],
          ['books compared with the true ones', '', String(compared)],
        ],
      },
    ],
    notes: [
      'A chart is a day of 8 640 samples, read from the store and drawn as a PNG of 1 440 pixels. The sender, the feed and the thread that draws share the cores of the machine. Latency is up to 1 ms too long, for the frame’s time is cut to milliseconds.',
    ],
    targets: [
      {
        text: 'ms from frame sent to book updated while charts are drawn, p99',
        value: drawing.latencyMs.p99,
        limit: MOST_P99_MS,
        kind: 'atMost',
      },
    ],
  };
}
