/** What people reported: open ones first, each with the way to what is meant; below them what was settled. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from '../i18n/react.ts';
import { reportsQuery } from '../api/manage.ts';
import type { ReportRow } from '../api/types.ts';
import { QueryState } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { Badge, Empty, PageHead } from '../ui/layout.tsx';

export default function Reports() {
  const { t } = useTranslation();
  const reports = useQuery(reportsQuery());
  const open = (reports.data?.reports ?? []).filter(({ state }) => state === 'open');
  const settled = (reports.data?.reports ?? []).filter(({ state }) => state !== 'open');
  return (
    <>
      <PageHead title={t('admin:page.reports')} lead={t('admin:reports.lead')} />
      {!reports.data ? <QueryState error={reports.error} retry={reports.refetch} /> : open.length === 0 ? <Empty icon="flag" title={t('admin:reports.none')}>{t('admin:reports.noneText')}</Empty> : <List rows={open} />}
      {settled.length > 0 && (
        <section aria-labelledby="settled" className="mt-8">
          <h2 id="settled" className="mb-3 text-lg font-semibold">{t('admin:reports.settled')}</h2>
          <List rows={settled} />
        </section>
      )}
    </>
  );
}

function List({ rows }: { readonly rows: readonly ReportRow[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <ul className="grid gap-2">
      {rows.map((row) => (
        <li key={row.id}>
          <Link to="/manage/reports/$reportId" params={{ reportId: row.id }} className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-card border border-line bg-card px-4 py-3.5 shadow-card hover:border-accent">
            <span className="min-w-48 flex-1">
              <span className="line-clamp-2 font-medium">{row.reason}</span>
              <span className="mt-0.5 line-clamp-1 text-sm text-soft">{row.excerpt}</span>
            </span>
            <span className="text-sm whitespace-nowrap text-soft">{format.relative(row.at)}</span>
            <Badge tone={row.state === 'open' ? 'warn' : 'plain'}>{row.state === 'open' ? t(`admin:reports.kind.${row.kind}`) : t(`admin:reports.state.${row.state}`)}</Badge>
          </Link>
        </li>
      ))}
    </ul>
  );
}
