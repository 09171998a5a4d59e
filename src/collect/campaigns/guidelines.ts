/** What each category asks for, as a campaign's own copy: seeded with the program's texts, changed by new versions. */
import { audit } from '../../store/audit.ts';
import type { Db, Tx } from '../../store/store.ts';
import { instantOf, type Context } from '../context.ts';
import { GUIDELINES, GUIDELINES_VERSION } from '../guidelines/index.ts';
import { LOCALES } from '../guidelines/types.ts';
import { notFound } from '../refusal.ts';
import type { CategoryKey } from '../rules/categories.ts';

export interface GuidelineBody {
  readonly summary: string;
  readonly do: readonly string[];
  readonly dont: readonly string[];
  readonly good: readonly GuidelineExample[];
  readonly bad: readonly GuidelineExample[];
}

interface GuidelineExample {
  readonly instruction: string;
  readonly context: string;
  readonly response: string;
  readonly why: string;
}

export async function seedGuidelines(tx: Tx, campaignId: string, categories: readonly CategoryKey[]): Promise<void> {
  const rows = categories.flatMap((category) => LOCALES.map((locale) => ({ campaign_id: campaignId, category, locale, version: GUIDELINES_VERSION, body: JSON.stringify(GUIDELINES[locale][category]) })));
  if (rows.length > 0) await tx.insertInto('guidelines').values(rows).execute();
}

/** In the language that is asked for, else in English. */
export async function guidelineOf(db: Db, campaignId: string, category: string, locale: string): Promise<GuidelineBody & { version: number }> {
  const rows = await db.selectFrom('guidelines').select(['locale', 'version', 'body']).where('campaign_id', '=', campaignId).where('category', '=', category).where('locale', 'in', [locale, 'en']).orderBy('version', 'desc').execute();
  const row = rows.find((one) => one.locale === locale) ?? rows[0];
  if (!row) throw notFound();
  return { version: row.version, ...(row.body as GuidelineBody) };
}

export async function saveGuideline(context: Context, actor: string, campaignId: string, category: string, locale: string, body: GuidelineBody): Promise<number> {
  return context.store.transaction(async (tx) => {
    const held = await tx.selectFrom('categories').select('guideline_version').where('campaign_id', '=', campaignId).where('key', '=', category).forUpdate().executeTakeFirst();
    if (!held) throw notFound();
    const version = held.guideline_version + 1;
    await tx.updateTable('categories').set({ guideline_version: version }).where('campaign_id', '=', campaignId).where('key', '=', category).execute();
    await tx.insertInto('guidelines').values({ campaign_id: campaignId, category, locale, version, body: JSON.stringify(body) }).execute();
    await audit(tx, { actor, type: 'guideline.changed', subject: `campaign:${campaignId}`, payload: { category, locale, version } }, instantOf(context));
    return version;
  });
}
