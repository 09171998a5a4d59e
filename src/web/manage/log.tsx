/** The audit log, newest first, and a check of its chain and the ledger's. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { logQuery, verifyLogs } from '../api/manage.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { Button } from '../ui/button.tsx';
import { Card, Notice, PageHead } from '../ui/layout.tsx';
import { Table } from '../ui/table.tsx';

export default function Log() {
  const { t } = useTranslation();
  const format = useFormat();
  const errorText = useErrorText();
  const [pages, setPages] = useState<readonly (number | undefined)[]>([undefined]);
  const log = useQuery(logQuery(pages.at(-1)));
  const verify = useMutation({ mutationFn: verifyLogs });
  const rows = log.data?.events ?? [];
  return (
    <>
      <PageHead title={t('admin:page.log')} lead={t('admin:log.lead')} actions={<Button kind="primary" icon="seal" busy={verify.isPending} onClick={() => verify.mutate()}>{t('admin:log.verify')}</Button>} />
      <div className="grid gap-4">
        {verify.error && <Notice kind="bad" live>{errorText(verify.error)}</Notice>}
        {verify.data &&
          (['events', 'ledger'] as const).map((name) => (
            <Notice key={name} live kind={verify.data[name].ok ? 'good' : 'bad'} title={t(`admin:log.${name}`)}>
              {verify.data[name].ok ? t('admin:log.ok') : t('admin:log.broken', { seq: verify.data[name].at ?? 0 })}
            </Notice>
          ))}
        <Card>
          {!log.data ? (
            <QueryState error={log.error} retry={log.refetch} />
          ) : (
            <>
              <Table
                caption={t('admin:log.caption')}
                hideCaption
                columns={[
                  { key: 'seq', head: t('admin:log.seq'), align: 'right', cell: ({ seq }) => format.number(seq) },
                  { key: 'at', head: t('admin:log.at'), cell: ({ at }) => <span className="whitespace-nowrap">{format.dateTime(at)}</span> },
                  { key: 'actor', head: t('admin:log.actor'), cell: ({ actor }) => actor ?? t('admin:log.program') },
                  { key: 'type', head: t('admin:log.type'), names: true, cell: ({ type }) => <code className="font-mono text-[0.875rem]">{type}</code> },
                  { key: 'subject', head: t('admin:log.subject'), wideOnly: true, cell: ({ subject }) => <code className="font-mono text-[0.8125rem] break-all text-soft">{subject}</code> },
                ]}
                rows={rows}
                rowKey={({ seq }) => String(seq)}
                empty={t('admin:log.none')}
              />
              <div className="mt-4 flex justify-between gap-2">
                <Button size="small" disabled={pages.length === 1} onClick={() => setPages(pages.slice(0, -1))}>{t('admin:log.newer')}</Button>
                <Button size="small" disabled={!log.data.more} onClick={() => setPages([...pages, rows.at(-1)?.seq])}>{t('admin:log.older')}</Button>
              </div>
            </>
          )}
        </Card>
      </div>
    </>
  );
}
