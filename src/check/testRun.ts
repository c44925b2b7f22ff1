import { alertMessage, durationText } from '../signal/gate/alertMessage';
import { pretendedOutcome } from '../signal/gate/pretended';
import { bookName } from '../signal/message';
import type { CheckItem } from './checkItem';
import type { CheckSettings } from './settings';
import type { CheckJob } from './types';

/** Is the signal made up, so that a branch can be tried? */
export function pretends({ testRun }: CheckSettings): boolean {
  return testRun !== null && testRun !== 'asIs';
}

/**
 * The item of a test run in the editor: with the signal that it was asked to pretend, or judged as old as the book was when
 * its item was made. Building a workflow step by step takes longer than any Maximum Age.
 * @param atAnyAge judges the same book without a Maximum Age
 */
export function itemOfTestRun(
  item: CheckItem,
  { settings, json }: CheckJob,
  atAnyAge: () => CheckItem,
): CheckItem {
  const { testRun, parameters } = settings;
  if (testRun === null) return item;
  if (testRun !== 'asIs')
    return pretended(item, testRun, bookName({ ...item, nameMarket: settings.nameMarket }));
  const ageThen = settings.source === 'item' && typeof json.ageMs === 'number' ? json.ageMs : 0;
  if (item.reason !== 'stale' || item.ageMs === null || ageThen > parameters.maxAgeMs) return item;
  const judged = atAnyAge();
  const age = durationText(item.ageMs) || 'less than a second';
  const note = `This is a test run: the order book was made ${age} ago, and a published workflow would give no signal for it (stale).`;
  return { ...judged, maxAge: item.maxAge, message: `${judged.message} ${note}` };
}

function pretended(
  item: CheckItem,
  test: Exclude<CheckSettings['testRun'], 'asIs' | null>,
  name: string,
): CheckItem {
  const signal = test === 'none' ? null : test;
  const outcome = pretendedOutcome(signal, item.reason, 0);
  const message = `Test run, with a pretended signal: ${alertMessage(name, outcome, item)}`;
  return { ...item, signal, reason: outcome.reason, kind: 'test', message };
}
