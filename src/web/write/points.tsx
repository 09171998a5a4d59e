/** Where points come from: base and factors, each with what it is for. */
import { useTranslation } from '../i18n/react.ts';
import { FACTORS } from '../../collect/rules/points.ts';
import type { PointsView } from '../api/types.ts';
import { useFormat } from '../app/format.ts';

/** `share`: of who had asked the question, in thousandths. */
export function PointsExplained({ points, share }: { readonly points: PointsView; readonly share?: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <div>
      <dl className="grid gap-2">
        <Row name={t('points.base')} text={t('points.baseText')} value={format.points(points.base_mp)} />
        {FACTORS.map((factor) => (
          <Row key={factor} name={t(`points.factor.${factor}`)} text={t(`points.factorText.${factor}`)} value={`× ${format.number(points.factors[factor] / 1000, 3)}`} />
        ))}
        {share !== undefined && <Row name={t('points.share')} text={t('points.shareText')} value={`× ${format.number(share / 1000, 3)}`} />}
        <div className="flex items-baseline justify-between gap-4 border-t border-line pt-2 text-lg font-semibold">
          <dt>{points.settled ? t('points.settled') : t('points.provisional')}</dt>
          <dd className="tabular">{format.number(points.delta_mp / 1000, 2)}</dd>
        </div>
      </dl>
      <p className="mt-2 text-sm text-soft">{points.settled ? t('points.rules', { version: points.rules_version }) : t('points.provisionalText', { version: points.rules_version })}</p>
    </div>
  );
}

function Row({ name, text, value }: { readonly name: string; readonly text: string; readonly value: string }) {
  return (
    <div className="flex items-baseline justify-between gap-4">
      <dt>
        {name} <span className="block text-sm text-soft">{text}</span>
      </dt>
      <dd className="font-medium whitespace-nowrap tabular">{value}</dd>
    </div>
  );
}
