/** How far reviewers agree, by criterion and category: where they do not, it is the guideline that wants mending. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from '../i18n/react.ts';
import { qualityQuery } from '../api/manage.ts';
import type { QualityView } from '../api/types.ts';
import { QueryState } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { ButtonLink } from '../ui/button.tsx';
import { Card, CardTitle, Facts, Notice, PageHead } from '../ui/layout.tsx';
import { Table } from '../ui/table.tsx';

/** Below this, agreement is no better than what a clearer sentence would mend (Krippendorff 2004: 0.667 for tentative conclusions). */
const LOW_ALPHA = 0.667;
/** Fewer pairs say nothing. */
const ENOUGH = 20;

export default function Quality() {
  const { t } = useTranslation();
  const quality = useQuery(qualityQuery());
  return (
    <>
      <PageHead title={t('admin:page.quality')} lead={t('admin:quality.lead')} />
      {quality.data ? <Shown quality={quality.data} /> : <QueryState error={quality.error} retry={quality.refetch} />}
    </>
  );
}

function Shown({ quality }: { readonly quality: QualityView }) {
  const { t } = useTranslation();
  const format = useFormat();
  const figure = (value: number | null) => (value === null ? '–' : format.number(value, 2));
  const share = (value: number | null) => (value === null ? '–' : format.percent(value));
  const low = quality.categories.filter(({ alpha, ac1, n }) => n >= ENOUGH && alpha !== null && alpha < LOW_ALPHA && (ac1 === null || ac1 < LOW_ALPHA));
  const measures = [
    { key: 'alpha', head: t('admin:quality.alpha'), align: 'right' as const, cell: ({ alpha }: { alpha: number | null }) => figure(alpha) },
    { key: 'ac1', head: t('admin:quality.ac1'), align: 'right' as const, cell: ({ ac1 }: { ac1: number | null }) => figure(ac1) },
    { key: 'raw', head: t('admin:quality.raw'), align: 'right' as const, cell: ({ raw }: { raw: number | null }) => share(raw) },
    { key: 'n', head: t('admin:quality.n'), align: 'right' as const, cell: ({ n }: { n: number }) => format.number(n) },
  ];
  return (
    <div className="grid gap-5">
      {low.length > 0 && <Notice kind="warn" title={t('admin:quality.low')} actions={<ButtonLink size="small" to="/manage/guidelines">{t('admin:page.guidelines')}</ButtonLink>}>{t('admin:quality.lowText', { categories: format.list(low.map(({ category }) => t(`category.${category}.name`))) })}</Notice>}
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <Card>
          <CardTitle>{t('admin:quality.byCriterion')}</CardTitle>
          <Table caption={t('admin:quality.byCriterion')} hideCaption columns={[{ key: 'name', head: t('admin:quality.criterion'), names: true, cell: ({ criterion }) => t(`review.criterion.${criterion}.name`) }, ...measures]} rows={quality.criteria} rowKey={({ criterion }) => criterion} empty={t('admin:quality.none')} />
        </Card>
        <Card>
          <CardTitle>{t('admin:quality.byCategory')}</CardTitle>
          <Table caption={t('admin:quality.byCategory')} hideCaption columns={[{ key: 'name', head: t('admin:overview.category'), names: true, cell: ({ category }) => t(`category.${category}.name`) }, ...measures, { key: 'rate', head: t('admin:quality.acceptRate'), align: 'right', cell: ({ accept_rate }) => share(accept_rate) }]} rows={quality.categories} rowKey={({ category }) => category} empty={t('admin:quality.none')} />
        </Card>
      </div>
      <Card>
        <CardTitle>{t('admin:quality.gold')}</CardTitle>
        <Facts columns items={[[t('admin:quality.goldItems'), format.number(quality.gold.items)], [t('admin:quality.goldRight'), quality.gold.answered === 0 ? '–' : t('admin:quality.goldShare', { right: format.number(quality.gold.right), answered: format.number(quality.gold.answered) })], [t('admin:quality.median'), quality.median_hours === null ? '–' : t('admin:quality.hours', { count: Math.round(quality.median_hours * 10) / 10 })]]} />
        <p className="mt-4 max-w-prose text-sm text-soft">{t('admin:quality.explain')}</p>
      </Card>
      <Card>
        <CardTitle>{t('admin:quality.pairs')}</CardTitle>
        <p className="mb-4 max-w-prose text-soft">{t('admin:quality.pairsText')}</p>
        <Table caption={t('admin:quality.pairs')} hideCaption columns={[{ key: 'names', head: t('admin:quality.pair'), names: true, cell: ({ names }) => format.list(names) }, { key: 'reviews', head: t('admin:quality.pairReviews'), align: 'right', cell: ({ reviews }) => format.number(reviews) }, { key: 'lean', head: t('admin:quality.lean'), align: 'right', cell: ({ lean }) => format.number(lean / 1000, 1) }]} rows={quality.pairs} rowKey={({ names }) => names.join('/')} empty={t('admin:quality.noPairs')} />
      </Card>
      <Card>
        <CardTitle>{t('admin:quality.pilot')}</CardTitle>
        <p className="mb-4 max-w-prose text-soft">{t('admin:quality.pilotText')}</p>
        <Table
          caption={t('admin:quality.pilot')}
          hideCaption
          columns={[
            { key: 'name', head: t('admin:overview.category'), names: true, cell: ({ category }) => t(`category.${category}.name`) },
            { key: 'n', head: t('record.state.accepted'), align: 'right', cell: ({ records }) => format.number(records) },
            { key: 'base', head: t('admin:quality.baseNow'), align: 'right', cell: ({ base_mp }) => format.points(base_mp) },
            { key: 'baseFound', head: t('admin:quality.baseFound'), align: 'right', cell: ({ found }) => (found ? format.points(found.base_mp) : '–') },
            { key: 'size', head: t('admin:quality.sizeNow'), align: 'right', cell: ({ full_words }) => format.number(full_words) },
            { key: 'sizeFound', head: t('admin:quality.sizeFound'), align: 'right', cell: ({ found }) => (found ? format.number(found.full_words) : '–') },
          ]}
          rows={quality.pilot}
          rowKey={({ category }) => category}
          empty={t('admin:quality.none')}
        />
      </Card>
    </div>
  );
}
