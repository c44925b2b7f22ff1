import { ENDPOINTS } from '../../src/binance/endpoints';
import { DEFAULT_SHARE, MAX_IN_FLIGHT } from '../../src/limits/weightBudget';
import { median } from '../lib/stats';
import type { FeederMethods } from './feeder';
import { symbolNames } from './names';
import { allLive, checkBooks, expectNothingLeft, senderOptions } from './rig';
import type { SenderMethods } from './sender';
import { clockBase } from './sharedClock';
import { Worker } from './worker';

const LEVELS = 1_000;
/** What a reply from the exchange takes, in a minute of its own; it is shortened together with the minute. */
const REPLY_MS = 100;
const MINUTE_MS = 60_000;
/** The exchange answers with a hundred levels a side for this weight; at first no reader needs more than 20. */
const FIRST_WEIGHT = 5;

export interface StartUpFigures {
  readonly symbols: number;
  /** The shortened minute of the measured run. */
  readonly minuteSeconds: number;
  readonly firstSeconds: number;
  readonly halfSeconds: number;
  readonly allSeconds: number;
  /** The least time for all that weight and replies allow, once the first is live, with this minute. */
  readonly leastSeconds: number;
  /** Where the busiest tenth stood among all symbols when they came live: 0 first, 1 last; its median. */
  readonly busiestAt: number;
  readonly requests: number;
  readonly refused: number;
  /** With the exchange's real minute, from its weights alone. */
  readonly arithmetic: StartUpArithmetic;
}

export interface StartUpArithmetic {
  readonly weightPerMinute: number;
  readonly symbolsPerMinute: number;
  readonly halfMinutes: number;
  readonly allMinutes: number;
}

/** Starts many symbols against an exchange that counts weight by a shortened minute and refuses what is beyond. */
export async function startUp(
  symbols: number,
  minuteMs: number,
  progress: (text: string) => void,
): Promise<StartUpFigures> {
  const sender = Worker.start<SenderMethods>('sender');
  const feeder = Worker.start<FeederMethods>('feeder');
  const busy = Math.ceil(symbols / 10);
  const replyMs = (REPLY_MS * minuteMs) / MINUTE_MS;
  try {
    progress(`start-up of ${symbols} symbols with a minute of ${minuteMs / 1_000} s`);
    const base = clockBase();
    const load = { symbols, levels: LEVELS, perSecond: 10 };
    const port = await sender.call('open', { ...senderOptions(load, base), busy, minuteMs, replyMs });
    await sender.call('resume');
    const names = symbolNames(0, symbols);
    await feeder.call('start', { port, symbols: names, bookDepth: 'auto', clockBase: base, minuteMs });
    await allLive(feeder, symbols);
    const times = await feeder.call('liveTimes');
    const { requests, refused } = await sender.call('stats');
    await checkBooks(sender, [feeder], symbols);
    await expectNothingLeft(feeder);
    const seconds = (share: number) => times[Math.min(Math.floor(symbols * share), symbols - 1)][1] / 1_000;
    const busiest = new Set(names.slice(-busy));
    const places = times.flatMap(([symbol], place) => (busiest.has(symbol) ? [place / symbols] : []));
    return {
      symbols,
      minuteSeconds: minuteMs / 1_000,
      firstSeconds: seconds(0),
      halfSeconds: seconds(0.5),
      allSeconds: seconds(1),
      leastSeconds: seconds(0) + leastMs(symbols, minuteMs, replyMs) / 1_000,
      busiestAt: median(places),
      requests,
      refused,
      arithmetic: arithmetic(symbols),
    };
  } finally {
    await Promise.all([sender.close(), feeder.close()]);
  }
}

/** What does not fit into whole minutes is asked for a minute after the first requests, as many at a time as those. */
function leastMs(symbols: number, minuteMs: number, replyMs: number): number {
  const { allMinutes, symbolsPerMinute } = arithmetic(symbols);
  const rest = symbols - allMinutes * symbolsPerMinute;
  return allMinutes * minuteMs + Math.ceil(rest / MAX_IN_FLIGHT) * replyMs;
}

/** Weight is spent as soon as it is there: the first minute's at once, then as it comes back. */
function arithmetic(symbols: number): StartUpArithmetic {
  const weightPerMinute = ENDPOINTS.spot.weightPerMinute * DEFAULT_SHARE;
  const symbolsPerMinute = Math.floor(weightPerMinute / FIRST_WEIGHT);
  const minutes = (count: number) => Math.floor((count - 1) / symbolsPerMinute);
  return {
    weightPerMinute,
    symbolsPerMinute,
    halfMinutes: minutes(Math.ceil(symbols / 2)),
    allMinutes: minutes(symbols),
  };
}
