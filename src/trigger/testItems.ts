import type { LiveBook, SymbolView } from '../feed/types';
import { monotonicMs } from '../runtime/time';
import { thresholdFields } from '../signal/budget/pastWords';
import type { SymbolPast } from '../signal/budget/symbolPast';
import { FlowMeter } from '../signal/flow/flowMeter';
import { alertMessage } from '../signal/gate/alertMessage';
import { pretendedOutcome } from '../signal/gate/pretended';
import { BookJudge } from './bookJudge';
import { bookName } from '../signal/message';
import { bookItem } from './items';
import type { TriggerSettings } from './settings';
import { type AlertItem, alertItem } from './symbolSignals';

/** The item of a test run, in the shape that production items have. */
export function testItem(
  view: SymbolView,
  book: LiveBook,
  settings: TriggerSettings,
  past: SymbolPast | null,
): object {
  return settings.emit === 'signalChange'
    ? testAlert(view, settings, past)
    : bookItem(book, settings.includeLevels);
}

/** No gate judges one look: the item says what the rule finds at this instant, or what it was asked to pretend. */
function testAlert(view: SymbolView, settings: TriggerSettings, past: SymbolPast | null): AlertItem {
  const { measure, testSignal, includeLevels } = settings;
  const inForce = past === null ? null : thresholdFields(past, past.percent, past.from, monotonicMs());
  const threshold = inForce?.thresholdInForce ?? measure.threshold;
  const judge = new BookJudge(view, { ...measure, threshold });
  const { signal: found, imbalancePercent, reason, message } = judge.judge();
  const pretended = testSignal !== 'asIs';
  const signal = !pretended ? found : testSignal === 'none' ? null : testSignal;
  const nowMs = monotonicMs();
  const outcome = pretendedOutcome(signal, reason, nowMs);
  const item = alertItem(view, judge, { ...outcome, percent: imbalancePercent, kind: 'test' }, includeLevels);
  const text = pretended ? alertMessage(bookName(view), outcome, item) : message;
  return {
    ...item,
    ...inForce,
    message: `Test run${pretended ? ', with a pretended signal' : ''}: ${text}`,
    flow: new FlowMeter().read(nowMs),
  };
}
