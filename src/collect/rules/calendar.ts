/** Days and hours in a campaign's time zone, with the zone's own rules for summer time, by Intl. Instants are milliseconds since 1970. */

/** `YYYY-MM-DD`. */
export type Day = string;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' });
  formats.set(zone, made);
  return made;
}

/** What a clock on the wall shows, as if it were UTC: milliseconds since 1970. */
function wall(instant: number, zone: string): number {
  const part: Record<string, number> = {};
  for (const { type, value } of format(zone).formatToParts(instant)) if (type !== 'literal') part[type] = Number(value);
  return Date.UTC(part['year']!, part['month']! - 1, part['day']!, part['hour']!, part['minute']!, part['second']!) + (((instant % 1000) + 1000) % 1000);
}

export const isTimeZone = (zone: string): boolean => {
  try {
    format(zone);
    return true;
  } catch {
    return false;
  }
};

/** The day that people there have at an instant. */
export const dayOf = (instant: number, zone: string): Day => new Date(wall(instant, zone)).toISOString().slice(0, 10);

/**
 * The instant of an hour on a day there. Where the clock jumps over it, the first instant after the jump; where it comes twice, the first time.
 */
export function instantOf(day: Day, hour: number, zone: string): number {
  const wanted = Date.parse(`${day}T00:00:00Z`) + hour * 3_600_000;
  // Offsets from UTC before and after any change of that day: the earlier instant that shows the wanted time is the answer.
  const offsets = [wanted - 86_400_000, wanted + 86_400_000].map((near) => wall(near, zone) - near);
  const fits = offsets.map((offset) => wanted - offset).filter((instant) => wall(instant, zone) === wanted);
  if (fits.length > 0) return Math.min(...fits);
  // The hour does not exist: the jump is between the two, to the minute.
  let [low, high] = [wanted - Math.max(...offsets), wanted - Math.min(...offsets)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (wall(middle, zone) < wanted) low = middle;
    else high = middle;
  }
  return high;
}

/** So many days later or, if negative, earlier. */
export const addDays = (day: Day, days: number): Day => new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

/** 1 for Monday to 7 for Sunday. */
export const weekdayOf = (day: Day): number => ((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7) + 1;

/** The Monday of its week. */
export const weekOf = (day: Day): Day => addDays(day, 1 - weekdayOf(day));

/** The last `hour` o'clock in the zone at or before an instant. */
export function lastCutoff(instant: number, hour: number, zone: string): number {
  const today = dayOf(instant, zone);
  const cutoff = instantOf(today, hour, zone);
  return cutoff <= instant ? cutoff : instantOf(addDays(today, -1), hour, zone);
}

/** The next one after an instant. */
export function nextCutoff(instant: number, hour: number, zone: string): number {
  const today = dayOf(instant, zone);
  const cutoff = instantOf(today, hour, zone);
  return cutoff > instant ? cutoff : instantOf(addDays(today, 1), hour, zone);
}
