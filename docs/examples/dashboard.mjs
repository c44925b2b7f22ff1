// Shows order books that Binance Order Book Trigger keeps in Redis, and each result as it comes. Node 20 or later and the package redis.
//
//   node dashboard.mjs [--redis redis://user:password@host:port] [--prefix examples/] [--once] SYMBOL...
import { parseArgs } from 'node:util';
import { createClient } from 'redis';

const MAX_AGE_MS = 5000;

const { values, positionals: symbols } = parseArgs({
  allowPositionals: true,
  options: {
    redis: { type: 'string', default: 'redis://127.0.0.1:6379' },
    prefix: { type: 'string', default: 'examples/' },
    once: { type: 'boolean', default: false },
  },
});

const client = createClient({ url: values.redis });
client.on('error', (error) => console.error(error.message));
await client.connect();

async function row(symbol) {
  const text = await client.get(`${values.prefix}${symbol.toLowerCase()}-orderbook`);
  if (text === null) return `${symbol.padEnd(12)} missing`;
  const book = JSON.parse(text);
  if (book.format !== 1) return `${symbol.padEnd(12)} unknown format ${book.format}`;
  // The age by Redis's clock: this machine's may differ.
  const [seconds, micros] = await client.sendCommand(['TIME']);
  const ageMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000) - book.liveAtMs;
  const usable = book.state === 'live' && book.tradingStatus === undefined && ageMs <= MAX_AGE_MS;
  if (!usable || book.bids.length === 0 || book.asks.length === 0)
    return `${symbol.padEnd(12)} ${book.state}, ${ageMs} ms old: not used`;
  const notional = (levels) => levels.reduce((sum, [price, quantity]) => sum + price * quantity, 0);
  const [bids, asks] = [notional(book.bids), notional(book.asks)];
  const lean = ((100 * (asks - bids)) / Math.max(asks, bids)).toFixed(1);
  return `${symbol.padEnd(12)} bid ${book.bids[0][0].padStart(14)} ask ${book.asks[0][0].padStart(14)} asks over bids ${lean} %  ${ageMs} ms old`;
}

async function show() {
  for (const symbol of symbols) console.log(await row(symbol));
}

await show();
if (values.once) {
  client.destroy();
} else {
  // Results of Order Flow Imbalance as they come: reading topics takes a connection of its own.
  const results = client.duplicate();
  results.on('error', (error) => console.error(error.message));
  await results.connect();
  for (const symbol of symbols)
    await results.subscribe(`${symbol.toLowerCase()}-imbalance`, (text) =>
      console.log(JSON.parse(text).message),
    );
  setInterval(() => void show(), 1000);
}
