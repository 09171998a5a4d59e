/** Scores with what each number means, and the verdict. Keys: 1 to 5 scores the criterion in turn, A, F, R the verdict. */
import { useTranslation } from '../i18n/react.ts';
import type { Criterion, Scores, Verdict } from '../api/types.ts';
import { cx } from '../ui/class-names.ts';
import { Icon, type IconName } from '../ui/icon.tsx';
import { Kbd } from '../ui/layout.tsx';

export function Rubric({ criteria, scores, active, onActive, onScore }: { readonly criteria: readonly Criterion[]; readonly scores: Scores; readonly active: Criterion | undefined; readonly onActive: (criterion: Criterion) => void; readonly onScore: (criterion: Criterion, score: number) => void }) {
  const { t } = useTranslation();
  return (
    <div className="grid gap-3.5">
      {criteria.map((criterion) => {
        const score = scores[criterion];
        return (
          <fieldset key={criterion} onFocus={() => onActive(criterion)} className={cx('rounded-control border-l-4 pl-3 transition-colors', active === criterion ? 'border-accent' : 'border-transparent')}>
            <legend className="contents">
              <span className="flex flex-wrap items-baseline gap-x-2">
                <span className="font-medium">{t(`review.criterion.${criterion}.name`)}</span>
                <span className="text-sm text-soft">{t(`review.criterion.${criterion}.question`)}</span>
              </span>
            </legend>
            <div className="mt-1.5 grid grid-cols-5 gap-1.5">
              {[1, 2, 3, 4, 5].map((value) => (
                <label key={value} className="grid min-h-9 place-items-center rounded-control border border-edge bg-card font-semibold tabular transition-colors hover:bg-sunk has-checked:border-accent has-checked:bg-accent has-checked:text-on-accent has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent">
                  <input type="radio" name={criterion} value={value} checked={score === value} onChange={() => onScore(criterion, value)} className="sr-only" aria-label={`${value}: ${t(`review.anchor.s${value as 1 | 2 | 3 | 4 | 5}`)}`} />
                  {value}
                </label>
              ))}
            </div>
            <p className="mt-1 text-sm text-soft empty:hidden" aria-hidden="true">{score ? t(`review.anchor.s${score as 1 | 2 | 3 | 4 | 5}`) : ''}</p>
          </fieldset>
        );
      })}
    </div>
  );
}

const VERDICTS: readonly { readonly value: Verdict; readonly icon: IconName; readonly key: string }[] = [
  { value: 'accept', icon: 'check', key: 'A' },
  { value: 'fix', icon: 'pen', key: 'F' },
  { value: 'reject', icon: 'cross', key: 'R' },
];

export function VerdictChoice({ value, onChange }: { readonly value: Verdict | undefined; readonly onChange: (verdict: Verdict) => void }) {
  const { t } = useTranslation();
  return (
    <fieldset>
      <legend className="mb-1.5 font-semibold">{t('review.verdictTitle')}</legend>
      <div className="grid gap-2 sm:grid-cols-[auto_auto_auto]">
        {VERDICTS.map((verdict) => (
          <label key={verdict.value} className="flex min-h-11 items-center gap-1.5 rounded-control border border-edge bg-card px-2.5 text-[0.9375rem] font-medium whitespace-nowrap transition-colors hover:bg-sunk has-checked:border-accent has-checked:bg-tint has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent">
            <input type="radio" name="verdict" checked={value === verdict.value} onChange={() => onChange(verdict.value)} className="sr-only" />
            <Icon name={verdict.icon} size={18} />
            <span className="flex-1">{t(`review.verdict.${verdict.value}`)}</span>
            <Kbd>{verdict.key}</Kbd>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
