/** Reviewing: a record without its author, the rubric beside it. Which record comes is drawn by lot; nobody chooses. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { reviewQuery, skipReview, submitReview } from '../api/review.ts';
import { CRITERIA, FLAGS, reviewFaults, type Scores as AllScores } from '../../collect/rules/review-outcome.ts';
import type { Criterion, Flag, ReviewItem, Scores, Verdict } from '../api/types.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { useSession } from '../app/session.tsx';
import { keysForPeople, useShortcuts } from '../app/shortcuts.tsx';
import { Rubric, VerdictChoice } from '../review/rubric.tsx';
import { Button } from '../ui/button.tsx';
import { CategoryIcon } from '../ui/category.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { CheckField, Choices, TextArea } from '../ui/field.tsx';
import { Card, CardTitle, Empty, Facts, Notice, PageHead } from '../ui/layout.tsx';
import { Marked } from '../ui/marked.tsx';
import { useToast } from '../ui/toast.tsx';
import { useFindingText } from '../write/findings.tsx';
import { Guidance } from '../write/guidance.tsx';
import { PassageCard } from '../write/passage.tsx';
import { ReportButton } from '../write/report.tsx';

const Diff = lazy(() => import('../review/diff.tsx'));
const SKIP_REASONS = ['know_author', 'not_my_language', 'not_my_subject', 'upsetting'] as const;

export default function Review() {
  const { t } = useTranslation();
  const { campaign } = useSession();
  const review = useQuery({ ...reviewQuery(), enabled: campaign !== null });
  const title = t('review.title');
  if (!review.data) {
    return (
      <>
        <PageHead title={title} />
        {campaign ? <QueryState error={review.error} retry={review.refetch} /> : <Empty icon="eye" title={t('review.none')}>{t('home.noCampaignText')}</Empty>}
      </>
    );
  }
  if (!review.data.item) {
    return (
      <>
        <PageHead title={title} />
        <Empty icon="eye" title={t('review.none')} actions={<Button onClick={() => void review.refetch()}>{t('review.look')}</Button>}>{t('review.noneText')}</Empty>
      </>
    );
  }
  return <Item key={review.data.item.review_id} item={review.data.item} />;
}

function Item({ item }: { readonly item: ReviewItem }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const say = useFindingText();
  const [scores, setScores] = useState<Scores>({});
  const [verdict, setVerdict] = useState<Verdict>();
  const [flags, setFlags] = useState<readonly Flag[]>([]);
  const [comment, setComment] = useState('');
  const [active, setActive] = useState<Criterion | undefined>(item.criteria[0]);
  const [problem, setProblem] = useState<string>();
  const [skipping, setSkipping] = useState(false);
  const [reason, setReason] = useState<(typeof SKIP_REASONS)[number]>('not_my_subject');
  const [changes, setChanges] = useState(item.previous !== null);

  const next = () => {
    void client.resetQueries({ queryKey: ['review'] });
    void client.invalidateQueries({ queryKey: ['session'] });
    window.scrollTo({ top: 0 });
  };
  const send = useMutation({
    mutationFn: () => submitReview(item.review_id, { scores, verdict: verdict ?? 'accept', flags, comment: comment.trim() }),
    onSuccess: () => (toast({ text: t('review.thanks') }), next()),
    onError: (error) => setProblem(errorText(error)),
  });
  const skip = useMutation({ mutationFn: () => skipReview(item.review_id, reason), onSuccess: next, onError: (error) => setProblem(errorText(error)) });

  const score = (criterion: Criterion, value: number) => {
    setScores((before) => ({ ...before, [criterion]: value }));
    setProblem(undefined);
    const open = item.criteria.find((other) => other !== criterion && scores[other] === undefined);
    setActive(open ?? criterion);
  };
  const submit = () => {
    const open = item.criteria.find((criterion) => scores[criterion] === undefined);
    if (open) return setProblem(t('review.scoreFirst', { criterion: t(`review.criterion.${open}.name`) }));
    if (!verdict) return setProblem(t('review.verdictFirst'));
    const all = Object.fromEntries(CRITERIA.map((criterion) => [criterion, scores[criterion] ?? null])) as unknown as AllScores;
    const fault = reviewFaults({ scores: all, verdict, flags, comment }, item.criteria.includes('grounded'))[0];
    if (fault === 'comment_missing') return setProblem(t('review.commentFirst'));
    if (fault === 'accept_with_alarm' || fault === 'accept_below' || fault === 'reject_above') return setProblem(t(`review.fault.${fault}`));
    setProblem(undefined);
    send.mutate();
  };
  const choose = (value: Verdict) => {
    setVerdict(value);
    setProblem(undefined);
  };
  useShortcuts([
    ...[1, 2, 3, 4, 5].map((value) => ({ keys: String(value), label: t('review.keyScore', { score: value }), run: () => active && score(active, value) })),
    { keys: 'A', label: t('review.verdict.accept'), run: () => choose('accept') },
    { keys: 'F', label: t('review.verdict.fix'), run: () => choose('fix') },
    { keys: 'R', label: t('review.verdict.reject'), run: () => choose('reject') },
    { keys: 'Ctrl+Enter', label: t('review.keySubmit'), run: submit },
    { keys: 'Alt+S', label: t('write.keySkip'), run: () => setSkipping(true) },
  ]);

  const { version, previous } = item;
  return (
    <>
      <PageHead title={t('review.title')} lead={t('review.lead')} actions={<span className="flex items-center gap-3"><CategoryIcon category={item.category} /><span className="font-medium">{t(`category.${item.category}.name`)}</span></span>} />
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1.35fr)_minmax(20rem,1fr)]">
        <div className="grid gap-5">
          {item.passage && <PassageCard passage={item.passage} />}
          <Card>
            <CardTitle aside={previous && <Button size="small" kind="quiet" aria-pressed={changes} onClick={() => setChanges(!changes)}>{t('review.changes')}</Button>}>{t('review.record')}</CardTitle>
            <div className="grid gap-4">
              {(['instruction', 'response'] as const).map((field) => (
                <section key={field} aria-label={t(`write.field.${field}`)}>
                  <h3 className="text-sm text-soft">{t(`write.field.${field}`)}</h3>
                  {previous && changes ? (
                    <Suspense fallback={null}>
                      <Diff before={previous[field]} after={version[field]} lang={item.language} />
                    </Suspense>
                  ) : (
                    <Marked text={version[field]} lang={item.language} spans={item.findings.filter((finding) => finding.field === field).flatMap(({ spans }) => spans)} className="leading-relaxed" />
                  )}
                </section>
              ))}
            </div>
            {item.findings.length > 0 && (
              <ul className="mt-5 grid gap-1.5 border-t border-line pt-4 text-[0.9375rem]">
                {item.findings.map((finding) => (
                  <li key={finding.code + JSON.stringify(finding.values)} className="text-warn">{say(finding)}</li>
                ))}
              </ul>
            )}
            <div className="mt-3 -mb-2 -ml-3"><ReportButton kind="review" id={item.review_id} /></div>
          </Card>
          {item.telemetry && (
            <Card>
              <CardTitle aside={t('review.factsAside')}>{t('review.facts')}</CardTitle>
              <Facts columns items={[[t('review.pasted'), format.percent(item.telemetry.paste_share)], [t('review.active'), t('review.minutes', { count: Math.max(1, Math.round(item.telemetry.active_ms / 60_000)) })], [t('review.edits'), format.number(item.telemetry.edits)]]} />
            </Card>
          )}
          <Guidance guideline={item.guideline} lang={document.documentElement.lang} />
        </div>
        <form
          className="grid gap-5 rounded-card border border-line bg-card p-5 shadow-card lg:sticky lg:top-6 lg:max-h-[calc(100dvh-3rem)] lg:overflow-y-auto"
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <Rubric criteria={item.criteria} scores={scores} active={active} onActive={setActive} onScore={score} />
          <VerdictChoice value={verdict} onChange={choose} />
          <TextArea label={t('review.comment')} hint={t('review.commentHint')} rows={3} maxLength={4000} value={comment} onChange={({ target }) => setComment(target.value)} />
          <fieldset className="grid gap-2">
            <legend className="mb-1.5 font-semibold">{t('review.flags')}</legend>
            {FLAGS.map((flag) => (
              <CheckField key={flag} label={t(`review.flag.${flag}`)} checked={flags.includes(flag)} onChange={({ target }) => setFlags(target.checked ? [...flags, flag] : flags.filter((other) => other !== flag))} />
            ))}
          </fieldset>
          {problem && <Notice kind="bad" live>{problem}</Notice>}
          <div className="sticky -bottom-5 -mx-5 -mb-5 flex flex-wrap justify-end gap-2 border-t border-line bg-card px-5 py-3.5">
            <Button kind="quiet" onClick={() => setSkipping(true)}>{t('write.skip')}</Button>
            <Button type="submit" kind="primary" busy={send.isPending}>
              {t('review.send')}
              <span className="hidden rounded-md bg-on-accent/15 px-1.5 py-0.5 font-mono text-xs font-normal sm:inline">{keysForPeople('Ctrl+Enter')}</span>
            </Button>
          </div>
        </form>
      </div>
      <Dialog open={skipping} onClose={() => setSkipping(false)} title={t('review.skipTitle')} actions={<><Button onClick={() => setSkipping(false)}>{t('common.cancel')}</Button><Button kind="primary" busy={skip.isPending} onClick={() => { setSkipping(false); skip.mutate(); }}>{t('write.skipDo')}</Button></>}>
        <p className="mb-4 text-soft">{t('review.skipText')}</p>
        <Choices legend={t('write.skipWhy')} name="skip" value={reason} onChange={setReason} options={SKIP_REASONS.map((value) => ({ value, label: t(`review.skipReason.${value}`) }))} />
      </Dialog>
    </>
  );
}
