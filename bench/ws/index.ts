import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { ours, plain, type Answer } from '../core/sides';
import { syntheticStream, type Stream } from '../core/stream';
import { processCpuUs } from '../lib/cpuTime';
import type { Part, PartOptions, PartResult, Table, Target } from '../lib/part';
import { figure, median } from '../lib/stats';
import { WS_VERSION } from './projectWs';
import { type Receiver, seen, wsAlone, wsJsonParse, wsOurs } from './receivers';

const SEED = 20_240_808;
const RECEIVERS = [wsAlone, wsOurs, wsJsonParse];
const MOST_OVER_WS = 1.1;
/** A receiver that gets nothing for this long is given up. */
const SILENCE_MS = 20_000;

/** One way of sending. */
interface Pace {
  readonly name: string;
  readonly label: string;
  /** 0 = as fast as it is taken. */
  readonly perSecond: number;
  readonly events: number;
  readonly passes: number;
}

const PACES: readonly Pace[] = [
  { name: 'perSecond100', label: '100 a second', perSecond: 100, events: 400, passes: 5 },
  { name: 'perSecond1000', label: '1 000 a second', perSecond: 1_000, events: 3_000, passes: 5 },
  { name: 'perSecond10000', label: '10 000 a second', perSecond: 10_000, events: 20_000, passes: 5 },
  { name: 'fullSpeed', label: 'as fast as they are taken', perSecond: 0, events: 50_000, passes: 7 },
];
const QUICK_PACES: readonly Pace[] = PACES.map((pace) => ({ ...pace, events: 50, passes: 1 }));
/** At these frames come one by one, as from the exchange, and not many in one read. */
const SINGLY = new Set(['perSecond100', 'perSecond1000']);

interface Cost {
  /** Processor time of the receiving process. */
  readonly cpuUs: number;
  readonly wallUs: number;
}

/** Median cost of an event by receiver, at one pace. */
interface Costs {
  readonly pace: Pace;
  readonly byReceiver: ReadonlyMap<string, Cost>;
}

export const part: Part = {
  name: 'ws',
  summary: 'the same through a WebSocket over loopback from another process, beside receiving with ws alone',
  needsPeers: false,
  run,
};

async function run({ quick, progress }: PartOptions): Promise<PartResult> {
  const paces = quick ? QUICK_PACES : PACES;
  const events = Math.max(...paces.map((pace) => pace.events));
  progress('generating the stream, here and in the sender');
  const stream = syntheticStream(events, SEED);
  const truth = answersAfter(stream, new Set(paces.map((pace) => pace.events)));
  const { sender, port } = await startSender(events);
  try {
    const measure = async (receiver: Receiver, pace: Pace): Promise<Cost> => {
      const url = new URL(`ws://127.0.0.1:${port}/?events=${pace.events}&perSecond=${pace.perSecond}`);
      return receive(receiver, url, stream, pace.events, truth.get(pace.events));
    };
    const warmUp = paces[paces.length - 1];
    for (const receiver of RECEIVERS) await measure(receiver, warmUp);
    const costs: Costs[] = [];
    for (const pace of paces) costs.push(await measurePace(pace, measure, progress));
    return report(costs);
  } finally {
    sender.kill();
    seen();
  }
}

async function measurePace(
  pace: Pace,
  measure: (receiver: Receiver, pace: Pace) => Promise<Cost>,
  progress: (text: string) => void,
): Promise<Costs> {
  const costs = new Map(RECEIVERS.map(({ name }): [string, Cost[]] => [name, []]));
  for (let round = 0; round < pace.passes; round++)
    for (let i = 0; i < RECEIVERS.length; i++) {
      const receiver = RECEIVERS[(i + round) % RECEIVERS.length];
      progress(`${pace.label}, pass ${round + 1} of ${pace.passes}, ${receiver.label}`);
      costs.get(receiver.name)?.push(await measure(receiver, pace));
    }
  const middle = (values: readonly Cost[]): Cost => ({
    cpuUs: median(values.map(({ cpuUs }) => cpuUs)),
    wallUs: median(values.map(({ wallUs }) => wallUs)),
  });
  return { pace, byReceiver: new Map([...costs].map(([name, values]) => [name, middle(values)])) };
}

/** The sums after this many events: the plain path's, or in long passes, where that takes minutes, our own path's. */
function answersAfter(stream: Stream, passes: ReadonlySet<number>): Map<number, Answer> {
  const answers = new Map<number, Answer>();
  for (const events of passes) {
    const side = events <= plain.most ? plain : ours;
    const run = side.start(stream);
    run.events(stream.frames.receive(side.input, 0, events), 0, events);
    answers.set(events, run.answer);
  }
  return answers;
}

/** One pass over one connection, from its first frame to its last. */
async function receive(
  receiver: Receiver,
  url: URL,
  stream: Stream,
  events: number,
  truth: Answer | undefined,
): Promise<Cost> {
  let done!: () => void;
  let fail!: (why: string) => void;
  const received = new Promise<void>((resolve, reject) => {
    done = resolve;
    fail = (why) => reject(new Error(`${receiver.label}: ${why}`));
  });
  let count = 0;
  let firstMs = 0;
  let endCpuUs = 0;
  let endMs = 0;
  const onFrame = () => {
    if (++count === 1) firstMs = performance.now();
    if (count < events) return;
    endCpuUs = processCpuUs();
    endMs = performance.now();
    done();
  };
  received.catch(() => undefined);
  const connection = await receiver.open(url, stream, onFrame, fail);
  const startCpuUs = processCpuUs();
  let heard = -1;
  const silence = setInterval(() => {
    if (heard === count) fail(`silence after ${count} frames`);
    heard = count;
  }, SILENCE_MS);
  try {
    await received;
  } finally {
    clearInterval(silence);
    await connection.close();
  }
  const sums = connection.sums();
  if (sums !== null && truth !== undefined)
    for (const side of ['bids', 'asks'] as const)
      if (Math.abs(sums[side] - truth[side]) > 1e-9 * truth[side])
        throw new Error(`${receiver.label}: ${side} ${sums[side]} instead of ${truth[side]} in the end`);
  return { cpuUs: (endCpuUs - startCpuUs) / events, wallUs: ((endMs - firstMs) * 1_000) / (events - 1) };
}

function startSender(events: number): Promise<{ sender: ChildProcess; port: number }> {
  const sender = fork(join(__dirname, 'sender.ts'), [], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  process.once('exit', () => sender.kill());
  return new Promise((resolve, reject) => {
    sender.once('exit', (code) => reject(new Error(`the sender ended with ${code}`)));
    sender.once('error', reject);
    sender.once('message', ({ port }: { port: number }) => resolve({ sender, port }));
    sender.send({ events, seed: SEED });
  });
}

function cpu({ byReceiver }: Costs, receiver: Receiver): number {
  return byReceiver.get(receiver.name)?.cpuUs ?? NaN;
}

function report(costs: readonly Costs[]): PartResult {
  const over = (of: Costs, receiver: Receiver) => cpu(of, receiver) / cpu(of, wsAlone);
  const tables: Table[] = [
    {
      title: 'Processor time of the receiving process, µs an event',
      head: [
        'frames of 1.2 KB come',
        ...RECEIVERS.map(({ label }) => label),
        'ours ÷ ws alone',
        'ours ÷ ws and JSON.parse',
      ],
      rows: costs.map((of) => [
        of.pace.label,
        ...RECEIVERS.map((receiver) => figure(cpu(of, receiver))),
        figure(over(of, wsOurs)),
        figure(cpu(of, wsOurs) / cpu(of, wsJsonParse)),
      ]),
    },
    {
      title: 'From the first frame to the last, µs an event',
      head: ['frames of 1.2 KB come', ...RECEIVERS.map(({ label }) => label)],
      rows: costs.map(({ pace, byReceiver }) => [
        pace.label,
        ...RECEIVERS.map(({ name }) => figure(byReceiver.get(name)?.wallUs ?? NaN)),
      ]),
    },
  ];
  return {
    figures: Object.fromEntries(
      costs.map((of) => [
        of.pace.name,
        {
          events: of.pace.events,
          cpuUsPerEvent: Object.fromEntries(RECEIVERS.map((receiver) => [receiver.name, cpu(of, receiver)])),
          wallUsPerEvent: Object.fromEntries([...of.byReceiver].map(([name, { wallUs }]) => [name, wallUs])),
          ratioToWsAlone: over(of, wsOurs),
          ratioToWsAndJsonParse: cpu(of, wsOurs) / cpu(of, wsJsonParse),
        },
      ]),
    ),
    tables,
    versions: { ws: WS_VERSION },
    notes: [
      "The sender is a process of its own. Processor time is user and system time of the whole receiving process, its medians over interleaved passes. Ours is the feed's own connection with its watchdog, and its sums after the last frame are compared with the plain path's, in long passes with our own without a socket.",
      'At 100 and 1 000 a second each frame is a packet and a turn of the event loop of its own, as from the exchange. At full speed fifty frames come in one read, and what ws takes for a frame shrinks to less than any reader of 1.2 KB can add a tenth to.',
    ],
    targets: [
      ...costs
        .filter(({ pace }) => SINGLY.has(pace.name))
        .map((of): Target => ({
          text: `ours ÷ ws alone, ${of.pace.label}`,
          value: over(of, wsOurs),
          limit: MOST_OVER_WS,
          kind: 'atMost',
        })),
      ...costs.map((of): Target => ({
        text: `ours ÷ ws and JSON.parse, ${of.pace.label}`,
        value: cpu(of, wsOurs) / cpu(of, wsJsonParse),
        limit: 1,
        kind: 'atMost',
      })),
    ],
  };
}
