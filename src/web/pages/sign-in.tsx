/** Signing in, by password or through the organisation's own sign-in; back to where one was. */
import { getRouteApi, Navigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { signIn } from '../api/account.ts';
import { useErrorText } from '../app/failure.tsx';
import { useRefreshSession, useSession } from '../app/session.tsx';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { Notice } from '../ui/layout.tsx';
import { Door } from './door.tsx';
import { Or, SignOn, SignOnFault } from './sign-on.tsx';

const route = getRouteApi('/sign-in');

export default function SignIn() {
  const { t } = useTranslation();
  const { to, fault } = route.useSearch();
  const { person, setup_needed, sign_in } = useSession();
  const refresh = useRefreshSession();
  const errorText = useErrorText();
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  if (setup_needed) return <Navigate to="/setup" />;
  if (person) return <Navigate to={to ?? '/'} replace />;
  const send = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await signIn(login.trim(), password);
      await refresh();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Door title={t('signIn.title')} lead={to && to !== '/' ? t('signIn.back') : t('signIn.lead')}>
      {error === undefined && fault !== undefined && <div className="mb-5"><SignOnFault code={fault} /></div>}
      {sign_in.oidc.length > 0 && (
        <>
          <SignOn action={(name) => t('signIn.through', { name })} to={to} />
          <Or />
        </>
      )}
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        {error !== undefined && <Notice kind="bad" live>{errorText(error)}</Notice>}
        <TextField label={t('account.login')} autoComplete="username" autoCapitalize="none" spellCheck={false} required value={login} onChange={({ target }) => setLogin(target.value)} />
        <TextField label={t('account.password')} type="password" autoComplete="current-password" required value={password} onChange={({ target }) => setPassword(target.value)} />
        <Button type="submit" kind="primary" size="large" busy={busy}>{t('signIn.action')}</Button>
      </form>
      <p className="mt-5 text-center text-sm text-soft">{t('signIn.help')}</p>
    </Door>
  );
}
