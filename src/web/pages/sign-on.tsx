/** The organisation's own sign-in: the button that leads there, and what went wrong when it led back. */
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { goToSignOn } from '../api/account.ts';
import { ApiError } from '../api/client.ts';
import { useErrorText } from '../app/failure.tsx';
import { useSession } from '../app/session.tsx';
import { currentLocale } from '../i18n/index.ts';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/layout.tsx';

/** Nothing where there is no such sign-in. `action`: what the button says of it. */
export function SignOn({ action, to, invitation }: { readonly action: (name: string) => string; readonly to?: string | undefined; readonly invitation?: string }) {
  const errorText = useErrorText();
  const { sign_in } = useSession();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const go = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await goToSignOn({ locale: currentLocale(), ...(to !== undefined && { to }), ...(invitation !== undefined && { invitation }) });
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return sign_in.oidc.map(({ id, name }) => (
    <div key={id} className="grid gap-3">
      {error !== undefined && <Notice kind="bad" live>{errorText(error)}</Notice>}
      <Button size="large" busy={busy} onClick={() => void go()}>{action(name)}</Button>
    </div>
  ));
}

/** A line between two ways. */
export function Or() {
  const { t } = useTranslation();
  return (
    <p className="my-5 flex items-center gap-3 text-sm text-soft before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">{t('signIn.or')}</p>
  );
}

export function SignOnFault({ code }: { readonly code: string | undefined }) {
  const errorText = useErrorText();
  return code === undefined ? null : <Notice kind="bad" live>{errorText(new ApiError(403, code, '', undefined))}</Notice>;
}
