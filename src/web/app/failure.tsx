/** What is shown while a page comes, when it cannot be shown, and when there is none. */
import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import { useTranslation, type Key } from '../i18n/react.ts';
import { ApiError, OfflineError } from '../api/client.ts';
import { keyOf } from '../i18n/index.ts';
import { Button } from '../ui/button.tsx';
import { Empty, Notice, Waiting } from '../ui/layout.tsx';

/** An error in the reader's language. Codes that the pages do not know are shown as the server worded them. */
export function useErrorText(): (error: unknown) => string {
  const { t, i18n } = useTranslation();
  return (error) => {
    if (error instanceof OfflineError) return t('errors.offline');
    if (error instanceof ApiError) {
      const key = keyOf(`errors.codes.${error.code}`);
      if (i18n.exists(key)) return t(key as Key);
      return error.message || t('errors.status', { status: error.status });
    }
    return t('errors.unknown');
  };
}

export function Loading() {
  const { t } = useTranslation();
  return (
    <div className="mx-auto max-w-2xl p-8">
      <Waiting label={t('common.loading')} lines={5} />
    </div>
  );
}

export function Failure({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation();
  const text = useErrorText();
  return (
    <div className="mx-auto max-w-2xl p-6">
      <Notice kind="bad" live title={t('errors.page')} actions={<Button onClick={() => (error instanceof OfflineError || error instanceof ApiError ? reset() : location.reload())}>{t('common.again')}</Button>}>
        {text(error)}
      </Notice>
    </div>
  );
}

/** The outcome of a query that is not there yet, or failed. */
export function QueryState({ error, retry }: { readonly error: unknown; readonly retry: () => unknown }) {
  const { t } = useTranslation();
  const text = useErrorText();
  if (!error) return <Waiting label={t('common.loading')} />;
  return (
    <Notice kind="bad" live actions={<Button onClick={() => void retry()}>{t('common.again')}</Button>}>
      {text(error)}
    </Notice>
  );
}

export function Missing() {
  const { t } = useTranslation();
  return (
    <div className="mx-auto max-w-2xl p-6">
      <Empty icon="info" title={t('errors.missing')} actions={<Link to="/" className="font-semibold text-accent underline">{t('errors.toHome')}</Link>}>
        {t('errors.missingText')}
      </Empty>
    </div>
  );
}
