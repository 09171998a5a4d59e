/** After handing in: what happens next, what it may be worth, ten seconds to take it back, the next task one key away. */
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { undoSubmit } from '../api/collect.ts';
import type { CategoryKey, Submitted } from '../api/types.ts';
import { useErrorText } from '../app/failure.tsx';
import { useShortcuts } from '../app/shortcuts.tsx';
import { Button, ButtonLink } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { Card, CardTitle, Kbd, Notice, PageHead } from '../ui/layout.tsx';
import { useClaim } from './claim.ts';
import { PointsExplained } from './points.tsx';

export function After({ submitted, category, above }: { readonly submitted: Submitted; readonly category: CategoryKey; readonly above: ReactNode }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const errorText = useErrorText();
  const { claim, busy } = useClaim();
  const [mayUndo, setMayUndo] = useState(() => Date.parse(submitted.undo_until) > Date.now());
  useEffect(() => {
    const timer = setTimeout(() => setMayUndo(false), Math.max(0, Date.parse(submitted.undo_until) - Date.now()));
    return () => clearTimeout(timer);
  }, [submitted.undo_until]);
  const undo = useMutation({
    mutationFn: () => undoSubmit(submitted.record_id),
    onSuccess: ({ draft_id }) => void navigate({ to: '/write/$draftId', params: { draftId: draft_id }, reloadDocument: true }),
  });
  useShortcuts([
    { keys: 'N', label: t('after.keyNext'), run: () => claim(category) },
    ...(mayUndo ? [{ keys: 'U', label: t('after.keyUndo'), run: () => undo.mutate() }] : []),
  ]);
  return (
    <>
      <PageHead above={above} title={t('after.title')} lead={t('after.lead')} />
      <div className="grid gap-5 lg:grid-cols-[minmax(0,1.2fr)_minmax(0,1fr)]">
        <Card className="rise grid content-start gap-5">
          <ol className="grid gap-4">
            {(['checks', 'reviewers', 'decision'] as const).map((step, i) => (
              <li key={step} className="flex gap-3">
                <span aria-hidden="true" className="grid size-8 shrink-0 place-items-center rounded-full bg-tint font-semibold text-accent">{i + 1}</span>
                <span>
                  <span className="block font-medium">{t(`after.${step}`)}</span>
                  <span className="text-soft">{t(`after.${step}Text`)}</span>
                </span>
              </li>
            ))}
          </ol>
          {undo.error && <Notice kind="bad" live>{errorText(undo.error)}</Notice>}
          <div className="flex flex-wrap items-center gap-2 border-t border-line pt-5">
            <Button kind="primary" autoFocus busy={busy} onClick={() => claim(category)}>
              {t('after.next')}
              <span className="hidden rounded-md bg-on-accent/15 px-1.5 font-mono text-xs font-normal sm:inline">N</span>
            </Button>
            <ButtonLink to="/write">{t('home.other')}</ButtonLink>
            <ButtonLink to="/records/$recordId" params={{ recordId: submitted.record_id }} kind="quiet">{t('after.see')}</ButtonLink>
            {mayUndo && (
              <Button kind="quiet" icon="undo" busy={undo.isPending} onClick={() => undo.mutate()}>
                {t('after.undo')} <Kbd>U</Kbd>
              </Button>
            )}
          </div>
        </Card>
        <Card>
          <CardTitle aside={<Icon name="medal" />}>{t('after.points')}</CardTitle>
          <PointsExplained points={submitted.points} />
        </Card>
      </div>
    </>
  );
}
