/** The guidelines of each category, in each language: what people see beside the form. A change makes a new version. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { CATEGORIES, type CategoryKey } from '../../collect/rules/categories.ts';
import { guidelineAdminQuery, saveGuideline } from '../api/manage.ts';
import type { Example, Guideline } from '../api/types.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { LOCALES, type Locale } from '../i18n/index.ts';
import { Button } from '../ui/button.tsx';
import { SelectField, TextArea } from '../ui/field.tsx';
import { Card, CardTitle, Notice, PageHead } from '../ui/layout.tsx';
import { useToast } from '../ui/toast.tsx';

export default function Guidelines() {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const [category, setCategory] = useState<CategoryKey>('open_qa');
  const [locale, setLocale] = useState<Locale>(i18n.language === 'ru' ? 'ru' : 'en');
  const guideline = useQuery(guidelineAdminQuery(category, locale));
  return (
    <>
      <PageHead title={t('admin:page.guidelines')} lead={t('admin:guidelines.lead')} />
      <div className="mb-5 grid max-w-2xl gap-4 sm:grid-cols-2">
        <SelectField label={t('admin:overview.category')} value={category} onChange={({ target }) => setCategory(target.value as CategoryKey)}>{CATEGORIES.map((key) => <option key={key} value={key}>{t(`category.${key}.name`)}</option>)}</SelectField>
        <SelectField label={t('admin:passages.language')} value={locale} onChange={({ target }) => setLocale(target.value as Locale)}>{LOCALES.map((key) => <option key={key} value={key}>{format.language(key)}</option>)}</SelectField>
      </div>
      {guideline.data ? <Edit key={`${category}/${locale}/${guideline.data.version}`} category={category} locale={locale} guideline={guideline.data} /> : <QueryState error={guideline.error} retry={guideline.refetch} />}
    </>
  );
}

const lines = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter((line) => line !== '');

function Edit({ category, locale, guideline }: { readonly category: CategoryKey; readonly locale: Locale; readonly guideline: Guideline }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const [summary, setSummary] = useState(guideline.summary);
  const [dos, setDos] = useState(guideline.do.join('\n'));
  const [donts, setDonts] = useState(guideline.dont.join('\n'));
  const [good, setGood] = useState(guideline.good[0] ?? NONE);
  const [bad, setBad] = useState(guideline.bad[0] ?? NONE);
  const save = useMutation({
    mutationFn: () => saveGuideline(category, locale, { summary, do: lines(dos), dont: lines(donts), good: [good, ...guideline.good.slice(1)], bad: [bad, ...guideline.bad.slice(1)] }),
    onSuccess: async ({ version }) => {
      toast({ text: t('admin:guidelines.saved', { version }) });
      await client.invalidateQueries({ queryKey: ['manage'] });
    },
  });
  return (
    <Card>
      <CardTitle aside={t('admin:guidelines.version', { version: guideline.version })}>{t(`category.${category}.name`)}</CardTitle>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <TextArea required rows={2} lang={locale} label={t('admin:guidelines.summary')} value={summary} onChange={({ target }) => setSummary(target.value)} />
        <div className="grid gap-4 md:grid-cols-2">
          <TextArea required rows={4} lang={locale} label={t('write.do')} hint={t('admin:guidelines.oneALine')} value={dos} onChange={({ target }) => setDos(target.value)} />
          <TextArea required rows={4} lang={locale} label={t('write.dont')} hint={t('admin:guidelines.oneALine')} value={donts} onChange={({ target }) => setDonts(target.value)} />
        </div>
        <div className="grid gap-6 md:grid-cols-2">
          <ExampleFields title={t('write.goodExample')} lang={locale} example={good} onChange={setGood} />
          <ExampleFields title={t('write.badExample')} lang={locale} example={bad} onChange={setBad} />
        </div>
        {save.error && <Notice kind="bad" live>{errorText(save.error)}</Notice>}
        <div><Button type="submit" kind="primary" busy={save.isPending}>{t('admin:guidelines.save')}</Button></div>
      </form>
    </Card>
  );
}

const NONE: Example = { instruction: '', context: '', response: '', why: '' };

function ExampleFields({ title, lang, example, onChange }: { readonly title: string; readonly lang: string; readonly example: Example; readonly onChange: (example: Example) => void }) {
  const { t } = useTranslation();
  return (
    <fieldset className="grid content-start gap-3">
      <legend className="mb-2 font-semibold">{title}</legend>
      {(['instruction', 'context', 'response'] as const).map((field) => (
        <TextArea key={field} rows={field === 'instruction' ? 2 : 3} lang={lang} label={t(`write.field.${field}`)} value={example[field]} onChange={({ target }) => onChange({ ...example, [field]: target.value })} />
      ))}
      <TextArea rows={2} lang={lang} label={t('write.why')} value={example.why} onChange={({ target }) => onChange({ ...example, why: target.value })} />
    </fieldset>
  );
}
