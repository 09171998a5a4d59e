/** One report: the whole of what it is about, without a name, and what a moderator does with it. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { reportCaseQuery, settleReport } from '../api/manage.ts';
import type { ReportCase, ReportSettlement } from '../api/types.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { ReviewCard } from '../review/scores.tsx';
import { BackLink, Button } from '../ui/button.tsx';
import { Choices, TextArea } from '../ui/field.tsx';
import { Card, CardTitle, Notice, PageHead } from '../ui/layout.tsx';
import { Marked } from '../ui/marked.tsx';
import { StateBadge } from '../ui/state.tsx';
import { useToast } from '../ui/toast.tsx';
import { PassageCard } from '../write/passage.tsx';

const route = getRouteApi('/inside/manage/reports/$reportId');
type Act = ReportSettlement['act'] | 'dismiss';

export default function Report() {
  const { t } = useTranslation();
  const { reportId } = route.useParams();
  const found = useQuery(reportCaseQuery(reportId));
  if (found.data) return <Case view={found.data} />;
  return (
    <>
      <PageHead title={t('admin:page.reports')} above={<BackLink to="/manage/reports">{t('admin:page.reports')}</BackLink>} />
      <QueryState error={found.error} retry={found.refetch} />
    </>
  );
}

function Case({ view: { report, record, reviews, passage, question, may } }: { readonly view: ReportCase }) {
  const { t } = useTranslation();
  const format = useFormat();
  const version = record?.versions.at(-1);
  return (
    <>
      <PageHead title={t(`admin:reports.about.${report.kind}`)} lead={format.dateTime(report.at)} above={<BackLink to="/manage/reports">{t('admin:page.reports')}</BackLink>} actions={record && <StateBadge state={record.state} />} />
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1.35fr)_minmax(20rem,1fr)]">
        <div className="grid gap-5">
          <Notice kind="warn" title={t('admin:reports.reason')}><p className="written">{report.reason}</p></Notice>
          {question && (
            <Card>
              <CardTitle aside={t(`category.${question.category}.name`)}>{t('admin:reports.kind.question')}</CardTitle>
              <p lang={question.language} dir="auto" className="written">{question.text}</p>
            </Card>
          )}
          {version && (
            <Card>
              <CardTitle aside={record && t(`category.${record.category}.name`)}>{t('review.record')}</CardTitle>
              <div className="grid gap-4">
                {(['instruction', 'response'] as const).map((field) => (
                  <section key={field} aria-label={t(`write.field.${field}`)}>
                    <h3 className="text-sm text-soft">{t(`write.field.${field}`)}</h3>
                    <Marked text={version[field]} lang={record?.language} spans={record?.findings.filter((finding) => finding.field === field).flatMap(({ spans }) => spans)} />
                  </section>
                ))}
              </div>
            </Card>
          )}
          {(passage ?? record?.passage) && <PassageCard passage={(passage ?? record?.passage)!} quiet />}
          {reviews.length > 0 && (
            <Card>
              <CardTitle>{t('record.reviews')}</CardTitle>
              <div className="grid gap-3">{reviews.map((review, i) => <ReviewCard key={`${review.at}/${i}`} review={review} number={i + 1} lang={record?.language ?? 'en'} />)}</div>
            </Card>
          )}
        </div>
        {report.state === 'open' ? <Settle id={report.id} may={may} /> : <Notice kind="info" title={t(`admin:reports.state.${report.state}`)}>{report.answer && <p className="written">{report.answer}</p>}</Notice>}
      </div>
    </>
  );
}

function Settle({ id, may }: { readonly id: string; readonly may: ReportCase['may'] }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const [act, setAct] = useState<Act>();
  const [answer, setAnswer] = useState('');
  const [problem, setProblem] = useState<string>();
  const send = useMutation({
    mutationFn: (chosen: Act) => settleReport(id, { state: chosen === 'dismiss' ? 'dismissed' : 'actioned', act: chosen === 'dismiss' ? 'none' : chosen, answer: answer.trim() }),
    onSuccess: async () => {
      toast({ text: t('admin:reports.done') });
      await client.invalidateQueries();
      await navigate({ to: '/manage/reports' });
    },
    onError: (error) => setProblem(errorText(error)),
  });
  return (
    <form
      className="grid gap-5 rounded-card border border-line bg-card p-5 shadow-card lg:sticky lg:top-6"
      onSubmit={(event) => {
        event.preventDefault();
        if (!act) return setProblem(t('admin:reports.actFirst'));
        setProblem(undefined);
        send.mutate(act);
      }}
    >
      <Choices legend={t('admin:reports.what')} name="act" value={act} onChange={setAct} options={(['dismiss', ...may] as const).map((value) => ({ value, label: t(`admin:reports.act.${value}`), hint: t(`admin:reports.actHint.${value}`) }))} />
      <TextArea label={t('admin:reports.answer')} hint={t('admin:reports.answerHint')} rows={3} maxLength={2000} value={answer} onChange={({ target }) => setAnswer(target.value)} />
      {problem && <Notice kind="bad" live>{problem}</Notice>}
      <Button type="submit" kind="primary" busy={send.isPending}>{t('admin:reports.settle')}</Button>
    </form>
  );
}
