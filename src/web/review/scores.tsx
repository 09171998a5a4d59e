/** Reviews as their author sees them: verdict, scores, flags and what was said. Never by whom. */
import { useTranslation } from '../i18n/react.ts';
import { CRITERIA } from '../../collect/rules/review-outcome.ts';
import type { ReviewView } from '../api/types.ts';
import { useFormat } from '../app/format.ts';
import { Badge, type Tone } from '../ui/layout.tsx';

const TONES: Readonly<Record<ReviewView['verdict'], Tone>> = { accept: 'good', fix: 'warn', reject: 'bad' };

export function ReviewCard({ review, number, lang }: { readonly review: ReviewView; readonly number: number; readonly lang: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <article aria-label={t('record.reviewNumber', { number })} className="rounded-control border border-line p-4">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h3 className="font-medium">{t('record.reviewNumber', { number })}</h3>
        <span className="flex flex-wrap items-center gap-2">
          <Badge tone={TONES[review.verdict]}>{t(`review.verdict.${review.verdict}`)}</Badge>
          <span className="text-sm text-soft">{format.date(review.at)}</span>
        </span>
      </div>
      <dl className="mt-3 grid gap-x-6 gap-y-1 sm:grid-cols-2">
        {CRITERIA.filter((criterion) => review.scores[criterion] !== undefined).map((criterion) => (
          <div key={criterion} className="flex justify-between gap-3">
            <dt className="text-soft">{t(`review.criterion.${criterion}.name`)}</dt>
            <dd className="font-medium tabular">{t('review.of5', { score: review.scores[criterion] ?? 0 })}</dd>
          </div>
        ))}
      </dl>
      {review.flags.length > 0 && <p className="mt-3 flex flex-wrap gap-1.5">{review.flags.map((flag) => <Badge key={flag} tone="warn">{t(`review.flag.${flag}`)}</Badge>)}</p>}
      {review.comment && <p lang={lang} dir="auto" className="written mt-3 rounded-control bg-sunk px-3 py-2">{review.comment}</p>}
    </article>
  );
}
