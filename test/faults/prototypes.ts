import { must } from './scenario';

const WATCHED = { Object, Array, Function, String, Number } as const;

/** What everything inherits: a key named __proto__ must not get in there. */
function inherited(): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [name, { prototype }] of Object.entries(WATCHED))
    for (const key of Reflect.ownKeys(prototype)) {
      const { value, get, set } = Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor;
      found.set(`${name}.prototype.${String(key)}`, value ?? get ?? set);
    }
  return found;
}

/** @throws Error where what everything inherits has changed meanwhile */
export async function unpolluted<T>(act: () => Promise<T>): Promise<T> {
  const before = inherited();
  const result = await act();
  const after = inherited();
  for (const key of new Set([...before.keys(), ...after.keys()]))
    must(before.has(key) && after.has(key) && before.get(key) === after.get(key), `${key} was changed`);
  return result;
}
