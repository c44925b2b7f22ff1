import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';

/** What a page says of a node's or a credential's fields. */
export interface Described {
  readonly title: string;
  readonly fields: readonly INodeProperties[];
}

/** docs/fields.md: every field as the editor shows it, with its default and its range. */
export function fieldsPage(described: readonly Described[]): string {
  const parts = described.map(
    ({ title, fields }) =>
      `## ${title}\n\n| field | what it does | default | range |\n|---|---|---|---|\n${rows(fields).join('\n')}\n`,
  );
  return `# Every field

As the editor shows them, units in brackets. Made from the nodes by \`npm run docs:fields\`. How they go together: [nodes.md](nodes.md).

${parts.join('\n')}`;
}

function rows(fields: readonly INodeProperties[], inside = ''): string[] {
  return fields
    .filter(isShown)
    .filter(isFirst)
    .flatMap((field) => {
      const name = `${inside}${field.displayName}`;
      if (field.type === 'collection')
        return [...own(name, field), ...rows(field.options as INodeProperties[], `${name} → `)];
      return own(name, field);
    });
}

/** The row of a field itself; a group that only holds others has none. */
function own(name: string, field: INodeProperties): string[] {
  if (field.type === 'collection' && field.description === undefined) return [];
  const cells = [name, whatItDoes(field), defaultOf(field), rangeOf(field)];
  return [`| ${cells.map((cell) => cell.replace(/\|/g, '\\|').replace(/\s+/g, ' ')).join(' | ')} |`];
}

/** Of fields that differ by the node's version, the newest. One that is described twice, for other cases, is listed once. */
function isShown({ type, displayOptions }: INodeProperties): boolean {
  const versions = displayOptions?.show?.['@version'];
  return (
    !['notice', 'hidden', 'credentials'].includes(type) && !(versions !== undefined && versions[0] === 1)
  );
}

function isFirst(field: INodeProperties, index: number, fields: readonly INodeProperties[]): boolean {
  const { displayName, description } = field;
  const isSame = (one: INodeProperties) => one.displayName === displayName && one.description === description;
  // Operations have one name and differ by their choices.
  return field.name === 'operation' || fields.findIndex(isSame) === index;
}

function whatItDoes(field: INodeProperties): string {
  const choices = field.type === 'options' ? (field.options as INodePropertyOptions[]) : [];
  const explained = choices.flatMap(({ name, description }) =>
    description === undefined ? [name] : [`**${name}**: ${description.replace(/\.$/, '')}`],
  );
  return [field.description ?? '', explained.join('; ')]
    .filter((text) => text !== '')
    .join('. ')
    .replace(/\.\. /g, '. ');
}

function defaultOf({ type, default: value, options = [] }: INodeProperties): string {
  if (type === 'options')
    return (options as INodePropertyOptions[]).find((one) => one.value === value)?.name ?? '';
  if (type === 'boolean') return value === true ? 'on' : 'off';
  if (type === 'resourceLocator') return textOf((value as { value?: unknown }).value);
  return type === 'collection' ? '' : textOf(value);
}

/** An expression follows the incoming item: what stands behind `??` counts where the item says nothing. */
function textOf(value: unknown): string {
  const text = String(value ?? '');
  const otherwise = /^=\{\{.*\?\? "?([^"} ]+)"? \}\}$/.exec(text)?.[1];
  return otherwise === undefined ? text : `the incoming item’s, else ${otherwise}`;
}

function rangeOf({ typeOptions }: INodeProperties): string {
  const { minValue, maxValue } = typeOptions ?? {};
  if (minValue === undefined && maxValue === undefined) return '';
  return maxValue === undefined ? `from ${minValue}` : `${minValue} to ${maxValue}`;
}
