/** One decision: the record, what reviewers said of it, and the moderator's verdict with its reason. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { decide, decisionQuery } from '../api/review.ts';
import type { DecisionView, Verdict } from '../api/types.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useShortcuts } from '../app/shortcuts.tsx';
import { VerdictChoice } from '../review/rubric.tsx';
import { ReviewCard } from '../review/scores.tsx';
import { BackLink, Button } from '../ui/button.tsx';
import { SelectField, TextArea } from '../ui/field.tsx';
import { Card, CardTitle, Notice, PageHead } from '../ui/layout.tsx';
import { Marked } from '../ui/marked.tsx';
import { StateBadge } from '../ui/state.tsx';
import { useToast } from '../ui/toast.tsx';
import { PassageCard } from '../write/passage.tsx';

const route = getRouteApi('/inside/decide/$recordId');

export default function Decision() {
  const { t } = useTranslation();
  const { recordId } = route.useParams();
  const decision = useQuery(decisionQuery(recordId));
  if (decision.data) return <Case view={decision.data} id={recordId} />;
  return (
    <>
      <PageHead title={t('decide.title')} />
      <QueryState error={decision.error} retry={decision.refetch} />
    </>
  );
}

function Case({ view, id }: { readonly view: DecisionView; readonly id: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const { record, reviews } = view;
  const [verdict, setVerdict] = useState<Verdict>();
  const [quality, setQuality] = useState(4);
  const [rationale, setRationale] = useState('');
  const [problem, setProblem] = useState<string>();
  const send = useMutation({
    mutationFn: () => decide(id, { verdict: verdict ?? 'accept', quality, rationale }),
    onSuccess: async () => {
      toast({ text: t('decide.done') });
      await client.invalidateQueries();
      await navigate({ to: '/decide' });
    },
    onError: (error) => setProblem(errorText(error)),
  });
  const submit = () => {
    if (!verdict) return setProblem(t('review.verdictFirst'));
    if (rationale.trim().length < 10) return setProblem(t('decide.rationaleFirst'));
    setProblem(undefined);
    send.mutate();
  };
  useShortcuts([
    { keys: 'A', label: t('review.verdict.accept'), run: () => setVerdict('accept') },
    { keys: 'F', label: t('review.verdict.fix'), run: () => setVerdict('fix') },
    { keys: 'R', label: t('review.verdict.reject'), run: () => setVerdict('reject') },
    { keys: 'Ctrl+Enter', label: t('decide.keySubmit'), run: submit },
  ]);
  const version = record.versions.at(-1);
  return (
    <>
      <PageHead
        title={t(`category.${record.category}.name`)}
        lead={t('decide.caseLead')}
        actions={<StateBadge state={record.state} />}
        above={<BackLink to="/decide">{t('decide.title')}</BackLink>}
      />
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1.35fr)_minmax(20rem,1fr)]">
        <div className="grid gap-5">
          {record.passage && <PassageCard passage={record.passage} />}
          {version && (
            <Card>
              <CardTitle>{t('review.record')}</CardTitle>
              <div className="grid gap-4">
                {(['instruction', 'response'] as const).map((field) => (
                  <section key={field} aria-label={t(`write.field.${field}`)}>
                    <h3 className="text-sm text-soft">{t(`write.field.${field}`)}</h3>
                    <Marked text={version[field]} lang={record.language} spans={record.findings.filter((finding) => finding.field === field).flatMap(({ spans }) => spans)} />
                  </section>
                ))}
              </div>
            </Card>
          )}
          <Card>
            <CardTitle>{t('record.reviews')}</CardTitle>
            {reviews.length === 0 ? <p className="text-soft">{t('decide.noReviews')}</p> : <div className="grid gap-3">{reviews.map((review, i) => <ReviewCard key={`${review.at}/${i}`} review={review} number={i + 1} lang={record.language} />)}</div>}
          </Card>
        </div>
        <form
          className="grid gap-5 rounded-card border border-line bg-card p-5 shadow-card lg:sticky lg:top-6"
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <VerdictChoice value={verdict} onChange={setVerdict} />
          {verdict === 'accept' && (
            <SelectField label={t('decide.quality')} hint={t('decide.qualityHint')} value={quality} onChange={({ target }) => setQuality(Number(target.value))}>
              {([3, 4, 5] as const).map((value) => <option key={value} value={value}>{`${value}: ${t(`review.anchor.s${value}`)}`}</option>)}
            </SelectField>
          )}
          <TextArea label={t('decide.rationale')} hint={t('decide.rationaleHint')} rows={4} maxLength={2000} value={rationale} onChange={({ target }) => setRationale(target.value)} />
          {problem && <Notice kind="bad" live>{problem}</Notice>}
          <Button type="submit" kind="primary" busy={send.isPending}>{t('decide.send')}</Button>
        </form>
      </div>
    </>
  );
}
