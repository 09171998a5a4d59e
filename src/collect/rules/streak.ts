/** Days in a row with an accepted record: for fun, no points hang on it. One day a week may be left out, and the days of rest never count. */
import { addDays, weekdayOf, weekOf, type Day } from './calendar.ts';

export interface Streak {
  /** Working days with an accepted record, up to today. */
  readonly days: number;
  /** The free day of this week is still there. */
  readonly free_left: boolean;
}

/** Saturday and Sunday. */
export const REST_DAYS: readonly number[] = [6, 7];

/** `worked`: the days of work whose records were accepted. Today does not break it while it lasts. */
export function streakOf(worked: Iterable<Day>, today: Day, restDays: readonly number[] = REST_DAYS): Streak {
  const days = new Set(worked);
  const skipped = new Set<Day>();
  const first = [...days].sort()[0] ?? today;
  let count = 0;
  for (let day = today; day >= first; day = addDays(day, -1)) {
    if (days.has(day)) count++;
    else if (day !== today && !restDays.includes(weekdayOf(day))) {
      if (skipped.has(weekOf(day))) break;
      skipped.add(weekOf(day));
    }
  }
  return { days: count, free_left: !skipped.has(weekOf(today)) };
}
