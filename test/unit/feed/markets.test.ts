import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { contractSizeOf, MARKETS } from '../../../src/feed/markets';

const ROOT = join(__dirname, '../../..');
/** Where a market's name decides something: the tables of markets. */
const TABLES = ['src/feed/markets.ts', 'src/binance/endpoints.ts'];
/** A message leaves the name of the most usual market out, in a room that knows no table. */
const LEFT_OUT = "src/signal/message.ts: === 'spot'";

test('a market says in its row what it is: nothing else asks for its name', () => {
  const names = Object.keys(MARKETS).join('|');
  const asked = new RegExp(`([!=]==? *'(?:${names})'|case '(?:${names})':)`, 'g');
  const found = ['src', 'nodes'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => relative(ROOT, join(ROOT, folder, file)))
      .filter((file) => !TABLES.includes(file))
      .flatMap((file) =>
        [...readFileSync(join(ROOT, file), 'utf8').matchAll(asked)].map(([text]) => `${file}: ${text}`),
      ),
  );
  expect(found).toEqual([LEFT_OUT]);
});

test('a contract is worth what the list says, without a list what the contract rules say, and a coin nothing', () => {
  const listed = { contractSize: 1_000 };
  expect(contractSizeOf(MARKETS.coinm, 'BTCUSD_PERP', listed)).toBe(1_000);
  expect(contractSizeOf(MARKETS.coinm, 'BTCUSD_PERP', null)).toBe(100);
  expect(contractSizeOf(MARKETS.coinmDemo, 'ETHUSD_PERP', { contractSize: null })).toBe(10);
  for (const market of Object.values(MARKETS).filter(({ contracts }) => contracts !== 'inverse'))
    expect(contractSizeOf(market, 'BTCUSDT', listed)).toBeNull();
});
