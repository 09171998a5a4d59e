/** A new campaign in a few questions, each with an answer already there. What is not asked keeps its tested default and can be changed until it opens. */
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { CONSENT, fillConsent } from '../../collect/guidelines/consent.ts';
import { addDays, dayOf, instantOf } from '../../collect/rules/calendar.ts';
import { CATEGORIES, type CategoryKey } from '../../collect/rules/categories.ts';
import { createCampaign } from '../api/manage.ts';
import type { CampaignDraft } from '../api/types.ts';
import { useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { useRefreshSession } from '../app/session.tsx';
import { LOCALES } from '../i18n/index.ts';
import { Button } from '../ui/button.tsx';
import { CheckField, Choices, SelectField, TextArea, TextField } from '../ui/field.tsx';
import { Card, Facts, Notice, PageHead } from '../ui/layout.tsx';

const STEPS = ['about', 'goals', 'dates', 'terms', 'prizes'] as const;
type Step = (typeof STEPS)[number];
/** Licences that a campaign's own words may get; SPDX ids. */
const LICENCES = ['CC-BY-SA-4.0', 'CC-BY-4.0', 'CC0-1.0', 'LicenseRef-Internal'] as const;

/** The share of each category in Dolly's 15,011 records, rounded: what a new campaign suggests. */
const SHARES: Readonly<Record<CategoryKey, number>> = { open_qa: 0.25, general_qa: 0.15, closed_qa: 0.12, information_extraction: 0.1, summarization: 0.08, brainstorming: 0.12, classification: 0.13, creative_writing: 0.05 };

/** Goals of all categories that come to a total, in whole records. */
function spread(total: number): Record<CategoryKey, number> {
  const goals = Object.fromEntries(CATEGORIES.map((category) => [category, Math.floor(total * SHARES[category])])) as Record<CategoryKey, number>;
  goals.open_qa += total - CATEGORIES.reduce((sum, category) => sum + goals[category], 0);
  return goals;
}

const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const ZONES: readonly string[] = [...new Set([OWN_ZONE, ...Intl.supportedValuesOf('timeZone')])];

interface Answers {
  readonly title: string;
  readonly organisation: string;
  readonly purpose: string;
  readonly total: number;
  readonly languages: readonly string[];
  readonly starts: string;
  readonly ends: string;
  readonly zone: string;
  readonly licence: string;
  readonly prize: string;
  readonly places: number;
  readonly reviews: 1 | 2 | 3;
  readonly block: boolean;
}

export default function Wizard() {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const navigate = useNavigate();
  const refresh = useRefreshSession();
  const errorText = useErrorText();
  const [at, setAt] = useState(0);
  const [a, setA] = useState<Answers>(() => {
    const today = dayOf(Date.now(), OWN_ZONE);
    return { title: '', organisation: '', purpose: '', total: 1000, languages: [i18n.language], starts: today, ends: addDays(today, 14), zone: OWN_ZONE, licence: 'CC-BY-SA-4.0', prize: '', places: 3, reviews: 2, block: true };
  });
  const [terms, setTerms] = useState<Readonly<Record<string, string>>>({});
  const form = useRef<HTMLFormElement>(null);
  const change = (part: Partial<Answers>) => setA((before) => ({ ...before, ...part }));
  const step: Step = STEPS[at] ?? 'about';
  const consentOf = (locale: 'en' | 'ru') => terms[locale] ?? fillConsent(CONSENT[locale], { organisation: a.organisation || t('admin:wizard.yourOrganisation'), licence: a.licence });
  const create = useMutation({
    mutationFn: () => {
      const draft: CampaignDraft = {
        title: a.title.trim(),
        organisation: a.organisation.trim(),
        purpose: a.purpose.trim(),
        time_zone: a.zone,
        languages: a.languages,
        starts_at: new Date(instantOf(a.starts, 0, a.zone)).toISOString(),
        // The last second of the last day: midnight after it is another date.
        ends_at: new Date(instantOf(addDays(a.ends, 1), 0, a.zone) - 1000).toISOString(),
        licence: a.licence,
        goals: spread(a.total),
        consent: Object.fromEntries(LOCALES.map((locale) => [locale, consentOf(locale)])),
        prizes: a.prize.trim() === '' ? [] : [{ from: 1, to: a.places, text: a.prize.trim() }],
        policy: { reviews: a.reviews, personal_data: a.block ? 'block' : 'warn' },
      };
      return createCampaign(draft);
    },
    onSuccess: async () => {
      await refresh();
      await navigate({ to: '/manage/campaign' });
    },
  });
  return (
    <>
      <PageHead title={t('admin:wizard.title')} lead={t('admin:wizard.lead')} />
      <ol aria-label={t('admin:wizard.steps')} className="mb-6 flex flex-wrap gap-x-6 gap-y-2 text-sm">
        {STEPS.map((name, i) => (
          <li key={name} aria-current={i === at ? 'step' : undefined} className="flex items-center gap-2 text-soft aria-[current=step]:font-semibold aria-[current=step]:text-ink">
            <span className={`grid size-6 place-items-center rounded-full text-xs font-semibold ${i <= at ? 'bg-accent text-on-accent' : 'bg-line text-soft'}`}>{i + 1}</span>
            {t(`admin:wizard.step.${name}`)}
          </li>
        ))}
      </ol>
      <form
        ref={form}
        onSubmit={(event) => {
          event.preventDefault();
          if (at < STEPS.length - 1) setAt(at + 1);
          else create.mutate();
        }}
      >
        <Card className="max-w-3xl">
          <div key={step} className="rise grid gap-5">
            {step === 'about' && (
              <>
                <TextField autoFocus required maxLength={80} label={t('admin:wizard.name')} hint={t('admin:wizard.nameHint')} value={a.title} onChange={({ target }) => change({ title: target.value })} />
                <TextField required maxLength={120} label={t('admin:wizard.organisation')} hint={t('admin:wizard.organisationHint')} value={a.organisation} onChange={({ target }) => change({ organisation: target.value })} />
                <TextArea rows={2} maxLength={400} label={t('admin:wizard.purpose')} hint={t('admin:wizard.purposeHint')} value={a.purpose} onChange={({ target }) => change({ purpose: target.value })} />
              </>
            )}
            {step === 'goals' && (
              <>
                <TextField autoFocus required type="number" min={8} max={100000} label={t('admin:wizard.total')} hint={t('admin:wizard.totalHint')} value={a.total} onChange={({ target }) => change({ total: Math.max(0, Math.floor(Number(target.value))) })} />
                <Facts columns items={CATEGORIES.map((category) => [t(`category.${category}.name`), format.number(spread(a.total)[category])] as const)} />
                <fieldset className="grid gap-2">
                  <legend className="mb-1.5 font-semibold">{t('admin:wizard.languages')}</legend>
                  {LOCALES.map((locale) => (
                    <CheckField key={locale} label={format.language(locale)} checked={a.languages.includes(locale)} onChange={({ target }) => change({ languages: target.checked ? [...a.languages, locale] : a.languages.length > 1 ? a.languages.filter((other) => other !== locale) : a.languages })} />
                  ))}
                </fieldset>
              </>
            )}
            {step === 'dates' && (
              <>
                <div className="grid gap-4 sm:grid-cols-2">
                  <TextField autoFocus required type="date" label={t('admin:wizard.starts')} value={a.starts} onChange={({ target }) => change({ starts: target.value })} />
                  <TextField required type="date" min={a.starts} label={t('admin:wizard.ends')} value={a.ends} onChange={({ target }) => change({ ends: target.value })} />
                </div>
                <SelectField label={t('admin:wizard.zone')} hint={t('admin:wizard.zoneHint')} value={a.zone} onChange={({ target }) => change({ zone: target.value })}>
                  {ZONES.map((zone) => <option key={zone} value={zone}>{zone.replaceAll('_', ' ')}</option>)}
                </SelectField>
              </>
            )}
            {step === 'terms' && (
              <>
                <SelectField autoFocus label={t('admin:wizard.licence')} hint={t('admin:wizard.licenceHint')} value={a.licence} onChange={({ target }) => change({ licence: target.value })}>
                  {LICENCES.map((licence) => <option key={licence} value={licence}>{licence}</option>)}
                </SelectField>
                {LOCALES.map((locale) => (
                  <TextArea key={locale} required rows={7} lang={locale} label={t('admin:wizard.consent', { language: format.language(locale) })} hint={t('admin:wizard.consentHint')} value={consentOf(locale)} onChange={({ target }) => setTerms({ ...terms, [locale]: target.value })} />
                ))}
              </>
            )}
            {step === 'prizes' && (
              <>
                <TextField autoFocus maxLength={200} label={t('admin:wizard.prize')} hint={t('admin:wizard.prizeHint')} value={a.prize} onChange={({ target }) => change({ prize: target.value })} />
                {a.prize.trim() !== '' && <TextField type="number" min={1} max={100} label={t('admin:wizard.places')} value={a.places} onChange={({ target }) => change({ places: Math.max(1, Math.floor(Number(target.value))) })} />}
                <Choices legend={t('admin:wizard.reviews')} name="reviews" columns={3} value={String(a.reviews) as '1' | '2' | '3'} onChange={(value) => change({ reviews: Number(value) as 1 | 2 | 3 })} options={(['1', '2', '3'] as const).map((value) => ({ value, label: t('admin:wizard.reviewCount', { count: Number(value) }), hint: t(`admin:wizard.reviewHint.r${value}`) }))} />
                <CheckField label={t('admin:wizard.block')} hint={t('admin:wizard.blockHint')} checked={a.block} onChange={({ target }) => change({ block: target.checked })} />
              </>
            )}
            {create.error && <Notice kind="bad" live>{errorText(create.error)}</Notice>}
            <div className="flex flex-wrap justify-between gap-2 border-t border-line pt-4">
              {at > 0 ? <Button icon="back" onClick={() => setAt(at - 1)}>{t('admin:wizard.previous')}</Button> : <span />}
              <Button type="submit" kind="primary" busy={create.isPending} iconAfter={at < STEPS.length - 1 ? 'arrow' : undefined}>{at < STEPS.length - 1 ? t('admin:wizard.next') : t('admin:wizard.create')}</Button>
            </div>
          </div>
        </Card>
      </form>
    </>
  );
}
