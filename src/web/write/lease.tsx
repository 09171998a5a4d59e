/**
 * How long a task is kept for its writer. Work extends it by itself; two minutes before its end it is said, and one key keeps it.
 * Its end frees the task, never the text.
 */
import { useEffect, useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { LEASE_TIMES } from '../../collect/rules/work.ts';
import { extendLease } from '../api/collect.ts';
import type { DraftView } from '../api/types.ts';
import { keysForPeople, useShortcuts } from '../app/shortcuts.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/layout.tsx';

export function LeaseNotice({ lease, savedAt }: { readonly lease: NonNullable<DraftView['lease']>; readonly savedAt: number }) {
  const { t } = useTranslation();
  const [extended, setExtended] = useState(0);
  const [now, setNow] = useState(() => Date.now());
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 15_000);
    return () => clearInterval(timer);
  }, []);
  // Every save is a sign of work that the server counts from.
  const ends = Math.max(Date.parse(lease.expires_at), extended, savedAt + LEASE_TIMES.idle_ms);
  const left = ends - now;
  const keep = () => {
    extendLease(lease.id).then(
      ({ expires_at }) => {
        setExtended(Date.parse(expires_at));
        setFailed(false);
      },
      () => setFailed(true),
    );
  };
  const warn = left < LEASE_TIMES.warn_ms;
  useShortcuts(warn ? [{ keys: 'Alt+K', label: t('lease.key'), run: keep }] : []);
  if (!warn) return null;
  return (
    <div className="mb-4">
      {left <= 0 || failed ? (
        <Notice kind="warn" live title={t('lease.over')}>{t('lease.overText')}</Notice>
      ) : (
        <Notice kind="info" live title={t('lease.soon')} actions={<Button size="small" onClick={keep}>{t('lease.keep', { key: keysForPeople('Alt+K') })}</Button>}>{t('lease.soonText')}</Notice>
      )}
    </div>
  );
}
