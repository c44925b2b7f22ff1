import { parseArgs } from 'node:util';
import { ENDPOINTS } from '../src/binance/endpoints';
import { MARKETS, type MarketId, isMarketId } from '../src/feed/markets';
import { OrderFlowError, toOrderFlowError } from '../src/runtime/errors';
import { readNumber, refused } from '../src/runtime/validate';
import { readSignalParameters } from '../src/signal/parameters';
import { fastCodec, plainCodec, type FeedCodec, type SymbolUpdate } from '../src/binance/wire/codec';
import { evaluateStep } from './replay/evaluation';
import { openRecording } from './replay/recording';
import { replay } from './replay/replay';
import { Schedule } from './replay/schedule';
import { summarize } from './replay/summary';
import { TABLE_HEAD, tableFoot, tableRow } from './replay/table';

const USAGE = `npm run --silent replay -- DIR --market spot [--json] [--levels 20] [--threshold 10] [--every 10]
  DIR              a folder with events.ndjson, snapshot.json and snapshot.recv_*.txt, each with or without .gz
  --market         ${Object.keys(MARKETS).join(', ')}
  --json           a JSON line for each evaluation, and a last one with the counts
  --plain          the plain parser and book in place of the live feed's fast ones, to compare with
  --every          seconds between evaluations, in the time of the events
  --contract-size  COIN-M: USD a contract, where the package's table is not to be used
  --measure        notional, quantity, queue or band (with --band-bps)
`;

async function main(argv: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(argv);
  if (values.help || positionals.length !== 1) {
    console.error(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const market = ENDPOINTS[readMarket(values.market)];
  const { levels, threshold, measure } = values;
  const parameters = readSignalParameters({ levels, threshold, measure, bandBps: values['band-bps'] });
  const everyMs = 1000 * readNumber('--every', values.every, { min: 0.001, max: 86_400 }, 10);
  const ownContractSize =
    values['contract-size'] === undefined
      ? null
      : readNumber('--contract-size', values['contract-size'], { above: 0, max: 1e9 }, 1);
  const contractSizeOf = (symbol: string) => ownContractSize ?? market.contractSize?.(symbol) ?? null;

  const write = (line: string) => process.stdout.write(`${line}\n`);
  const schedule = new Schedule(everyMs);
  let symbol = '';
  if (!values.json) write(TABLE_HEAD);
  const play = async <U extends SymbolUpdate>(codec: FeedCodec<U>): Promise<void> => {
    const { counts, sync } = await replay(codec, openRecording(positionals[0]), market, (step) => {
      symbol = step.update.symbol;
      if (!schedule.due(step.update.eventTimeMs, step.becameLive)) return;
      const evaluation = evaluateStep(step.sync, step.update, market, contractSizeOf(symbol), parameters);
      write(values.json ? JSON.stringify(evaluation) : tableRow(evaluation));
    });
    const summary = summarize(counts, sync.book, parameters.levels, contractSizeOf(symbol));
    write(values.json ? JSON.stringify(summary) : tableFoot(summary));
  };
  await (values.plain ? play(plainCodec) : play(fastCodec()));
}

function readArguments(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        market: { type: 'string', default: 'spot' },
        json: { type: 'boolean', default: false },
        plain: { type: 'boolean', default: false },
        levels: { type: 'string' },
        threshold: { type: 'string' },
        every: { type: 'string' },
        measure: { type: 'string' },
        'band-bps': { type: 'string' },
        'contract-size': { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new OrderFlowError('OF_PARAMETER', error instanceof Error ? error.message : String(error));
  }
}

function readMarket(value: string): MarketId {
  if (!isMarketId(value))
    throw refused('--market', `must be one of ${Object.keys(MARKETS).join(', ')}`, value);
  return value;
}

// Whoever reads only the first lines closes the pipe; that is no error.
process.stdout.on('error', () => process.exit());

main(process.argv.slice(2)).catch((error: unknown) => {
  const known = toOrderFlowError(error);
  console.error(`${known.code}: ${known.message}. ${known.remedy}`);
  process.exitCode = 1;
});
