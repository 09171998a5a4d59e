/** What may be done with a model, from the licences of what it was made of. Pure; not legal advice. */
import { LICENCES } from './table.ts';

/**
 * `clear`: may be used for money and passed on, with what is owed. `share-alike`: the same, and changed versions of the data keep its
 * licence. `tainted`: a part forbids one of the two. `unknown`: a part's licence is not given, or is not in the table.
 */
export type Verdict = 'clear' | 'share-alike' | 'tainted' | 'unknown';

export interface Part {
  /** What it is in the making: `base`, `data`. */
  readonly part: string;
  /** Identifiers joined by ` AND `, or null where nobody said. */
  readonly licence: string | null;
}

export interface LicenceVerdict {
  readonly verdict: Verdict;
  /** A sentence for each part. */
  readonly reasons: readonly string[];
}

/** Later ones outweigh earlier ones. */
const WEIGHT: readonly Verdict[] = ['clear', 'share-alike', 'unknown', 'tainted'];

export function licenceVerdict(parts: readonly Part[]): LicenceVerdict {
  const judged = parts.flatMap(({ part, licence }) => (licence === null ? [{ verdict: 'unknown' as const, reason: `${part}: nobody gave its licence` }]
    : licence.split(' AND ').map((id) => judge(part, id.trim()))));
  const worst = Math.max(-1, ...judged.map((j) => WEIGHT.indexOf(j.verdict)));
  return { verdict: WEIGHT[worst] ?? 'unknown', reasons: judged.map((j) => j.reason) };
}

function judge(part: string, id: string): { verdict: Verdict; reason: string } {
  const [, rule] = Object.entries(LICENCES).find(([name]) => name.toLowerCase() === id.toLowerCase()) ?? [];
  if (!rule) return { verdict: 'unknown', reason: `${part}: ${id} is not in the table of licences` };
  if (!rule.commercial) return { verdict: 'tainted', reason: `${part}: ${rule.title} forbids commercial use` };
  if (!rule.derivatives) return { verdict: 'tainted', reason: `${part}: ${rule.title} forbids changed versions` };
  const owed = rule.owed ? `: ${rule.owed}` : '';
  return rule.shareAlike ? { verdict: 'share-alike', reason: `${part}: ${rule.title}${owed}; changed versions of it keep this licence` } : { verdict: 'clear', reason: `${part}: ${rule.title}${owed}` };
}
