import { expect, test } from '@jest/globals';
import { DemoConsole } from '../../scripts/demo/console';
import { openExchange } from '../../scripts/demo/exchangeSource';
import { readOptions } from '../../scripts/demo/options';
import { startPreview } from '../../scripts/demo/preview';

test('the preview of the demonstration prints rows of results, and none after it is closed', async () => {
  const options = readOptions(['--exchange', 'simulated', '--interval', '0.1']);
  if (!options) throw new Error('help was asked for');
  const source = await openExchange(options);
  const lines: string[] = [];
  const screen = new DemoConsole(source.symbols, options.levels, options.threshold, null, (line) =>
    lines.push(line),
  );
  try {
    screen.connecting('the stand-in');
    const preview = await startPreview(options, source, screen);
    const rows = () => lines.filter((line) => /(SELLING|BUYING|NEUTRAL)$/.test(line)).length;
    try {
      while (rows() < 3) await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      await preview.close();
    }
    expect(lines.slice(0, 3)).toEqual([
      '1/3  Opening the depth stream of BTCUSDT at the stand-in',
      '     ✓ WebSocket connected',
      '2/3  Waiting for the first snapshot in the store',
    ]);
    // An execution that was under way may still print its own.
    const atClose = rows();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(rows()).toBeLessThanOrEqual(atClose + 1);
  } finally {
    await source.close();
  }
});
