import type { BudgetFigures, PlantedFigures } from './proof';

const DAY = { first: 'the day after one of learning', changed: 'a day after a change of mood' };

export function printBudget(figures: readonly BudgetFigures[], planted: readonly PlantedFigures[]): void {
  console.log('Alerts a day on the synthetic market, with a budget\n');
  for (const { alertsPerDay, day, range, within, pairs, mean, dispersion, meanOfKind } of figures) {
    const kinds = Object.entries(meanOfKind).map(([kind, of]) => `${kind} ${of.toFixed(1)}`);
    console.log(
      `budget ${String(alertsPerDay).padStart(2)}, ${DAY[day]}: ${within} of ${pairs} within ${range[0]} to ${range[1]}, mean ${mean.toFixed(2)}, variance ${dispersion.toFixed(2)} of the mean (${kinds.join('; ')})`,
    );
  }
  console.log('');
  for (const { alertsPerDay, strength, plantings, byBudget, byHindsight } of planted)
    console.log(
      `budget ${String(alertsPerDay).padStart(2)}: of ${plantings} plantings of 60 s, strength ${strength}, ${percent(byBudget, plantings)} % reported; by the best fixed threshold in hindsight ${percent(byHindsight, plantings)} %`,
    );
}

function percent(part: number, whole: number): string {
  return ((100 * part) / whole).toFixed(1);
}
