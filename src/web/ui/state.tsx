/** The state of a record in a word. */
import { useTranslation } from '../i18n/react.ts';
import type { SubmissionState } from '../../collect/rules/submission.ts';
import { Badge, type Tone } from './layout.tsx';

const TONES: Readonly<Record<SubmissionState, Tone>> = {
  submitted: 'plain',
  checking: 'plain',
  needs_fix: 'warn',
  quarantined: 'warn',
  in_review: 'info',
  changes_requested: 'warn',
  accepted: 'good',
  rejected: 'bad',
  appealed: 'info',
  withdrawn: 'plain',
  retracted: 'bad',
};

export function StateBadge({ state }: { readonly state: SubmissionState }) {
  const { t } = useTranslation();
  return <Badge tone={TONES[state]}>{t(`record.state.${state}`)}</Badge>;
}
