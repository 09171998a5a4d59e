/** My records: each with its state and points, newest first. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { recordsQuery } from '../api/collect.ts';
import type { RecordRow } from '../api/types.ts';
import { QueryState } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { ButtonLink } from '../ui/button.tsx';
import { CategoryIcon } from '../ui/category.tsx';
import { cx } from '../ui/class-names.ts';
import { Empty, PageHead } from '../ui/layout.tsx';
import { StateBadge } from '../ui/state.tsx';

const GROUPS = {
  all: () => true,
  mine: ({ state }: RecordRow) => state === 'needs_fix' || state === 'changes_requested',
  waiting: ({ state }: RecordRow) => ['submitted', 'checking', 'quarantined', 'in_review', 'appealed'].includes(state),
  accepted: ({ state }: RecordRow) => state === 'accepted',
  out: ({ state }: RecordRow) => state === 'rejected' || state === 'withdrawn' || state === 'retracted',
} as const;
type Group = keyof typeof GROUPS;

export default function Records() {
  const { t } = useTranslation();
  const format = useFormat();
  const records = useQuery(recordsQuery());
  const [group, setGroup] = useState<Group>('all');
  const all = records.data?.records ?? [];
  const shown = all.filter(GROUPS[group]);
  return (
    <>
      <PageHead title={t('records.title')} lead={t('records.lead')} />
      {!records.data ? (
        <QueryState error={records.error} retry={records.refetch} />
      ) : all.length === 0 ? (
        <Empty icon="stack" title={t('records.none')} actions={<ButtonLink kind="primary" to="/write">{t('records.first')}</ButtonLink>}>
          {t('records.noneText')}
        </Empty>
      ) : (
        <>
          <div role="group" aria-label={t('records.filter')} className="mb-4 flex flex-wrap gap-1.5">
            {(Object.keys(GROUPS) as Group[]).map((name) => {
              const count = all.filter(GROUPS[name]).length;
              return (
                <button key={name} type="button" aria-pressed={group === name} onClick={() => setGroup(name)} className={cx('min-h-9 rounded-full border px-3.5 text-sm font-medium transition-colors', group === name ? 'border-accent bg-tint text-accent' : 'border-line bg-card text-soft hover:border-edge hover:text-ink')}>
                  {t(`records.group.${name}`)} <span className="tabular">{format.number(count)}</span>
                </button>
              );
            })}
          </div>
          <ul className="grid gap-2">
            {shown.map((record) => (
              <li key={record.id}>
                <Link to="/records/$recordId" params={{ recordId: record.id }} className="grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-4 gap-y-2 rounded-card border border-line bg-card px-4 py-3.5 shadow-card transition-colors hover:border-accent sm:grid-cols-[auto_minmax(0,1fr)_auto_6rem]">
                  <CategoryIcon category={record.category} />
                  <span className="min-w-0">
                    <span lang={record.language} dir="auto" className="block truncate font-medium">{record.excerpt}</span>
                    <span className="block text-sm text-soft">{t('home.draftLine', { category: t(`category.${record.category}.name`), when: format.relative(record.at) })}</span>
                  </span>
                  <span className="col-start-2 sm:col-start-auto">
                    <StateBadge state={record.state} />
                  </span>
                  <span className="col-start-2 text-sm sm:col-start-auto sm:text-right">
                    {record.points_mp > 0 && (
                      <>
                        <span className="font-semibold tabular">{format.points(record.points_mp)}</span>{' '}
                        <span className="text-soft">{record.settled ? t('records.points', { count: record.points_mp / 1000 }) : t('records.expected')}</span>
                      </>
                    )}
                  </span>
                </Link>
              </li>
            ))}
          </ul>
          {shown.length === 0 && <p className="py-10 text-center text-soft">{t('records.noneHere')}</p>}
        </>
      )}
    </>
  );
}
