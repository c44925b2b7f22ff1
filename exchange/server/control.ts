import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from './exchange';
import type { Fault, FaultKind } from './faults';

/** No command is longer. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

type Command = (exchange: Exchange, given: Record<string, unknown>) => unknown;

/** The commands, each `GET` or `POST /__control/<name>` with its arguments in the query or as a JSON body. */
const COMMANDS: { readonly [name: string]: Command } = {
  symbols: (exchange) =>
    [...exchange.feeds.values()].map(({ symbol, status, market }) => ({
      symbol,
      status,
      lastUpdateId: market.book.lastUpdateId,
    })),
  stats: (exchange) => exchange.stats,
  book: (exchange, { symbol, id, levels }) =>
    exchange.trueBook(
      String(symbol),
      id === undefined ? exchange.lastUpdateId(String(symbol)) : Number(id),
      levels === undefined ? undefined : Number(levels),
    ),
  books: (exchange, { symbol, ids, levels }) =>
    (ids as number[]).map((id) =>
      exchange.trueBook(String(symbol), id, levels === undefined ? undefined : Number(levels)),
    ),
  faults: (exchange) => exchange.faults.list(),
  'faults/add': (exchange, given) => ({ id: exchange.faults.add(given as unknown as Fault) }),
  'faults/clear': (exchange, { which }) => {
    exchange.faults.clear(which as number | FaultKind | undefined);
    return exchange.faults.list();
  },
  pressure: (exchange, { symbol, side, strength, ms }) =>
    exchange.pressure(String(symbol), side === 'ask' ? 'ask' : 'bid', Number(strength), Number(ms)),
  status: (exchange, { symbol, status }) => exchange.setStatus(String(symbol), String(status)),
  volume: (exchange, { symbol, quoteVolume }) => exchange.setQuoteVolume(String(symbol), Number(quoteVolume)),
  update: (exchange, { symbol, bids, asks }) =>
    exchange.scriptUpdate(String(symbol), {
      bids: (bids ?? []) as Array<[string, string]>,
      asks: (asks ?? []) as Array<[string, string]>,
    }),
  tick: (exchange, { symbol }) => exchange.tick(symbol === undefined ? undefined : String(symbol)),
  pause: (exchange) => exchange.pause(),
  resume: (exchange) => exchange.resume(),
};

/** The server's own door for tests that run it in another process. It listens on loopback, as everything here. */
export async function handleControl(
  exchange: Exchange,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const name = url.pathname.slice('/__control/'.length);
  response.setHeader('Content-Type', 'application/json');
  try {
    if (!Object.hasOwn(COMMANDS, name)) throw new Error(`no command ${JSON.stringify(name)}`);
    const given = { ...Object.fromEntries(url.searchParams), ...(await readBody(request)) };
    response.end(JSON.stringify(COMMANDS[name](exchange, given) ?? null));
  } catch (error) {
    response.statusCode = 400;
    response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
  }
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('the command is too long');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}
