/**
 * A group of tests that need something which is not everywhere: they run where it is, and are skipped, saying why,
 * where it is not. `npm test` prints the reason, so a skipped test never looks like a passed one.
 */
export function describeWhere(available: boolean, reason: string): (name: string, work: () => void) => void {
  return (name, work) => {
    if (available) describe(name, work);
    else describe.skip(`${name} (skipped: ${reason})`, work);
  };
}
