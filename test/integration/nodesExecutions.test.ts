import { ManualExecutionCancelledError } from 'n8n-workflow';
import { type Exchange, startExchange } from '../../exchange';
import { startTrigger, type TriggerRun } from '../support/engine';
import { BinanceOrderBookTrigger } from '../support/nodes';
import { until } from '../support/feedHarness';

/** What the trigger makes of each way in which n8n says that an execution is over. */
const nodes = { trigger: new BinanceOrderBookTrigger() };

let exchange: Exchange;
let running: TriggerRun | null = null;

beforeAll(async () => {
  exchange = await startExchange({ market: 'spot', symbols: ['BTCUSDT'], seed: 12 });
});
afterEach(async () => {
  await running?.close();
  running = null;
});
afterAll(() => exchange.close());

/** A run that failed, as n8n's queue mode reports it: without the data of its nodes. */
const failed = (message: string, lastNodeExecuted?: string) => () =>
  Promise.resolve({
    status: 'error',
    data: { resultData: { runData: {}, error: { message }, lastNodeExecuted } },
  });
const TOO_MANY_TIMES =
  'This execution failed to be processed too many times and will no longer retry. To allow this execution to complete, please break down your workflow or scale up your workers or adjust your worker settings.';
const rejected = (error: Error) => () => Promise.reject(error);

const REFUSED = /n8n refused an execution with 1 items before it began: .*Alerts wait/;
const FAILED = /n8n failed an execution with 1 items before its first node: .*Alerts are tried again/;
const CANCELLED = /An execution with 1 items was cancelled/;
const NOTHING = null;

test.each<[string, () => Promise<unknown>, RegExp | null]>([
  ['its database is away', rejected(new Error('terminating connection')), REFUSED],
  ['somebody cancels it', rejected(new ManualExecutionCancelledError('1')), CANCELLED],
  ['a check fails before its first node', rejected(new Error('No active execution found')), FAILED],
  ['a check fails, and n8n has no run to show', () => Promise.resolve(null), FAILED],
  ['a worker cannot load it', failed('Worker failed to find data for execution 1 (job 1)'), FAILED],
  ['a node fails', failed('no such host', 'Post'), NOTHING],
  ['it is lost with its worker', failed('job stalled more than maxStalledCount'), NOTHING],
  ['it is lost with its worker, in the words of n8n 2.41', failed(TOO_MANY_TIMES), NOTHING],
  ['its worker cannot reach the database', failed('timeout exceeded when trying to connect'), FAILED],
  ['its result cannot be read', failed('Execution 1 succeeded, but its result could not be read'), NOTHING],
  ['it is lost with its queue', failed('Missing key for job 1 finished'), NOTHING],
  ['it ends well', () => Promise.resolve({ status: 'success' }), NOTHING],
])('an execution is over where %s', async (_name, first, expected) => {
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  let executions = 0;
  running = await startTrigger({
    nodes,
    type: 'trigger',
    parameters: { symbols: 'BTCUSDT', interval: 0.2, options: { restBaseUrl, webSocketBaseUrl } },
    onExecution: () => (executions++ === 0 ? first() : Promise.resolve()),
  });
  const { logLines } = running;
  await until(() => executions > 1, 'the next execution');
  const said = logLines.filter((line) => /execution/.test(line));
  if (expected === null) expect(said).toEqual([]);
  else expect(said).toEqual([expect.stringMatching(expected)]);
});
