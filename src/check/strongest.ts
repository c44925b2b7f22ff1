import { byPlace, type CheckResult } from './types';

/**
 * The strongest results of a run, numbered from 1 in `rank`, by how far the sides differ; the weaker ones are left out.
 * What has no signal follows them without a rank: an unknown book is not taken for a weak one.
 */
export function strongest(results: readonly CheckResult[], count: number): CheckResult[] {
  const strength = ({ item }: CheckResult) => Math.abs(item.imbalancePercent ?? 0);
  const judged = results.filter(({ item }) => item.signal !== null);
  const ranked = judged.sort((a, b) => strength(b) - strength(a) || byPlace(a, b)).slice(0, count);
  return [
    ...ranked.map((result, i) => ({ ...result, item: { ...result.item, rank: i + 1 } })),
    ...results.filter(({ item }) => item.signal === null).sort(byPlace),
  ];
}
