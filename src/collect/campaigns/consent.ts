/** Consent: texts by version and language, and who agreed to which. A text that was agreed to is never changed: a new one is a new version. */
import { sha256 } from '../../artefacts/canonical.ts';
import { audit } from '../../store/audit.ts';
import type { Db, Tx } from '../../store/store.ts';
import { instantOf, type Context } from '../context.ts';
import { Refusal } from '../refusal.ts';
import type { Campaign } from './current.ts';

export async function insertConsent(tx: Tx, campaignId: string, version: number, texts: Readonly<Record<string, string>>): Promise<void> {
  await tx.insertInto('consent_texts').values(Object.entries(texts).map(([locale, body]) => ({ campaign_id: campaignId, version, locale, body, text_hash: sha256(body) }))).execute();
}

export async function consentTexts(db: Db | Tx, campaignId: string, version: number): Promise<Record<string, string>> {
  const rows = await db.selectFrom('consent_texts').select(['locale', 'body']).where('campaign_id', '=', campaignId).where('version', '=', version).orderBy('locale').execute();
  return Object.fromEntries(rows.map(({ locale, body }) => [locale, body]));
}

/** In the language that is asked for, else in English, else in the first that there is. */
export async function consentText(db: Db, campaign: Campaign, locale: string) {
  const texts = await consentTexts(db, campaign.id, campaign.consent_version);
  const chosen = [locale, 'en', ...Object.keys(texts)].find((one) => one in texts)!;
  return { version: campaign.consent_version, locale: chosen, body: texts[chosen]!, licence: campaign.licence };
}

export async function givenConsent(db: Db | Tx, userId: string, campaignId: string): Promise<number | null> {
  const row = await db.selectFrom('consents').select((eb) => eb.fn.max('version').as('version')).where('user_id', '=', userId).where('campaign_id', '=', campaignId).executeTakeFirst();
  return row?.version ?? null;
}

/** Throws Refusal unless the person agreed to the newest text. */
export async function requireConsent(db: Db | Tx, userId: string, campaign: Pick<Campaign, 'id' | 'consent_version'>): Promise<void> {
  if ((await givenConsent(db, userId, campaign.id)) !== campaign.consent_version) throw new Refusal('consent_needed', 'Read and accept the consent text first.', { values: { version: campaign.consent_version } });
}

export async function giveConsent(context: Context, userId: string, campaign: Campaign, version: number, locale: string): Promise<void> {
  if (version !== campaign.consent_version) throw new Refusal('consent_changed', 'The text has changed. Read it again.', { values: { version: campaign.consent_version } });
  await context.store.transaction(async (tx) => {
    const text = await tx.selectFrom('consent_texts').select(['text_hash', 'locale']).where('campaign_id', '=', campaign.id).where('version', '=', version).where('locale', '=', locale).executeTakeFirst();
    if (!text) throw new Refusal('consent_changed', 'There is no such text in this language.', { values: { version } });
    const { numInsertedOrUpdatedRows } = await tx.insertInto('consents').values({ user_id: userId, campaign_id: campaign.id, version, locale, text_hash: text.text_hash, given_at: instantOf(context) }).onConflict((c) => c.doNothing()).executeTakeFirst();
    if (numInsertedOrUpdatedRows) await audit(tx, { actor: userId, type: 'consent.given', subject: `user:${userId}`, payload: { campaign: campaign.id, version, text: text.text_hash } }, instantOf(context));
  });
}
