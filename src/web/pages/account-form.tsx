/** A new account: name, login, password; used by the first owner and by whoever was invited. */
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { ApiError } from '../api/client.ts';
import type { NewAccount } from '../api/account.ts';
import { useErrorText } from '../app/failure.tsx';
import { currentLocale } from '../i18n/index.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { Notice } from '../ui/layout.tsx';

export const LEAST_PASSWORD = 10;

export function AccountForm({ action, onSubmit }: { readonly action: string; readonly onSubmit: (account: NewAccount) => Promise<void> }) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const [name, setName] = useState('');
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [tried, setTried] = useState(false);
  const short = tried && password.length < LEAST_PASSWORD ? t('account.passwordShort', { count: LEAST_PASSWORD }) : undefined;
  const fields = error instanceof ApiError ? ((error.body as { error?: { fields?: Record<string, string> } } | undefined)?.error?.fields ?? {}) : {};
  const send = async () => {
    setTried(true);
    if (password.length < LEAST_PASSWORD) return;
    setBusy(true);
    setError(undefined);
    try {
      await onSubmit({ name: name.trim(), login: login.trim(), password, locale: currentLocale() });
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <form
      className="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {error !== undefined && <Notice kind="bad" live>{errorText(error)}</Notice>}
      <TextField label={t('account.name')} hint={t('account.nameHint')} autoComplete="name" required maxLength={80} value={name} fault={fields['name']} onChange={({ target }) => setName(target.value)} />
      <TextField label={t('account.login')} hint={t('account.loginHint')} autoComplete="username" autoCapitalize="none" spellCheck={false} required maxLength={60} value={login} fault={fields['login']} onChange={({ target }) => setLogin(target.value)} />
      <TextField label={t('account.password')} hint={t('account.passwordHint', { count: LEAST_PASSWORD })} type="password" autoComplete="new-password" required maxLength={200} value={password} fault={short ?? fields['password']} onChange={({ target }) => setPassword(target.value)} />
      <Button type="submit" kind="primary" size="large" busy={busy}>{action}</Button>
    </form>
  );
}
