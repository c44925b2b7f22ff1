import type { IExecuteFunctions } from 'n8n-workflow';

/** Shows sentences beside a node's output in the editor. */
export function showHints(context: IExecuteFunctions, hints: readonly string[]): void {
  // Older n8n shows none.
  if (hints.length === 0 || typeof context.addExecutionHints !== 'function') return;
  context.addExecutionHints(...hints.map((message) => ({ message, location: 'outputPane' as const })));
}
