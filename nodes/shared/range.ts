import type { INodeProperties } from 'n8n-workflow';

/**
 * The limits of a number. The editor corrects what is beyond them without a word, so the field's hint names them before.
 * @param unlessSet what holds while the field is not added
 */
export function range(
  minValue: number,
  maxValue: number,
  unlessSet?: number | string,
): Pick<INodeProperties, 'typeOptions' | 'hint'> {
  const limits = `${grouped(minValue)} to ${grouped(maxValue)}`;
  return {
    typeOptions: { minValue, maxValue },
    hint: unlessSet === undefined ? limits : `${limits}; unless set: ${unlessSet}`,
  };
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
