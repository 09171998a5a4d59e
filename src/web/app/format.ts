/** Numbers, dates and names in the language of the page, by Intl. */
import { useTranslation } from '../i18n/react.ts';
import { currentLocale } from '../i18n/index.ts';

export interface Format {
  number(value: number, digits?: number): string;
  /** 0 to 1. */
  percent(share: number, digits?: number): string;
  /** Points are kept as thousandths: 1500 is 1.5. */
  points(milli: number): string;
  date(at: string | number | Date, zone?: string): string;
  time(at: string | number | Date, zone?: string): string;
  dateTime(at: string | number | Date, zone?: string): string;
  /** "3 minutes ago", "in 2 days". */
  relative(at: string | number | Date, now?: number): string;
  list(items: readonly string[]): string;
  /** The name of a language in the page's own. */
  language(tag: string): string;
}

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000]];

/** One of each kind: making one takes far longer than using it, and a page shows hundreds of figures. */
const once = <K, V>(make: (key: K) => V) => {
  const made = new Map<K, V>();
  return (key: K): V => {
    if (!made.has(key)) made.set(key, make(key));
    return made.get(key) as V;
  };
};

/** Formatters of a locale. */
export const formatOf = once((locale: string): Format => {
  const numbers = once((digits: number) => new Intl.NumberFormat(locale, { maximumFractionDigits: digits }));
  const shares = once((digits: number) => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: digits }));
  const dates = (options: Intl.DateTimeFormatOptions) => {
    const inZone = once((zone: string | undefined) => new Intl.DateTimeFormat(locale, { ...options, ...(zone !== undefined && { timeZone: zone }) }));
    return (at: string | number | Date, zone?: string) => inZone(zone).format(new Date(at));
  };
  return {
    number: (value, digits = 0) => numbers(digits).format(value),
    percent: (share, digits = 0) => shares(digits).format(share),
    points: (milli) => numbers(1).format(milli / 1000),
    date: dates({ dateStyle: 'long' }),
    time: dates({ timeStyle: 'short' }),
    dateTime: dates({ dateStyle: 'medium', timeStyle: 'short' }),
    relative(at, now = Date.now()) {
      const ms = new Date(at).getTime() - now;
      const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
      for (const [unit, size] of STEPS) if (Math.abs(ms) >= size) return relative.format(Math.trunc(ms / size), unit);
      return relative.format(0, 'minute');
    },
    list: (items) => new Intl.ListFormat(locale, { type: 'conjunction' }).format(items),
    language: (tag) => new Intl.DisplayNames(locale, { type: 'language' }).of(tag) ?? tag,
  };
});

export function useFormat(): Format {
  const { i18n } = useTranslation();
  return formatOf(i18n.language || currentLocale());
}
