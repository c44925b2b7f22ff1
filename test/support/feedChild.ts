import { binance } from '../../src/binance/venue';
import { readTriggerSettings } from '../../src/trigger/settings';
import { TriggerSession } from '../../src/trigger/triggerSession';
import { openStore } from '../../src/store/openStore';

/**
 * A process of its own that runs one trigger with Redis, as an n8n does: for tests in which processes crash or share.
 * Its one argument is JSON: `credentials` of the Redis and `parameters` of the trigger. A line a word on its output:
 * `item` for each execution, `failed CODE` and `log TEXT` otherwise.
 */
async function main(): Promise<void> {
  const { credentials, parameters } = JSON.parse(process.argv[2]) as {
    credentials: Record<string, unknown>;
    parameters: Record<string, unknown>;
  };
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const store = openStore({ kind: 'redis', credentials }, { keepConnected: true });
  const settings = readTriggerSettings((name) => parameters[name]);
  await TriggerSession.start(
    settings,
    store,
    {
      owner: { workflowId: 'w1', nodeId: 'trigger' },
      startExecution: () => {
        say('item');
        return new Promise((resolve) => setTimeout(() => resolve({ kind: 'ended' }), 50));
      },
      recordFailure: ({ code }) => say(`failed ${code}`),
      log: (_level, message) => say(`log ${message}`),
    },
    binance,
  );
  say('started');
}

void main();
