/**
 * How often a property runs. Mutation testing judges a thousand mutants with these tests, and sets a share of the runs
 * that are good for one: `ORDERFLOW_RUNS_SHARE`, 1 unless set.
 */
export function runs(often: number): { readonly numRuns: number } {
  return { numRuns: Math.ceil(often * Number(process.env.ORDERFLOW_RUNS_SHARE ?? 1)) };
}
