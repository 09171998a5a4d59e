/** Asking a question for colleagues to answer, and what became of one's own. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { CATEGORIES, NEEDS_PASSAGE } from '../../collect/rules/categories.ts';
import { FORM_RULES } from '../../collect/rules/forms.ts';
import { countWords } from '../../text/words.ts';
import { ApiError } from '../api/client.ts';
import { askQuestion, dropQuestion, homeQuery, questionPassage, questionsQuery } from '../api/collect.ts';
import type { CategoryKey, CheckFinding, Passage, QuestionRow, QuestionsView } from '../api/types.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { useSession } from '../app/session.tsx';
import { useShortcuts } from '../app/shortcuts.tsx';
import { BackLink, Button } from '../ui/button.tsx';
import { CategoryIcon } from '../ui/category.tsx';
import { SelectField, TextArea } from '../ui/field.tsx';
import { Badge, Card, CardTitle, Empty, Notice, PageHead, type Tone } from '../ui/layout.tsx';
import { useToast } from '../ui/toast.tsx';
import { Findings } from '../write/findings.tsx';
import { Counter } from '../write/parts.tsx';
import { PassageCard } from '../write/passage.tsx';
import { PointsExplained } from '../write/points.tsx';
import { formCheck } from '../write/use-findings.ts';

export default function Ask() {
  const { t } = useTranslation();
  const { campaign } = useSession();
  const questions = useQuery({ ...questionsQuery(), enabled: campaign !== null });
  const home = useQuery({ ...homeQuery(), enabled: campaign !== null });
  const head = (lead?: string) => <PageHead title={t('ask.title')} lead={lead} above={<BackLink to="/write">{t('rooms.write')}</BackLink>} />;
  if (!campaign) return <>{head()}<Empty icon="question" title={t('home.noCampaign')}>{t('home.noCampaignText')}</Empty></>;
  if (!questions.data || !home.data) return <>{head()}<QueryState error={questions.error ?? home.error} retry={() => (home.refetch(), questions.refetch())} /></>;
  const offered = CATEGORIES.filter((category) => home.data.categories.some((row) => row.category === category && row.goal > 0));
  return (
    <>
      {head(t('ask.lead'))}
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1.35fr)_minmax(20rem,1fr)]">
        {campaign.state === 'open' && offered.length > 0 ? <Form view={questions.data} offered={offered} languages={campaign.languages} /> : <Empty icon="clock" title={t('choose.closed')}>{t(`campaign.meaning.${campaign.state}`)}</Empty>}
        <Own view={questions.data} />
      </div>
    </>
  );
}

function Form({ view, offered, languages }: { readonly view: QuestionsView; readonly offered: readonly CategoryKey[]; readonly languages: readonly string[] }) {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const [category, setCategory] = useState<CategoryKey>(offered.includes('general_qa') ? 'general_qa' : (offered[0] ?? 'open_qa'));
  const [language, setLanguage] = useState(languages.includes(i18n.language) ? i18n.language : (languages[0] ?? 'en'));
  const [text, setText] = useState('');
  const [passage, setPassage] = useState<Passage>();
  const [refused, setRefused] = useState<readonly CheckFinding[]>([]);
  const field = useRef<HTMLTextAreaElement>(null);
  const needsPassage = NEEDS_PASSAGE.includes(category);
  const local = text.trim() === '' ? [] : formCheck(category, { instruction: text, context: passage?.text ?? '', response: '' }, language).filter(({ field: at }) => at === 'instruction');
  const blocked = text.trim() === '' || local.some(({ severity }) => severity === 'block') || (needsPassage && !passage);

  const draw = useMutation({ mutationFn: () => questionPassage(category, language), onSuccess: ({ passage: drawn }) => setPassage(drawn) });
  const send = useMutation({
    mutationFn: () => askQuestion({ category, language, instruction: text.trim(), passage_id: needsPassage ? (passage?.id ?? null) : null }),
    onSuccess: () => {
      setText('');
      setPassage(undefined);
      toast({ text: t('ask.asked') });
      return client.invalidateQueries({ queryKey: ['questions'] });
    },
    onError: (error) => setRefused(error instanceof ApiError ? ((error.body as { findings?: readonly CheckFinding[] } | undefined)?.findings ?? []) : []),
  });
  const submit = () => {
    if (!blocked && view.may > 0 && !send.isPending) send.mutate();
  };
  useShortcuts([{ keys: 'Ctrl+Enter', label: t('ask.send'), run: submit }]);
  const change = (to: () => void) => {
    to();
    setPassage(undefined);
    setRefused([]);
    draw.reset();
    send.reset();
  };
  const rule = FORM_RULES[category].instruction;
  // That it is short still, the counter shows.
  const shown = [...local.filter(({ code }) => code !== 'too_short'), ...refused.filter(({ code }) => !local.some((finding) => finding.code === code))];
  return (
    <form
      className="grid gap-5 rounded-card border border-line bg-card p-5 shadow-card sm:p-6"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField label={t('ask.category')} value={category} onChange={({ target }) => change(() => setCategory(target.value as CategoryKey))}>
          {offered.map((key) => <option key={key} value={key}>{t(`category.${key}.name`)}</option>)}
        </SelectField>
        {languages.length > 1 && (
          <SelectField label={t('ask.language')} value={language} onChange={({ target }) => change(() => setLanguage(target.value))}>
            {languages.map((tag) => <option key={tag} value={tag}>{format.language(tag)}</option>)}
          </SelectField>
        )}
      </div>
      {needsPassage && (
        <div className="grid gap-3">
          {passage ? <PassageCard passage={passage} /> : <p className="text-soft">{t('ask.passageText')}</p>}
          {draw.error && <Notice kind="bad" live>{errorText(draw.error)}</Notice>}
          <div><Button icon="book" busy={draw.isPending} onClick={() => draw.mutate()}>{passage ? t('ask.otherPassage') : t('ask.passage')}</Button></div>
        </div>
      )}
      <div className="grid gap-2">
        <TextArea ref={field} label={t('ask.question')} hint={t(`category.${category}.instructionHint`)} rows={4} lang={language} dir="auto" spellCheck value={text} maxLength={4000} onChange={({ target }) => { setText(target.value); setRefused([]); }} aside={<Counter words={countWords(text, language)} min={rule.min} max={rule.max} />} />
        <Findings findings={shown} text={text} field={field} />
      </div>
      {send.error && refused.length === 0 && <Notice kind="bad" live>{errorText(send.error)}</Notice>}
      {refused.length > 0 && <Notice kind="bad" live>{t('errors.codes.findings')}</Notice>}
      <div className="flex flex-wrap items-center justify-between gap-3 border-t border-line pt-4">
        <p className="text-sm text-soft">{view.may > 0 ? t('ask.may', { count: view.may }) : t('ask.mayNot')}</p>
        <Button type="submit" kind="primary" busy={send.isPending} disabled={blocked || view.may === 0}>{t('ask.send')}</Button>
      </div>
    </form>
  );
}

const TONES: Readonly<Record<QuestionRow['state'], Tone>> = { open: 'plain', taken: 'info', answered: 'info', accepted: 'good', refused: 'warn' };

function Own({ view }: { readonly view: QuestionsView }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Card>
      <CardTitle aside={t('ask.share', { share: format.percent(view.share / 1000) })}>{t('ask.mine')}</CardTitle>
      {view.questions.length === 0 ? (
        <p className="text-soft">{t('ask.none')}</p>
      ) : (
        <ul className="grid gap-4">{view.questions.map((question) => <li key={question.id} className="border-t border-line pt-4 first:border-0 first:pt-0"><Question question={question} share={view.share} /></li>)}</ul>
      )}
    </Card>
  );
}

function Question({ question, share }: { readonly question: QuestionRow; readonly share: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const [explained, setExplained] = useState(false);
  const drop = useMutation({ mutationFn: () => dropQuestion(question.id), onSuccess: () => client.invalidateQueries({ queryKey: ['questions'] }), onError: (error) => toast({ text: errorText(error), kind: 'bad' }) });
  return (
    <div className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-2">
      <CategoryIcon category={question.category} />
      <div className="min-w-0">
        <p lang={question.language} dir="auto" className="written font-medium">{question.text}</p>
        <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-soft">
          <Badge tone={TONES[question.state]}>{t(`ask.state.${question.state}`)}</Badge>
          {format.relative(question.at)}
        </p>
        {question.points && (
          <>
            <Button kind="quiet" size="small" className="mt-1 -ml-3" aria-expanded={explained} onClick={() => setExplained(!explained)}>{t('ask.points', { points: format.number(question.points.delta_mp / 1000, 2) })}</Button>
            {explained && <div className="rise mt-2"><PointsExplained points={question.points} share={share} /></div>}
          </>
        )}
        {question.state === 'open' && <Button kind="quiet" size="small" icon="undo" className="mt-1 -ml-3" busy={drop.isPending} aria-label={t('ask.dropOf', { question: question.text.slice(0, 80) })} onClick={() => drop.mutate()}>{t('ask.drop')}</Button>}
      </div>
    </div>
  );
}
