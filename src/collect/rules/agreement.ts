/**
 * How far reviewers agree, to mend the guideline and not to shame people. Krippendorff's alpha (2011, "Computing Krippendorff's
 * Alpha-Reliability") with missing data; Gwet's AC1 (2008), which does not collapse when nearly everything is accepted; and the raw share.
 */

import { CRITERIA, VERDICTS, type Criterion, type Scores, type Verdict } from './review-outcome.ts';

/** For each unit (a version) the values that its raters gave; those with fewer than two say nothing about agreement. */
export type Units = readonly (readonly number[])[];

export type Metric = 'nominal' | 'ordinal' | 'interval';

/** 1 is perfect, 0 what chance gives. Undefined where there is nothing to compare, or all values are one and the same. */
export function krippendorffAlpha(units: Units, metric: Metric): number | undefined {
  const pairable = units.filter((unit) => unit.length >= 2);
  const values = [...new Set(pairable.flat())].sort((a, b) => a - b);
  const index = new Map(values.map((value, i) => [value, i]));
  const q = values.length;
  const coincidence = new Float64Array(q * q);
  for (const unit of pairable) {
    for (let i = 0; i < unit.length; i++) {
      for (let j = 0; j < unit.length; j++) {
        if (i !== j) coincidence[index.get(unit[i]!)! * q + index.get(unit[j]!)!]! += 1 / (unit.length - 1);
      }
    }
  }
  const totals = values.map((_, c) => coincidence.subarray(c * q, (c + 1) * q).reduce((sum, o) => sum + o, 0));
  const n = totals.reduce((sum, total) => sum + total, 0);
  let observed = 0;
  let expected = 0;
  for (let c = 0; c < q; c++) {
    for (let k = 0; k < q; k++) {
      const distance = distanceOf(metric, values, totals, c, k);
      observed += coincidence[c * q + k]! * distance;
      expected += totals[c]! * totals[k]! * distance;
    }
  }
  return expected === 0 ? undefined : 1 - ((n - 1) * observed) / expected;
}

/** Squared distances of Krippendorff's metrics; ordinal: the values between two, their own counted by half. */
function distanceOf(metric: Metric, values: readonly number[], totals: readonly number[], c: number, k: number): number {
  if (c === k) return 0;
  if (metric === 'nominal') return 1;
  if (metric === 'interval') return (values[c]! - values[k]!) ** 2;
  const [low, high] = c < k ? [c, k] : [k, c];
  const between = totals.slice(low, high + 1).reduce((sum, total) => sum + total, 0);
  return (between - (totals[low]! + totals[high]!) / 2) ** 2;
}

/** The mean over units of the share of pairs of raters who said the same; undefined if no unit has two. */
export function rawAgreement(units: Units): number | undefined {
  const shares = units.filter((unit) => unit.length >= 2).map((unit) => {
    const counts = [...countsOf(unit).values()];
    return counts.reduce((sum, count) => sum + count * (count - 1), 0) / (unit.length * (unit.length - 1));
  });
  return shares.length === 0 ? undefined : shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** `categories` is how many values there are to choose from; by default those that occur. Undefined with fewer than two. */
export function gwetAc1(units: Units, categories?: number): number | undefined {
  const agreed = rawAgreement(units);
  const rated = units.filter((unit) => unit.length > 0);
  const values = new Set(rated.flat());
  const q = categories ?? values.size;
  if (agreed === undefined || q < 2) return undefined;
  const shares = new Map<number, number>();
  for (const unit of rated) for (const [value, count] of countsOf(unit)) shares.set(value, (shares.get(value) ?? 0) + count / unit.length);
  const chance = [...values].reduce((sum, value) => {
    const share = shares.get(value)! / rated.length;
    return sum + share * (1 - share);
  }, 0) / (q - 1);
  return (agreed - chance) / (1 - chance);
}

function countsOf(unit: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of unit) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

export interface AgreementRow {
  /** A criterion of the rubric, or `verdict`. */
  readonly of: string;
  /** Versions with two reviews or more. */
  readonly units: number;
  /** Ordinal for scores, nominal for verdicts. */
  readonly alpha: number | undefined;
  readonly ac1: number | undefined;
  readonly raw: number | undefined;
}

export interface AgreementReview {
  readonly version_id: string;
  readonly scores: Scores;
  readonly verdict: Verdict;
}

/** Agreement on one criterion, or on the verdict, over reviews that count. */
export function agreementOn(of: Criterion | 'verdict', reviews: readonly AgreementReview[]): AgreementRow {
  const groups = [...Map.groupBy(reviews, ({ version_id }) => version_id).values()];
  const [metric, categories]: [Metric, number] = of === 'verdict' ? ['nominal', VERDICTS.length] : ['ordinal', 5];
  const units = groups.map((group) => (of === 'verdict' ? group.map(({ verdict }) => VERDICTS.indexOf(verdict)) : group.map(({ scores }) => scores[of]).filter((score) => score !== null)));
  return { of, units: units.filter((unit) => unit.length >= 2).length, alpha: krippendorffAlpha(units, metric), ac1: gwetAc1(units, categories), raw: rawAgreement(units) };
}

/** The same by criterion and on the verdict. What reviewers read differently is what the guideline says badly. */
export const agreementByCriterion = (reviews: readonly AgreementReview[]): AgreementRow[] => ([...CRITERIA, 'verdict'] as const).map((of) => agreementOn(of, reviews));
