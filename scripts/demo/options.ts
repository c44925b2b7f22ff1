import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { MARKETS, type MarketId } from '../../src/feed/markets';

export interface DemoOptions {
  readonly market: MarketId;
  /** Upper case; null: the recording's, or BTCUSDT (BTCUSD_PERP on COIN-M). */
  readonly symbols: readonly string[] | null;
  readonly levels: number;
  /** Percent. */
  readonly threshold: number;
  /** Seconds. */
  readonly interval: number;
  readonly redis: RedisAddress | null;
  readonly exchange:
    | { readonly kind: 'auto' | 'live' | 'simulated' }
    | { readonly kind: 'recording'; readonly folder: string };
  /** The editor's port; null: 5678, or a free one if that is taken. */
  readonly port: number | null;
}

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: number;
  readonly tls: boolean;
}

export const USAGE = `Runs a real n8n with the demonstration workflow, and prints a row for each result.

  npm start -- [options]

  --symbols LIST      comma-separated (BTCUSDT)
  --market NAME       ${Object.keys(MARKETS).join(' | ')} (spot)
  --levels N          levels a side, 1 to 5000 (20)
  --threshold PERCENT 0 to 99.9 (10)
  --interval SECONDS  between results, from 0.1 (2)
  --redis URL         redis://[user:password@]host[:port][/database], or rediss:// for TLS
                      (without it: the store inside n8n's process)
  --exchange WHAT     live | simulated | a recording's folder
                      (without it: live where Binance can be reached, else simulated)
  --port N            of n8n's editor (5678, or a free one)
  --help              this text`;

/** A command line that cannot be followed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Null where help was asked for. @throws UsageError */
export function readOptions(args: readonly string[]): DemoOptions | null {
  const values = parse(args);
  if (values.help) return null;
  const exchange = readExchange(values.exchange);
  return {
    market: readMarket(values.market, exchange),
    symbols: readSymbols(values.symbols),
    levels: readNumber('levels', values.levels, 1, 5000, true),
    threshold: readNumber('threshold', values.threshold, 0, 99.9),
    interval: readNumber('interval', values.interval, 0.1, 86_400),
    redis: values.redis === undefined ? null : readRedisUrl(values.redis),
    exchange,
    port: values.port === undefined ? null : readNumber('port', values.port, 1, 65_535, true),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        symbols: { type: 'string' },
        market: { type: 'string' },
        levels: { type: 'string', default: '20' },
        threshold: { type: 'string', default: '10' },
        interval: { type: 'string', default: '2' },
        redis: { type: 'string' },
        exchange: { type: 'string' },
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readExchange(value: string | undefined): DemoOptions['exchange'] {
  if (value === undefined) return { kind: 'auto' };
  if (value === 'live' || value === 'simulated') return { kind: value };
  if (existsSync(value)) return { kind: 'recording', folder: value };
  throw new UsageError(`--exchange ${value}: live, simulated, or a folder that exists`);
}

/** A recording's folder may begin with its market's name, as in `usdm-ethusdt-2024-08`. */
function readMarket(value: string | undefined, exchange: DemoOptions['exchange']): MarketId {
  const name = value ?? (exchange.kind === 'recording' ? basename(exchange.folder).split('-')[0] : 'spot');
  if (Object.hasOwn(MARKETS, name)) return name as MarketId;
  if (value === undefined) return 'spot';
  throw new UsageError(`--market ${value}: one of ${Object.keys(MARKETS).join(', ')}`);
}

function readSymbols(value: string | undefined): readonly string[] | null {
  if (value === undefined) return null;
  const symbols = value.split(',').map((symbol) => symbol.trim().toUpperCase());
  if (symbols.some((symbol) => symbol === ''))
    throw new UsageError(`--symbols ${value}: names separated by commas`);
  return [...new Set(symbols)];
}

function readNumber(name: string, text: string, least: number, most: number, whole = false): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
    throw new UsageError(`--${name} ${text}: a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
  }
  return value;
}

function readRedisUrl(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const database = Number(url?.pathname.slice(1) || '0');
  if (
    !url ||
    !/^rediss?:$/.test(url.protocol) ||
    !url.hostname ||
    !Number.isInteger(database) ||
    database < 0
  ) {
    // The text may hold a password: it is not repeated.
    throw new UsageError('--redis: redis://[user:password@]host[:port][/database], or rediss:// for TLS');
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || '6379'),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database,
    tls: url.protocol === 'rediss:',
  };
}
