/**
 * Reads the form in which n8n keeps an execution's data: a JSON array in which every string of a value is an index
 * into the array, so that values can refer to each other. (The format of the npm package `flatted`.)
 */
export function parseFlatted(text: string): unknown {
  const slots = JSON.parse(text) as unknown[];
  const revived = new Map<number, unknown>();
  const revive = (index: number): unknown => {
    if (revived.has(index)) return revived.get(index);
    const slot = slots[index];
    if (typeof slot !== 'object' || slot === null) return slot;
    const target: Record<string, unknown> | unknown[] = Array.isArray(slot) ? [] : {};
    revived.set(index, target);
    for (const [key, value] of Object.entries(slot)) {
      (target as Record<string, unknown>)[key] = typeof value === 'string' ? revive(Number(value)) : value;
    }
    return target;
  };
  return revive(0);
}
