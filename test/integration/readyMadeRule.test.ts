import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startExchange } from '../../exchange';
import { runNode } from '../support/engine';
import { OrderFlowImbalance } from '../support/nodes';

interface ReadyMade {
  readonly nodes: ReadonlyArray<{
    readonly name: string;
    readonly typeVersion: number;
    readonly parameters: Record<string, unknown>;
  }>;
}

test('the strongest three of 400 pairs in USDT: every pair is asked for once, and nothing else', async () => {
  const file = join(__dirname, '../../workflows/strongest-three.json');
  const { nodes } = JSON.parse(readFileSync(file, 'utf8')) as ReadyMade;
  const found = nodes.find(({ name }) => name === 'Order Flow Imbalance');
  if (found === undefined) throw new Error('the workflow has no Order Flow Imbalance');
  const pairs = Array.from({ length: 400 }, (_, i) => `S${i}USDT`);
  const exchange = await startExchange({
    symbols: [...pairs, 'USDCUSDT', 'S0BTC'].map((symbol) => ({ symbol, activity: 0.02, levels: 120 })),
    seed: 5,
  });
  try {
    const options = { ...(found.parameters.options as object), restBaseUrl: exchange.restBaseUrl };
    const { outputs, error } = await runNode({
      ...{ nodes: { imbalance: new OrderFlowImbalance() }, type: 'imbalance' },
      node: { typeVersion: found.typeVersion },
      parameters: { ...found.parameters, options } as never,
    });
    expect(error).toBeUndefined();
    const items = outputs[0].map(({ json }) => json);
    expect(items.map(({ rank }) => rank)).toEqual([1, 2, 3]);
    const strengths = items.map(({ imbalancePercent }) => Math.abs(Number(imbalancePercent)));
    expect(strengths).toEqual([...strengths].sort((a, b) => b - a));
    const asked = exchange.stats.requests.flatMap(({ path, params }) =>
      path.endsWith('/depth') ? [params.symbol] : [],
    );
    expect(asked.sort()).toEqual([...pairs].sort());
    // Below what a process allows itself in a minute, and far below the limit of an address.
    expect(exchange.stats.usedWeight).toBeLessThanOrEqual(2_200);
  } finally {
    await exchange.close();
  }
}, 60_000);
