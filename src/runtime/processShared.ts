/**
 * One value for the whole process, whatever copy of this package asks: n8n clears its module cache when a package is
 * updated in place and leaves running triggers alone, so a module's variable would exist twice.
 * Raise `version` when the shape of the value changes; old and new code then each keep their own.
 */
export function processShared<T>(name: string, version: number, create: () => T): T {
  const key = Symbol.for(`n8n-nodes-orderflow.${name}.v${version}`);
  const holder = globalThis as unknown as Record<symbol, T | undefined>;
  return (holder[key] ??= create());
}
