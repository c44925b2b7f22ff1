import { parseArgs } from 'node:util';
import { PROFILES, startExchange, type MarketId } from '../exchange';

const USAGE = `Runs the stand-in exchange on 127.0.0.1 until it is interrupted.
  --market    ${Object.keys(PROFILES).join(' | ')} (spot)
  --symbols   comma-separated (BTCUSDT, or the recording's)
  --port      0 = any free one (0)
  --levels    levels a side (1000)
  --activity  1 = some 30 changes in 100 ms (1)
  --seed      the same seed gives the same market (1)
  --recording DIR with events.ndjson and snapshot.json, each plain or .gz
  --speed     of the recording (1)     --loop  starts the recording over
  --json      one JSON line with the addresses in place of the sentence`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      market: { type: 'string', default: 'spot' },
      symbols: { type: 'string' },
      port: { type: 'string', default: '0' },
      levels: { type: 'string' },
      activity: { type: 'string' },
      seed: { type: 'string', default: '1' },
      recording: { type: 'string' },
      speed: { type: 'string', default: '1' },
      loop: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void console.log(USAGE);
  if (!Object.hasOwn(PROFILES, values.market))
    throw new Error(`--market ${values.market}: one of ${Object.keys(PROFILES).join(', ')}`);
  const levels = numberOf('levels', values.levels, 5);
  const activity = numberOf('activity', values.activity, 0);
  const names = values.symbols
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const exchange = await startExchange({
    market: values.market as MarketId,
    symbols: names?.map((name) => ({ symbol: name.toUpperCase(), levels, activity })),
    port: numberOf('port', values.port, 0),
    seed: values.seed,
    source:
      values.recording === undefined
        ? undefined
        : { recording: values.recording, speed: numberOf('speed', values.speed, 0), loop: values.loop },
  });
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  const symbols = [...exchange.feeds.keys()];
  if (values.json)
    console.log(JSON.stringify({ restBaseUrl, webSocketBaseUrl, market: values.market, symbols }));
  else
    console.log(
      `Stand-in exchange (${values.market}: ${symbols.join(', ')}) on ${restBaseUrl} and ${webSocketBaseUrl}`,
    );
  const stop = (): void => void exchange.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function numberOf(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < least) throw new Error(`--${name} ${text}: a number from ${least}`);
  return value;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
