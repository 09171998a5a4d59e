/** My points: every entry of the ledger that is mine, newest first; each opens to what it follows from. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from '../i18n/react.ts';
import { FACTORS } from '../../collect/rules/points.ts';
import { pointsQuery } from '../api/collect.ts';
import type { OwnPoints, PointsEntry } from '../api/types.ts';
import { QueryState } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { useSession } from '../app/session.tsx';
import { BackLink, ButtonLink } from '../ui/button.tsx';
import { cx } from '../ui/class-names.ts';
import { Badge, Empty, PageHead } from '../ui/layout.tsx';

export default function Points() {
  const { t } = useTranslation();
  const { campaign } = useSession();
  const points = useQuery({ ...pointsQuery(), enabled: campaign !== null });
  return (
    <>
      <PageHead title={t('myPoints.title')} lead={t('myPoints.lead')} above={<BackLink to="/">{t('rooms.home')}</BackLink>} />
      {points.data ? <Shown points={points.data} /> : campaign ? <QueryState error={points.error} retry={points.refetch} /> : <Empty icon="board" title={t('home.noCampaign')}>{t('home.noCampaignText')}</Empty>}
    </>
  );
}

function Shown({ points }: { readonly points: OwnPoints }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (points.entries.length === 0) return <Empty icon="board" title={t('myPoints.none')} actions={<ButtonLink kind="primary" to="/write">{t('records.first')}</ButtonLink>}>{t('home.noProvisional')}</Empty>;
  return (
    <>
      <p className="text-[2.5rem] leading-tight font-semibold tabular">{format.points(points.points_mp)}</p>
      {points.reviews_counted_mp < points.reviews_mp && <p className="mt-1 max-w-prose text-sm text-soft">{t('myPoints.counted', { counted: format.points(points.reviews_counted_mp), all: format.points(points.reviews_mp) })}</p>}
      <ul className="mt-6 grid gap-2">{points.entries.map((entry) => <li key={entry.seq}><Entry entry={entry} /></li>)}</ul>
    </>
  );
}

function Entry({ entry }: { readonly entry: PointsEntry }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <details className="rounded-card border border-line bg-card shadow-card">
      <summary className="grid cursor-pointer grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 px-4 py-3">
        <span className="flex flex-wrap items-center gap-x-4 gap-y-1">
          <span className="min-w-44 flex-1 font-medium">{t(`myPoints.kind.${entry.kind}`)}</span>
          {entry.taken_back && <Badge>{t('myPoints.takenBack')}</Badge>}
          <span className="text-sm text-soft">{format.dateTime(entry.at)}</span>
        </span>
        <span className={cx('min-w-16 text-right font-semibold tabular', entry.taken_back && 'line-through', entry.delta_mp < 0 && 'text-bad')}>{format.number(entry.delta_mp / 1000, 2)}</span>
      </summary>
      <div className="border-t border-line px-4 py-3">
        <dl className="grid max-w-xl gap-2">{entry.lines.map((line) => <Line key={line.line} line={line} />)}</dl>
        <p className="mt-3 flex flex-wrap gap-x-4 text-sm text-soft">
          {t('points.rules', { version: entry.rules_version })}
          {entry.record_id && <Link to="/records/$recordId" params={{ recordId: entry.record_id }} className="text-accent underline">{t('after.see')}</Link>}
        </p>
      </div>
    </details>
  );
}

type LineView = PointsEntry['lines'][number];
const isFactor = (name: string): name is (typeof FACTORS)[number] => FACTORS.some((factor) => factor === name);

function Line({ line }: { readonly line: LineView }) {
  const format = useFormat();
  const { name, text } = useLineWords(line);
  const value = line.mp !== null ? format.number(line.mp / 1000, 2) : line.factor !== null ? `× ${format.number(line.factor / 1000, 3)}` : '–';
  return (
    <div className={cx('flex items-baseline justify-between gap-4', line.line === 'total' && 'border-t border-line pt-2 font-semibold')}>
      <dt>
        {name}
        {text && <span className="block text-sm font-normal text-soft">{text}</span>}
      </dt>
      <dd className="font-medium whitespace-nowrap tabular">{value}</dd>
    </div>
  );
}

/** What a line is called, and what it says. */
function useLineWords({ line, values }: LineView): { readonly name: string; readonly text?: string } {
  const { t } = useTranslation();
  const format = useFormat();
  if (isFactor(line)) return { name: t(`points.factor.${line}`), text: t(`points.factorText.${line}`) };
  switch (line) {
    case 'base':
      return { name: t('points.base'), text: t('points.baseText') };
    case 'asker_share':
      return { name: t('points.share'), text: t('points.shareText') };
    case 'review':
      return { name: t('myPoints.line.review'), text: t(`myPoints.because.${values['because'] as 'valid'}`) };
    case 'reversal':
      return { name: t('myPoints.line.reversal'), text: t(`myPoints.reason.${values['reason'] as 'withdrawn'}`) };
    case 'audit':
      return { name: t('myPoints.line.audit'), text: t('myPoints.auditText', { failed: Number(values['failed']), sampled: Number(values['sampled']), points: format.number(Number(values['reversed_mp']) / 1000, 2) }) };
    case 'total':
      return { name: t('myPoints.line.total') };
  }
}
