import ts from 'typescript';

/** The error codes that a file's code gives: no comment, no type, nothing that it is only compared with. */
export function codesMadeIn(source: string): string[] {
  return codesWhere(source, (literal) => !isOnlyLookedAt(literal));
}

/** Every error code that a file's code names at all. */
export function codesNamedIn(source: string): string[] {
  return codesWhere(source, () => true);
}

/** A code as a value, or in brackets in a text, as a user sees it. */
const CODE = /^OF_[A-Z_]+$|(?<=\[)OF_[A-Z_]+(?=\])/g;

type TextNode = ts.StringLiteralLike | ts.TemplateHead | ts.TemplateMiddle | ts.TemplateTail;

function codesWhere(source: string, counts: (literal: TextNode) => boolean): string[] {
  const codes: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isText(node) && counts(node)) codes.push(...(node.text.match(CODE) ?? []));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.ES2022, true));
  return codes;
}

const isText = (node: ts.Node): node is TextNode =>
  ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);

function isOnlyLookedAt({ parent }: TextNode): boolean {
  return (
    ts.isLiteralTypeNode(parent) ||
    ts.isCaseClause(parent) ||
    (ts.isBinaryExpression(parent) && COMPARISONS.has(parent.operatorToken.kind))
  );
}

const COMPARISONS = new Set([
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
]);

/** Code and words of each detail that is given to an OrderFlowError; `…` stands for what is put in. */
export function detailsIn(source: string): Array<[code: string, words: string]> {
  const details: Array<[string, string]> = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && node.expression.getText() === 'OrderFlowError')
      details.push([wordsOf(node.arguments?.[0]), wordsOf(node.arguments?.[1])]);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.ES2022, true));
  return details.filter(([, words]) => words !== '');
}

function wordsOf(detail: ts.Expression | undefined): string {
  if (detail === undefined) return '';
  if (ts.isStringLiteralLike(detail)) return detail.text;
  if (!ts.isTemplateExpression(detail)) return '';
  return detail.head.text + detail.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
}
