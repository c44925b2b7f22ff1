import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type INode, NodeOperationError } from 'n8n-workflow';
import { toNodeError } from '../../../src/n8n/nodeErrors';
import { ERROR_CATALOGUE, type ErrorCode } from '../../../src/runtime/errorCatalogue';
import { OrderFlowError } from '../../../src/runtime/errors';

const node: INode = {
  ...{ id: '1', name: 'Node', type: 'imbalance', typeVersion: 1, position: [0, 0], parameters: {} },
};

/** n8n's own table of the words that it replaces a message for; it exports no such list. */
function networkWords(): string[] {
  const folder = dirname(require.resolve('n8n-workflow'));
  const source = readFileSync(join(folder, 'errors', 'abstract', 'node.error.js'), 'utf8');
  const table = /const COMMON_ERRORS = \{([^}]*)\}/.exec(source)?.[1] ?? '';
  return [...table.matchAll(/^\s*([A-Z_]+):/gm)].map(([, word]) => word);
}

const words = networkWords();

test('n8n replaces a message that holds one of its words', () => {
  expect(words).toEqual(expect.arrayContaining(['ECONNREFUSED', 'ENOENT', 'EAI_AGAIN', 'GETADDRINFO']));
  for (const word of words) {
    const { message } = new NodeOperationError(node, `the symbol ${word.toLowerCase()}usdt`);
    expect(message).not.toContain(word.toLowerCase());
  }
});

describe('no message is replaced, wherever the word comes from', () => {
  test.each(words)('%s', (word) => {
    const texts = [`10.0.0.1:6379 (${word})`, `symbol ${word}USDT`, `host ${word.toLowerCase()}.example:443`];
    for (const text of texts) {
      for (const code of Object.keys(ERROR_CATALOGUE) as ErrorCode[]) {
        const known = new OrderFlowError(code, text);
        const shown = toNodeError(node, known);
        expect(shown.message).toBe(`${known.message} [${code}]`);
        expect(shown.message).toContain(text);
        expect(shown.description).toBe(ERROR_CATALOGUE[code].remedy);
        expect(shown.messages).toEqual([]);
        const alone = toNodeError(node, known, { remedyInMessage: true });
        expect(alone.message).toBe(`${known.message} [${code}]. ${ERROR_CATALOGUE[code].remedy}`);
      }
    }
  });

  test('an error of n8n itself stays as it is', () => {
    const own = new NodeOperationError(node, 'n8n says so');
    expect(toNodeError(node, own)).toBe(own);
  });

  test('the index of the item goes along', () => {
    const { context } = toNodeError(node, new OrderFlowError('OF_PARAMETER', ''), { itemIndex: 3 });
    expect(context.itemIndex).toBe(3);
  });
});
