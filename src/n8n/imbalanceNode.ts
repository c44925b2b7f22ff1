import type { IExecuteFunctions, INodeExecutionData, INodeProperties } from 'n8n-workflow';
import { withSharedBans } from '../check/fromExchange';
import { CheckMemory } from '../check/memory';
import { emptyBranchHint, hintsFor, MAX_HINTS, misspeltHints } from '../check/hints';
import { marketItem, type MarketItem, rememberedMarketItem } from '../check/marketItem';
import { type Checked, runChecks } from '../check/runChecks';
import type { CheckFailure, CheckJob, CheckResult } from '../check/types';
import { pretends } from '../check/testRun';
import { gateKey, type NodeOwner } from '../store/keys';
import type { SnapshotStore } from '../store/types';
import { type OutputChoice, readCheckSettings, readOutputChoice, USUAL_OUTPUT } from '../check/settings';
import { toOrderFlowError } from '../runtime/errors';
import { wallMs } from '../runtime/time';
import { showHints } from './hints';
import { inOutputs, type Outcomes } from './imbalanceOutputs';
import { needsSharedStore, openNodeStore } from './nodeStore';
import { goesOn, toNodeError } from './nodeErrors';
import { venueOf } from './venues';
import { parameterReader } from './parameters';
import { type ParameterReader, readStoreKind } from '../settings/fieldReaders';
import { feedOfItem } from '../settings/itemFeed';

/** From this version of the node on, what is not set follows the incoming item. */
const FOLLOWS_FROM_VERSION = 1.1;

/** The Order Flow Imbalance node: reads its fields, runs the checks, and sorts the results to the outputs. */
export async function runImbalanceNode(
  this: IExecuteFunctions,
  fields: readonly INodeProperties[],
): Promise<INodeExecutionData[][]> {
  const input = this.getInputData();
  const failures: CheckFailure[] = [];
  const jobs: CheckJob[] = [];
  const choices: OutputChoice[] = [];
  // Workflows saved with version 1 go on judging what they judged, whatever items come in.
  const isTestRun = this.getMode() === 'manual';
  const follows = this.getNode().typeVersion >= FOLLOWS_FROM_VERSION;
  const readerOf = (itemIndex: number) =>
    parameterReader(this.getNode(), fields, (name, fallback) =>
      this.getNodeParameter(name, itemIndex, fallback),
    );
  for (let itemIndex = 0; itemIndex < input.length; itemIndex++) {
    choices[itemIndex] = USUAL_OUTPUT;
    try {
      const read = readerOf(itemIndex);
      // First: another field that cannot be read must not lose the item's own.
      choices[itemIndex] = readOutputChoice(read);
      const { json } = input[itemIndex];
      const feed = follows ? feedOfItem(json) : null;
      jobs.push({ itemIndex, settings: readCheckSettings(read, feed, isTestRun), json });
    } catch (error) {
      failures.push({ itemIndex, position: 0, error: toOrderFlowError(error) });
    }
  }
  if (failures.length > 0 && !goesOn(this)) throw nodeError(this, failures[0]);

  const unread = choices.at(0)?.marketItem === true ? failures.length : null;
  const checked = jobs.length === 0 ? NOTHING : await checkAll(this, readerOf(0), jobs, unread);
  failures.push(...checked.failures);
  if (failures.length > 0 && !goesOn(this)) throw nodeError(this, failures[0]);
  return inOutputs(this, choices, { ...checked, failures });
}

const NOTHING: Outcomes = { results: [], failures: [], market: null };
/** In the place of a symbol, whose state is kept beside it. No symbol begins with a line. */
const MARKET_NAME = '_market';

/**
 * Runs the checks: what they gave, and what went wrong.
 * @param unread items that gave no job; null where nobody asks for an item about all of the run
 */
async function checkAll(
  context: IExecuteFunctions,
  read: ParameterReader,
  jobs: readonly CheckJob[],
  unread: number | null,
): Promise<Outcomes> {
  try {
    const kind = readStoreKind(read('store'));
    showHints(context, hintsFor(jobs, kind));
    const shared = jobs.some(({ settings }) => needsSharedStore(settings));
    const store = await openNodeStore(context, kind, { shared });
    try {
      const owner = {
        workflowId: context.getWorkflow().id ?? 'unsaved',
        nodeId: context.getMode() === 'manual' ? `${context.getNode().id}-manual` : context.getNode().id,
      };
      const memory = new CheckMemory(store, owner, wallMs);
      const world = { store, memory, wallMs, venueOf, stopsAtError: !goesOn(context) };
      const asked = jobs.map(({ settings }) => settings);
      const checked = await withSharedBans(asked, store, venueOf, () => runChecks(jobs, world));
      showHints(context, [...memory.hints.values()].slice(0, MAX_HINTS));
      if (context.getMode() === 'manual')
        showHints(context, await testRunHints(store, jobs, checked.results));
      const market = unread === null ? null : await marketOf(checked, unread, jobs[0], store, owner);
      return { ...checked, market };
    } finally {
      await store.close();
    }
  } catch (error) {
    const known = toOrderFlowError(error);
    return { ...NOTHING, failures: jobs.map(({ itemIndex }) => ({ itemIndex, position: 0, error: known })) };
  }
}

/** One item about all of the run. */
function marketOf(
  { all }: Checked,
  unread: number,
  { settings }: CheckJob,
  store: SnapshotStore,
  owner: NodeOwner,
): Promise<MarketItem> {
  const { keyPrefix, market, parameters } = settings;
  const time = new Date(wallMs()).toISOString();
  return rememberedMarketItem({ store, key: gateKey(keyPrefix, market, MARKET_NAME, owner) }, (previous) =>
    marketItem(all.judged, all.failed + unread, parameters.threshold, previous, time),
  );
}

/** What helps whoever builds the workflow. A published one does without: it looks through the names in the store. */
async function testRunHints(
  store: SnapshotStore,
  [{ settings }]: readonly CheckJob[],
  results: readonly CheckResult[],
): Promise<string[]> {
  const { keyPrefix } = settings;
  const isMissing = results.some(({ item }) => item.reason === 'missing');
  // A user of Redis without the right to it gets no such hint.
  const feedKeys = isMissing ? await store.feedKeys(keyPrefix).catch(() => []) : [];
  const branches = settings.alerts === null && !pretends(settings) ? emptyBranchHint(results) : null;
  return [...misspeltHints(results, keyPrefix, feedKeys), ...(branches === null ? [] : [branches])];
}

function nodeError(context: IExecuteFunctions, { itemIndex, error }: CheckFailure) {
  return toNodeError(context.getNode(), error, { itemIndex });
}
