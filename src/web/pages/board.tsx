/** The board: one's own place and its neighbours first, then the first places, then teams. Settled points alone, once a day. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { boardQuery } from '../api/collect.ts';
import type { BoardRow, BoardView } from '../api/types.ts';
import { QueryState } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { usePerson, useSession } from '../app/session.tsx';
import { cx } from '../ui/class-names.ts';
import { Card, CardTitle, Empty, Notice, PageHead } from '../ui/layout.tsx';
import { Table, type Column } from '../ui/table.tsx';

export default function Board() {
  const { t } = useTranslation();
  const { campaign } = useSession();
  const { visibility } = usePerson();
  const [period, setPeriod] = useState<'day' | 'all'>('all');
  const board = useQuery({ ...boardQuery(period), enabled: campaign !== null });
  return (
    <>
      <PageHead
        title={t('board.title')}
        lead={t('board.lead')}
        actions={
          <div role="group" aria-label={t('board.period')} className="grid grid-cols-2 gap-1 rounded-control bg-sunk p-1">
            {(['day', 'all'] as const).map((name) => (
              <button key={name} type="button" aria-pressed={period === name} onClick={() => setPeriod(name)} className={cx('min-h-9 rounded-lg px-4 text-sm font-medium', period === name ? 'bg-card shadow-card' : 'text-soft hover:text-ink')}>
                {t(`board.${name}`)}
              </button>
            ))}
          </div>
        }
      />
      {visibility === 'hidden' && <div className="mb-5"><Notice kind="info" title={t('board.hidden')}>{t('board.hiddenText')} <Link to="/me" className="underline">{t('rooms.me')}</Link></Notice></div>}
      {!campaign ? <Empty icon="board" title={t('board.none')}>{t('home.noCampaignText')}</Empty> : board.data ? <Boards board={board.data} zone={campaign.time_zone} /> : <QueryState error={board.error} retry={board.refetch} />}
    </>
  );
}

function Boards({ board, zone }: { readonly board: BoardView; readonly zone: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const columns: readonly Column<BoardRow>[] = [
    { key: 'rank', head: t('board.rank'), align: 'right', cell: ({ rank }) => format.number(rank) },
    { key: 'name', head: t('board.name'), names: true, cell: ({ name, me }) => (me ? t('board.you', { name }) : name) },
    { key: 'team', head: t('board.team'), wideOnly: true, cell: ({ team }) => team ?? '–' },
    { key: 'accepted', head: t('board.accepted'), align: 'right', cell: ({ accepted }) => format.number(accepted) },
    { key: 'points', head: t('board.points'), align: 'right', cell: ({ points_mp }) => format.points(points_mp) },
  ];
  if (board.cutoff === null) return <Empty icon="board" title={t('board.none')}>{t('board.firstAt', { time: format.dateTime(board.next, zone) })}</Empty>;
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1.6fr)_minmax(17rem,1fr)]">
      <div className="grid gap-5">
        {board.blackout && <Notice kind="info" title={t('board.blackout')}>{t('board.blackoutText')}</Notice>}
        {board.around.length > 0 && (
          <Card>
            <CardTitle aside={board.provisional_mp > 0 && t('home.provisional', { points: format.points(board.provisional_mp) })}>{t('board.around')}</CardTitle>
            <Table caption={t('board.aroundCaption')} hideCaption columns={columns} rows={board.around} rowKey={({ rank, name }) => `${rank}/${name}`} mark={({ me }) => me} />
          </Card>
        )}
        <Card>
          <CardTitle aside={t('board.cutoff', { time: format.dateTime(board.cutoff, zone) })}>{t('board.top')}</CardTitle>
          <Table caption={t('board.topCaption')} hideCaption columns={columns} rows={board.top} rowKey={({ rank, name }) => `${rank}/${name}`} mark={({ me }) => me} empty={t('board.empty')} />
        </Card>
      </div>
      <Card>
        <CardTitle>{t('board.teams')}</CardTitle>
        <Table
          caption={t('board.teamsCaption')}
          columns={[
            { key: 'rank', head: t('board.rank'), align: 'right', cell: ({ rank }) => format.number(rank) },
            { key: 'name', head: t('board.team'), names: true, cell: ({ name }) => name },
            { key: 'points', head: t('board.points'), align: 'right', cell: ({ points_mp }) => format.points(points_mp) },
          ]}
          rows={board.teams}
          rowKey={({ name }) => name}
          mark={({ mine }) => mine}
          empty={t('board.noTeams')}
        />
      </Card>
    </div>
  );
}
