/** What may be done with a model and its data, from the licences of all that they were made of. Pure; not legal advice. */
import { parseLicence, type Expression } from './expression.ts';
import { LICENCES, type Clause, type LicenceRule } from './table.ts';

/**
 * `clear`: may be used for money and passed on, with what is owed. `share-alike`: the same, and changed versions of the data keep
 * its licence. `restricted`: the same within limits of use that must be passed on. `unknown`: a part's licence is not given, or is
 * not in the table. `tainted`: a part forbids use for money, passing on changed versions, or making models with it.
 */
export type Verdict = 'clear' | 'share-alike' | 'restricted' | 'unknown' | 'tainted';

export interface Part {
  /** What it is in the making: `base`, `data`, `response`. */
  readonly part: string;
  /** An SPDX expression or a name; null or `unknown` where nobody said. */
  readonly licence: string | null;
  /** How many records it is, where it is some. */
  readonly records?: number;
  /** Where the first of them are. */
  readonly first?: readonly string[];
}

/** A rule at work: on which part, by which clause. */
export interface Finding extends Clause {
  readonly part: string;
  readonly licence: string;
  readonly records?: number;
  readonly first?: readonly string[];
}

export interface LicenceVerdict {
  readonly verdict: Verdict;
  /** A sentence for each part. */
  readonly reasons: readonly string[];
  readonly redistribution: {
    readonly allowed: boolean;
    /** Licences that all of it may be passed on under together; null: any, as long as what is owed is given. */
    readonly under: readonly string[] | null;
  };
  readonly owed: readonly (Finding & { readonly kind: 'attribution' | 'notice' })[];
  readonly share_alike: readonly Finding[];
  readonly limits: readonly Finding[];
  /** What blocks commercial use, or leaves it open whether it may be. */
  readonly blocks: readonly Finding[];
}

/** Later ones outweigh earlier ones. */
export const WEIGHT: readonly Verdict[] = ['clear', 'share-alike', 'restricted', 'unknown', 'tainted'];

interface Judged {
  readonly verdict: Verdict;
  readonly licence: string;
  readonly reason: string;
  readonly rule?: LicenceRule;
  readonly block?: Clause;
}

export const NOT_ADVICE = 'This informs and is not legal advice.';

export function licenceVerdict(parts: readonly Part[]): LicenceVerdict {
  const bases = parts.filter(({ part }) => part === 'base').flatMap(({ licence }) => (licence === null ? [] : judgeText(licence, 'base', []).map((j) => j.licence)));
  const judged = parts.flatMap((part) => judgeText(part.licence, part.part, bases).map((j) => ({ part, ...j })));
  const worst = Math.max(-1, ...judged.map((j) => WEIGHT.indexOf(j.verdict)));
  const verdict = WEIGHT[worst] ?? 'unknown';
  const found = (clause: (j: Judged) => Clause | undefined): Finding[] => judged.flatMap(({ part, ...j }) => {
    const rests = clause(j);
    return rests ? [{ part: part.part, licence: j.licence, says: rests.says, clause: rests.clause, ...(part.records === undefined ? {} : { records: part.records }), ...(part.first ? { first: part.first } : {}) }] : [];
  });
  const under = judged.reduce<readonly string[] | null>((together, { rule }) => both(together, rule ? rule.outbound ?? null : []), null);
  return {
    verdict, reasons: judged.map(({ part, reason }) => `${part.part}: ${reason}${placesOf(part)}`),
    redistribution: { allowed: judged.length > 0 && worst < WEIGHT.indexOf('unknown'), under },
    owed: found((j) => j.rule?.owed).map((finding) => ({ ...finding, kind: LICENCES[finding.licence]!.owed!.kind })),
    share_alike: found((j) => j.rule?.shareAlike), limits: found((j) => j.rule?.useLimits), blocks: found((j) => j.block),
  };
}

const both = (a: readonly string[] | null, b: readonly string[] | null): readonly string[] | null => (a === null ? b : b === null ? a : a.filter((id) => b.includes(id)));

function placesOf({ records, first }: Part): string {
  if (records === undefined) return '';
  const more = first && first.length < records ? ', …' : '';
  return ` (${records} ${records === 1 ? 'record' : 'records'}${first && first.length > 0 ? `: ${first.join(', ')}${more}` : ''})`;
}

/** What one part comes to: a judgement for each name that counts. */
function judgeText(licence: string | null, part: string, bases: readonly string[]): Judged[] {
  if (licence === null) return [unknown('unknown', 'nobody gave its licence')];
  let expression: Expression;
  try {
    expression = parseLicence(licence);
  } catch {
    return [unknown(licence, `${licence} is no licence expression`)];
  }
  return judge(expression, part, bases);
}

const unknown = (licence: string, reason: string): Judged => ({ verdict: 'unknown', licence, reason, block: { says: reason, clause: 'without a licence nothing is allowed' } });

function judge(expression: Expression, part: string, bases: readonly string[]): Judged[] {
  if ('id' in expression) return [judgeName(expression.id, expression.exception, part, bases)];
  const [left, right] = ('all' in expression ? expression.all : expression.any).map((side) => judge(side, part, bases)) as [Judged[], Judged[]];
  if ('all' in expression) return [...left, ...right];
  // Of licences to choose from, the one that leaves most open.
  const weight = (side: Judged[]) => Math.max(...side.map((j) => WEIGHT.indexOf(j.verdict)));
  return weight(right) < weight(left) ? right : left;
}

function judgeName(id: string | null, exception: string | undefined, part: string, bases: readonly string[]): Judged {
  if (id === null) return unknown('unknown', 'nobody gave its licence');
  const rule = Object.hasOwn(LICENCES, id) ? LICENCES[id] : undefined;
  if (!rule) return unknown(id, `${id} is not in the table of licences`);
  if (exception !== undefined) return unknown(id, `${id} WITH ${exception}: exceptions are not in the table of licences`);
  const { noCompete } = rule;
  const excepted = noCompete?.except !== undefined && bases.some((base) => noCompete.except!.test(base));
  const competes = noCompete && !(noCompete.dataOnly && part === 'base') && !excepted ? noCompete : undefined;
  const block = rule.nonCommercial ?? rule.noDerivatives ?? competes;
  if (block) return { verdict: 'tainted', licence: id, rule, block, reason: `${rule.title} ${block.says} (${block.clause})` };
  const owed = rule.owed ? `: ${rule.owed.says}` : '';
  if (rule.useLimits) return { verdict: 'restricted', licence: id, rule, reason: `${rule.title}${owed}; ${rule.useLimits.says} (${rule.useLimits.clause})` };
  if (rule.shareAlike) return { verdict: 'share-alike', licence: id, rule, reason: `${rule.title}${owed}; ${rule.shareAlike.says} (${rule.shareAlike.clause})` };
  return { verdict: 'clear', licence: id, rule, reason: `${rule.title}${owed}` };
}
