/** What people reported: each with the record that is meant, to be acted on or dismissed. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from '../i18n/react.ts';
import { answerReport, reportsQuery } from '../api/manage.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { Button, ButtonLink } from '../ui/button.tsx';
import { Card, Empty, PageHead } from '../ui/layout.tsx';
import { useToast } from '../ui/toast.tsx';

export default function Reports() {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const reports = useQuery(reportsQuery());
  const answer = useMutation({ mutationFn: ({ id, state }: { id: string; state: 'actioned' | 'dismissed' }) => answerReport(id, state), onSuccess: () => client.invalidateQueries({ queryKey: ['manage'] }), onError: (error) => toast({ text: errorText(error), kind: 'bad' }) });
  const open = (reports.data?.reports ?? []).filter(({ state }) => state === 'open');
  return (
    <>
      <PageHead title={t('admin:page.reports')} lead={t('admin:reports.lead')} />
      {!reports.data ? (
        <QueryState error={reports.error} retry={reports.refetch} />
      ) : open.length === 0 ? (
        <Empty icon="flag" title={t('admin:reports.none')}>{t('admin:reports.noneText')}</Empty>
      ) : (
        <ul className="grid gap-3">
          {open.map((report) => (
            <li key={report.id}>
              <Card className="grid gap-3">
                <p className="written font-medium">{report.reason}</p>
                <p className="written rounded-control bg-sunk px-3 py-2 text-[0.9375rem]">{report.excerpt}</p>
                <div className="flex flex-wrap items-center gap-2">
                  <span className="mr-auto text-sm text-soft">{format.relative(report.at)}</span>
                  <ButtonLink size="small" kind="quiet" to="/decide/$recordId" params={{ recordId: report.record_id }}>{t('admin:reports.open')}</ButtonLink>
                  <Button size="small" busy={answer.isPending} onClick={() => answer.mutate({ id: report.id, state: 'dismissed' })}>{t('admin:reports.dismiss')}</Button>
                  <Button size="small" busy={answer.isPending} onClick={() => answer.mutate({ id: report.id, state: 'actioned' })}>{t('admin:reports.act')}</Button>
                </div>
              </Card>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
