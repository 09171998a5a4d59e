/** What waits for a moderator: reviewers who disagree, what was set aside, appeals. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from '../i18n/react.ts';
import { decisionsQuery } from '../api/review.ts';
import { QueryState } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { CategoryIcon } from '../ui/category.tsx';
import { Badge, Empty, PageHead } from '../ui/layout.tsx';

export default function Decide() {
  const { t } = useTranslation();
  const format = useFormat();
  const decisions = useQuery(decisionsQuery());
  return (
    <>
      <PageHead title={t('decide.title')} lead={t('decide.lead')} />
      {!decisions.data ? (
        <QueryState error={decisions.error} retry={decisions.refetch} />
      ) : decisions.data.records.length === 0 ? (
        <Empty icon="scales" title={t('decide.none')}>{t('decide.noneText')}</Empty>
      ) : (
        <ul className="grid gap-2">
          {decisions.data.records.map((row) => (
            <li key={row.record_id}>
              <Link to="/decide/$recordId" params={{ recordId: row.record_id }} className="flex flex-wrap items-center gap-x-4 gap-y-2 rounded-card border border-line bg-card px-4 py-3.5 shadow-card hover:border-accent">
                <CategoryIcon category={row.category} />
                <span className="min-w-48 flex-1">
                  <span className="line-clamp-1 font-medium">{row.excerpt}</span>
                  <span className="block text-sm text-soft">{t('home.draftLine', { category: t(`category.${row.category}.name`), when: format.relative(row.at) })}</span>
                </span>
                <Badge tone={row.reason === 'disagreement' ? 'info' : 'warn'}>{t(`decide.reason.${row.reason}`)}</Badge>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
