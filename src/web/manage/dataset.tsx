/** Sealing what was accepted, and the versions sealed before. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { datasetsQuery, sealDataset } from '../api/manage.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { useSession } from '../app/session.tsx';
import { Button, DownloadLink } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Badge, Card, CardTitle, Empty, Facts, Notice, PageHead } from '../ui/layout.tsx';

export default function Dataset() {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const errorText = useErrorText();
  const datasets = useQuery(datasetsQuery());
  const { campaign } = useSession();
  const running = campaign !== null && campaign.state !== 'frozen' && campaign.state !== 'archived';
  const [asking, setAsking] = useState(false);
  const seal = useMutation({ mutationFn: sealDataset, onSuccess: () => client.invalidateQueries({ queryKey: ['manage', 'datasets'] }), onSettled: () => setAsking(false) });
  return (
    <>
      <PageHead title={t('admin:page.dataset')} lead={t('admin:dataset.lead')} actions={datasets.data && <Button kind="primary" icon="seal" disabled={datasets.data.acceptable === 0} onClick={() => setAsking(true)}>{t('admin:dataset.seal', { count: datasets.data.acceptable })}</Button>} />
      {seal.error && <div className="mb-4"><Notice kind="bad" live>{errorText(seal.error)}</Notice></div>}
      {!datasets.data ? (
        <QueryState error={datasets.error} retry={datasets.refetch} />
      ) : datasets.data.datasets.length === 0 ? (
        <Empty icon="seal" title={t('admin:dataset.none')}>{t('admin:dataset.noneText')}</Empty>
      ) : (
        <ul className="grid gap-3">
          {datasets.data.datasets.map((row) => (
            <li key={row.version}>
              <Card>
                <CardTitle aside={format.dateTime(row.at)}>{t('admin:dataset.version', { version: row.version })} {row.state === 'revoked' && <Badge tone="bad">{t('admin:dataset.revoked')}</Badge>} {row.interim && <Badge tone="info">{t('admin:dataset.interim')}</Badge>}</CardTitle>
                <Facts columns items={[[t('admin:dataset.records'), format.number(row.records)], [t('admin:dataset.split'), t('admin:dataset.splitLine', { train: format.number(row.train), heldOut: format.number(row.held_out) })], [t('admin:wizard.licence'), row.licence]]} />
                <p className="mt-3 text-sm text-soft">{t('admin:dataset.root')} <code className="font-mono break-all">{row.root}</code></p>
                <ul className="mt-4 flex flex-wrap gap-2">
                  {row.files.map((file) => (
                    <li key={file.href}>
                      <DownloadLink href={file.href} size="small" icon="download">{file.name}</DownloadLink>
                    </li>
                  ))}
                </ul>
              </Card>
            </li>
          ))}
        </ul>
      )}
      <Dialog open={asking} onClose={() => setAsking(false)} title={t('admin:dataset.askTitle')} actions={<><Button onClick={() => setAsking(false)}>{t('common.cancel')}</Button><Button kind="primary" busy={seal.isPending} onClick={() => seal.mutate()}>{t('admin:dataset.do')}</Button></>}>
        <p>{t('admin:dataset.ask')}</p>
        {running && <p className="mt-3">{t('admin:dataset.askInterim')}</p>}
      </Dialog>
    </>
  );
}
