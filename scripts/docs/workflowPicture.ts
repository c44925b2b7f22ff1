import type { Workflow, WorkflowNode } from '../n8n/workflowTypes';

const [WIDTH, HEIGHT, MARGIN] = [180, 56, 16];
/** The longest label of one line. */
const LINE = 22;
const NOTE = 'n8n-nodes-base.stickyNote';
const STYLE = `text{font:13px sans-serif;text-anchor:middle;fill:#333}rect{fill:#fff;stroke:#999}.ours{stroke:#d97706;stroke-width:2}path{fill:none;stroke:#999;stroke-width:1.5}.tool{stroke-dasharray:4 3}
@media(prefers-color-scheme:dark){text{fill:#ddd}rect{fill:#222}}`;

/** A workflow as a picture: its nodes where the editor shows them, and the lines between. Notes are left out. */
export function workflowPicture(workflow: Workflow, ourPackage: string): string {
  const nodes = workflow.nodes.filter(({ type }) => type !== NOTE);
  const left = Math.min(...nodes.map(({ position: [x] }) => x)) - MARGIN;
  const top = Math.min(...nodes.map(({ position: [, y] }) => y)) - MARGIN;
  const width = Math.max(...nodes.map(({ position: [x] }) => x)) + WIDTH + MARGIN - left;
  const height = Math.max(...nodes.map(({ position: [, y] }) => y)) + HEIGHT + MARGIN - top;
  const parts = [...lines(workflow, nodes), ...nodes.map((node) => box(node, ourPackage))];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${left} ${top} ${width} ${height}" width="${width}" height="${height}">
<style>${STYLE}</style>
${parts.join('\n')}
</svg>
`;
}

function box({ name, type, position: [x, y] }: WorkflowNode, ourPackage: string): string {
  const isOurs = type.startsWith(`${ourPackage}.`);
  const words = inLines(name);
  const firstY = y + HEIGHT / 2 + 5 - (words.length - 1) * 8;
  const texts = words.map(
    (line, i) => `<text x="${x + WIDTH / 2}" y="${firstY + i * 16}">${escaped(line)}</text>`,
  );
  return `<rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="8"${isOurs ? ' class="ours"' : ''}/>${texts.join('')}`;
}

/** Broken where a line would be too long. */
function inLines(name: string): string[] {
  const found: string[] = [];
  for (const word of name.split(' ')) {
    const last = found.at(-1);
    if (last !== undefined && last.length + word.length < LINE) found[found.length - 1] = `${last} ${word}`;
    else found.push(word);
  }
  return found;
}

function lines({ connections }: Workflow, nodes: readonly WorkflowNode[]): string[] {
  const named = (name: string) => {
    const found = nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found.position;
  };
  return Object.entries(connections).flatMap(([from, kinds]) =>
    Object.entries(kinds).flatMap(([kind, outputs]) =>
      outputs.flatMap((targets, output) =>
        (targets ?? []).map(({ node }) =>
          kind === 'main'
            ? sideways(named(from), named(node), (output + 1) / (outputs.length + 1))
            : upwards(named(from), named(node)),
        ),
      ),
    ),
  );
}

type Place = readonly [x: number, y: number];

/** From an output at the right side to the left side. @param part of the height, where the output is */
function sideways([fromX, fromY]: Place, [toX, toY]: Place, part: number): string {
  const [x1, y1, x2, y2] = [fromX + WIDTH, fromY + HEIGHT * part, toX, toY + HEIGHT / 2];
  const bend = Math.max(30, (x2 - x1) / 2);
  return `<path d="M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}"/>`;
}

/** From a model or a tool to what uses it. */
function upwards([fromX, fromY]: Place, [toX, toY]: Place): string {
  const [x1, y1, x2, y2] = [fromX + WIDTH / 2, fromY, toX + WIDTH / 2, toY + HEIGHT];
  return `<path class="tool" d="M${x1} ${y1}C${x1} ${y1 - 40} ${x2} ${y2 + 40} ${x2} ${y2}"/>`;
}

const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
