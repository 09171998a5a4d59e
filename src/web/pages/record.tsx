/** One of my records: state and why, points explained, reviews, versions, and what can be done now. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { appealRecord, recordQuery, reviseRecord, withdrawRecord } from '../api/collect.ts';
import { CRITERIA } from '../../collect/rules/review-outcome.ts';
import type { RecordView } from '../api/types.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { ReviewCard } from '../review/scores.tsx';
import { BackLink, Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { TextArea } from '../ui/field.tsx';
import { Card, CardTitle, Notice, PageHead } from '../ui/layout.tsx';
import { Marked } from '../ui/marked.tsx';
import { StateBadge } from '../ui/state.tsx';
import { useToast } from '../ui/toast.tsx';
import { useFindingText } from '../write/findings.tsx';
import { PassageCard } from '../write/passage.tsx';
import { PointsExplained } from '../write/points.tsx';
import { ReportButton } from '../write/report.tsx';

const Diff = lazy(() => import('../review/diff.tsx'));
const route = getRouteApi('/inside/records/$recordId');

export default function RecordPage() {
  const { t } = useTranslation();
  const { recordId } = route.useParams();
  const record = useQuery(recordQuery(recordId));
  const above = <BackLink to="/records">{t('rooms.records')}</BackLink>;
  if (!record.data) {
    return (
      <>
        <PageHead title={t('record.title')} above={above} />
        <QueryState error={record.error} retry={record.refetch} />
      </>
    );
  }
  return <Shown record={record.data} above={above} />;
}

function Shown({ record, above }: { readonly record: RecordView; readonly above: React.ReactNode }) {
  const { t } = useTranslation();
  const format = useFormat();
  const navigate = useNavigate();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const say = useFindingText();
  const [asking, setAsking] = useState<'appeal' | 'withdraw'>();
  const [reason, setReason] = useState('');
  const [explained, setExplained] = useState(false);
  const [compare, setCompare] = useState(false);
  const refresh = () => client.invalidateQueries();
  const fail = (error: unknown) => toast({ text: errorText(error), kind: 'bad' });
  const revise = useMutation({ mutationFn: () => reviseRecord(record.id), onSuccess: ({ draft_id }) => void navigate({ to: '/write/$draftId', params: { draftId: draft_id } }), onError: fail });
  const appeal = useMutation({ mutationFn: () => appealRecord(record.id, reason), onSuccess: () => (setAsking(undefined), toast({ text: t('record.appealed') }), refresh()), onError: fail });
  const withdraw = useMutation({ mutationFn: () => withdrawRecord(record.id), onSuccess: () => (setAsking(undefined), toast({ text: t('record.withdrawn') }), refresh()), onError: fail });

  const current = record.versions.at(-1);
  const previous = record.versions.at(-2);
  if (!current) return null;
  const weakest = weakestCriterion(record);
  return (
    <>
      <PageHead above={above} title={t(`category.${record.category}.name`)} lead={t(`record.meaning.${record.state}`)} actions={<StateBadge state={record.state} />} />
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1.6fr)_minmax(18rem,1fr)]">
        <div className="grid gap-5">
          {(record.state === 'rejected' || record.state === 'changes_requested' || record.state === 'needs_fix') && (
            <Notice kind={record.state === 'rejected' ? 'bad' : 'warn'} title={t(`record.why.${record.state}`)}>
              {record.findings.filter(({ severity }) => severity === 'block').map((finding) => <p key={finding.code + finding.field}>{say(finding)}</p>)}
              {weakest && <p>{t('record.weakest', { criterion: t(`review.criterion.${weakest}.name`) })}</p>}
              {weakest && <p className="mt-1 text-soft">{t('record.guideline', { text: record.guideline.summary })}</p>}
              {record.rationale && <p className="written mt-1">{record.rationale}</p>}
              {record.lapsed && <p className="mt-1">{t('record.lapsed')}</p>}
              {record.answer_by && <p className="mt-1 font-medium">{t('record.answerBy', { date: format.dateTime(record.answer_by) })}</p>}
            </Notice>
          )}
          <Card>
            <CardTitle aside={t('record.version', { number: current.version, date: format.dateTime(current.at) })}>{t('record.text')}</CardTitle>
            <div className="grid gap-4">
              {(['instruction', 'response'] as const).map((field) => (
                <section key={field} aria-label={t(`write.field.${field}`)}>
                  <h3 className="text-sm text-soft">{t(`write.field.${field}`)}</h3>
                  {compare && previous ? (
                    <Suspense fallback={null}>
                      <Diff before={previous[field]} after={current[field]} lang={record.language} />
                    </Suspense>
                  ) : (
                    <Marked text={current[field]} lang={record.language} spans={record.findings.filter((finding) => finding.field === field).flatMap(({ spans }) => spans)} />
                  )}
                </section>
              ))}
            </div>
            {previous && (
              <Button kind="quiet" size="small" className="mt-4" aria-pressed={compare} onClick={() => setCompare(!compare)}>
                {t('record.compare', { number: previous.version })}
              </Button>
            )}
          </Card>
          {record.passage && <PassageCard passage={record.passage} />}
          {record.reviews.length > 0 && (
            <Card>
              <CardTitle>{t('record.reviews')}</CardTitle>
              <div className="grid gap-3">
                {record.reviews.map((review, i) => (
                  <ReviewCard key={`${review.at}/${i}`} review={review} number={i + 1} lang={record.language} />
                ))}
              </div>
            </Card>
          )}
        </div>
        <div className="grid gap-5">
          {record.points && (
            <Card>
              <h2 className="text-sm font-medium text-soft">{record.points.settled ? t('points.settled') : t('points.provisional')}</h2>
              <p className="text-[2.25rem] leading-tight font-semibold tabular">{format.points(record.points.delta_mp)}</p>
              <Button kind="quiet" size="small" className="-ml-3" aria-expanded={explained} onClick={() => setExplained(!explained)}>
                {t('record.explain')}
              </Button>
              {explained && <div className="rise mt-3"><PointsExplained points={record.points} /></div>}
            </Card>
          )}
          <Card>
            <CardTitle>{t('record.next')}</CardTitle>
            <div className="grid gap-2">
              {record.may.revise && <Button kind="primary" icon="pen" busy={revise.isPending} onClick={() => revise.mutate()}>{t('record.revise')}</Button>}
              {record.may.appeal && <Button icon="scales" onClick={() => setAsking('appeal')}>{t('record.appeal')}</Button>}
              {record.may.withdraw && <Button kind="danger" icon="trash" onClick={() => setAsking('withdraw')}>{t('record.withdraw')}</Button>}
              {!record.may.revise && !record.may.appeal && !record.may.withdraw && <p className="text-soft">{t('record.nothing')}</p>}
              <ReportButton kind="record" id={record.id} />
            </div>
          </Card>
        </div>
      </div>
      <Dialog open={asking === 'appeal'} onClose={() => setAsking(undefined)} title={t('record.appeal')} actions={<><Button onClick={() => setAsking(undefined)}>{t('common.cancel')}</Button><Button kind="primary" busy={appeal.isPending} disabled={reason.trim().length < 10} onClick={() => appeal.mutate()}>{t('record.appealSend')}</Button></>}>
        <p className="mb-4 text-soft">{t('record.appealText')}</p>
        <TextArea label={t('record.appealReason')} value={reason} maxLength={2000} onChange={({ target }) => setReason(target.value)} />
      </Dialog>
      <Dialog open={asking === 'withdraw'} onClose={() => setAsking(undefined)} title={t('record.withdraw')} actions={<><Button onClick={() => setAsking(undefined)}>{t('common.cancel')}</Button><Button kind="danger" busy={withdraw.isPending} onClick={() => withdraw.mutate()}>{t('record.withdraw')}</Button></>}>
        <p>{t('record.withdrawText')}</p>
      </Dialog>
    </>
  );
}

/** The criterion that reviewers scored lowest on average, if any is below 4. */
function weakestCriterion(record: Pick<RecordView, 'reviews'>): (typeof CRITERIA)[number] | undefined {
  const means = CRITERIA.flatMap((criterion) => {
    const scores = record.reviews.flatMap(({ scores: given }) => (given[criterion] === undefined ? [] : [given[criterion]]));
    return scores.length === 0 ? [] : [{ criterion, mean: scores.reduce((sum, score) => sum + score, 0) / scores.length }];
  });
  const lowest = means.sort((a, b) => a.mean - b.mean)[0];
  return lowest && lowest.mean < 4 ? lowest.criterion : undefined;
}
