/** Progress to the goal by category, day by day, and what waits for an organiser. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { liveLink, progressQuery } from '../api/manage.ts';
import type { ProgressView } from '../api/types.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { useSession } from '../app/session.tsx';
import { Button, ButtonLink, DownloadLink } from '../ui/button.tsx';
import { CategoryIcon } from '../ui/category.tsx';
import { CopyLink } from '../ui/copy-link.tsx';
import { Card, CardTitle, Empty, Notice, PageHead } from '../ui/layout.tsx';
import { Meter } from '../ui/meter.tsx';
import { Table } from '../ui/table.tsx';

export default function Overview() {
  const { t } = useTranslation();
  const { campaign } = useSession();
  const progress = useQuery({ ...progressQuery(), enabled: campaign !== null });
  if (!campaign) {
    return (
      <>
        <PageHead title={t('admin:overview.title')} />
        <Empty icon="flag" title={t('home.noCampaign')} actions={<ButtonLink kind="primary" to="/manage/new">{t('home.begin')}</ButtonLink>}>{t('home.noCampaignOrganiser')}</Empty>
      </>
    );
  }
  return (
    <>
      <PageHead title={t('admin:overview.title')} lead={t(`campaign.meaning.${campaign.state}`)} actions={<><DownloadLink href="/api/manage/reports/progress/csv">{t('admin:overview.csv')}</DownloadLink><DownloadLink href="/api/manage/reports/progress/json">{t('admin:overview.json')}</DownloadLink></>} />
      {progress.data ? <Shown progress={progress.data} /> : <QueryState error={progress.error} retry={progress.refetch} />}
    </>
  );
}

function Shown({ progress }: { readonly progress: ProgressView }) {
  const { t } = useTranslation();
  const format = useFormat();
  const waiting = [
    ['reviews', '/review', progress.waiting.reviews],
    ['decisions', '/decide', progress.waiting.decisions],
    ['passages', '/manage/passages', progress.waiting.passages],
    ['reports', '/manage/reports', progress.waiting.reports],
  ] as const;
  return (
    <div className="grid gap-5">
      <ul className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        {waiting.map(([name, to, count]) => (
          <li key={name}>
            <Link to={to} className="block rounded-card border border-line bg-card p-4 shadow-card hover:border-accent">
              <span className="block text-2xl font-semibold tabular">{format.number(count)}</span>
              <span className="block text-sm text-soft">{t(`admin:overview.waiting.${name}`)}</span>
            </Link>
          </li>
        ))}
      </ul>
      <Card>
        <CardTitle aside={t('admin:overview.people', { people: format.number(progress.people), active: format.number(progress.active_today) })}>{t('admin:overview.categories')}</CardTitle>
        <Table
          caption={t('admin:overview.categoriesCaption')}
          hideCaption
          columns={[
            { key: 'name', head: t('admin:overview.category'), names: true, cell: ({ category }) => <span className="flex items-center gap-3"><CategoryIcon category={category} />{t(`category.${category}.name`)}</span> },
            { key: 'bar', head: t('admin:overview.toGoal'), cell: ({ category, accepted, goal }) => <div className="w-28 sm:w-44"><Meter value={accepted} most={goal} label={t(`category.${category}.name`)} text={t('home.goalLine', { accepted: format.number(accepted), goal: format.number(goal) })} /></div> },
            { key: 'accepted', head: t('record.state.accepted'), align: 'right', cell: ({ accepted }) => format.number(accepted) },
            { key: 'goal', head: t('admin:overview.goal'), align: 'right', cell: ({ goal }) => format.number(goal) },
            { key: 'review', head: t('record.state.in_review'), align: 'right', wideOnly: true, cell: ({ in_review }) => format.number(in_review) },
            { key: 'changes', head: t('record.state.changes_requested'), align: 'right', wideOnly: true, cell: ({ changes_requested }) => format.number(changes_requested) },
            { key: 'rejected', head: t('record.state.rejected'), align: 'right', wideOnly: true, cell: ({ rejected }) => format.number(rejected) },
          ]}
          rows={progress.categories}
          rowKey={({ category }) => category}
        />
      </Card>
      <div className="grid gap-5 lg:grid-cols-[1.5fr_1fr]">
        <Days days={progress.days} />
        <LiveScreen />
      </div>
    </div>
  );
}

/** Records by day as bars, with the same numbers in a table for those who cannot see them. */
function Days({ days }: { readonly days: ProgressView['days'] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const shown = days.slice(-14);
  const most = Math.max(1, ...shown.map(({ submitted }) => submitted));
  return (
    <Card>
      <CardTitle aside={t('admin:overview.daysAside')}>{t('admin:overview.days')}</CardTitle>
      <div aria-hidden="true" className="flex h-40 items-end gap-1.5">
        {shown.map((day) => (
          <div key={day.day} className="relative flex-1 rounded-t bg-line" style={{ height: `${Math.max(1, (100 * day.submitted) / most)}%` }}>
            <div className="absolute inset-x-0 bottom-0 rounded-t bg-bar" style={{ height: `${day.submitted === 0 ? 0 : Math.min(100, (100 * day.accepted) / day.submitted)}%` }} />
          </div>
        ))}
      </div>
      <details className="mt-3">
        <summary className="text-sm text-soft">{t('admin:overview.numbers')}</summary>
        <Table caption={t('admin:overview.days')} hideCaption columns={[{ key: 'day', head: t('admin:overview.day'), names: true, cell: ({ day }) => format.date(`${day}T12:00:00Z`, 'UTC') }, { key: 'submitted', head: t('admin:overview.submitted'), align: 'right', cell: ({ submitted }) => format.number(submitted) }, { key: 'accepted', head: t('record.state.accepted'), align: 'right', cell: ({ accepted }) => format.number(accepted) }]} rows={shown} rowKey={({ day }) => day} />
      </details>
    </Card>
  );
}

function LiveScreen() {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const [link, setLink] = useState<string>();
  const make = useMutation({ mutationFn: liveLink, onSuccess: ({ link: made }) => setLink(made) });
  return (
    <Card>
      <CardTitle>{t('admin:overview.screen')}</CardTitle>
      <p className="text-soft">{t('admin:overview.screenText')}</p>
      {make.error && <div className="mt-3"><Notice kind="bad" live>{errorText(make.error)}</Notice></div>}
      <div className="mt-4">{link ? <CopyLink link={link} label={t('admin:overview.screenLink')} /> : <Button icon="screen" busy={make.isPending} onClick={() => make.mutate()}>{t('admin:overview.screenMake')}</Button>}</div>
    </Card>
  );
}
