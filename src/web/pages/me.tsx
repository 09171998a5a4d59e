/** One's own account: how one appears on the board, password, what one agreed to, one's data, and leaving. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { changePassword, eraseMe, meQuery, saveMe } from '../api/account.ts';
import type { MeView, Visibility } from '../api/types.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { Preferences } from '../app/preferences.tsx';
import { useSession } from '../app/session.tsx';
import { Button, DownloadLink } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Choices, TextField } from '../ui/field.tsx';
import { Card, CardTitle, Facts, Notice, PageHead } from '../ui/layout.tsx';
import { useToast } from '../ui/toast.tsx';
import { LEAST_PASSWORD } from './account-form.tsx';
import { SignOn, SignOnFault } from './sign-on.tsx';

const route = getRouteApi('/inside/me');

export default function Me() {
  const { t } = useTranslation();
  const me = useQuery(meQuery());
  return (
    <>
      <PageHead title={t('rooms.me')} lead={t('me.lead')} />
      {me.data ? <Settings me={me.data} /> : <QueryState error={me.error} retry={me.refetch} />}
    </>
  );
}

function Settings({ me }: { readonly me: MeView }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <div className="grid items-start gap-5 lg:grid-cols-2">
      <Names me={me} />
      <Card>
        <CardTitle>{t('me.device')}</CardTitle>
        <Preferences onLocale={(locale) => void saveMe({ locale }).catch(() => undefined)} />
      </Card>
      <Password me={me} />
      <Card>
        <CardTitle>{t('me.consents')}</CardTitle>
        {me.consents.length === 0 ? <p className="text-soft">{t('me.noConsents')}</p> : <Facts items={me.consents.map(({ campaign, version, at }) => [campaign, t('me.consent', { version, date: format.date(at) })] as const)} />}
      </Card>
      <Data me={me} />
    </div>
  );
}

function Names({ me }: { readonly me: MeView }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const [name, setName] = useState(me.name);
  const [alias, setAlias] = useState(me.alias ?? '');
  const [visibility, setVisibility] = useState<Visibility>(me.visibility);
  const save = useMutation({
    mutationFn: () => saveMe({ name: name.trim(), alias: alias.trim() || null, visibility }),
    onSuccess: () => (toast({ text: t('common.saved') }), client.invalidateQueries()),
  });
  return (
    <Card>
      <CardTitle>{t('me.board')}</CardTitle>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <TextField label={t('account.name')} required maxLength={80} value={name} onChange={({ target }) => setName(target.value)} />
        <Choices legend={t('me.visibility')} name="visibility" value={visibility} onChange={setVisibility} options={(['name', 'alias', 'hidden'] as const).map((value) => ({ value, label: t(`me.visible.${value}`), hint: t(`me.visibleHint.${value}`) }))} />
        {visibility === 'alias' && <TextField label={t('me.alias')} required maxLength={60} value={alias} onChange={({ target }) => setAlias(target.value)} />}
        {save.error && <Notice kind="bad" live>{errorText(save.error)}</Notice>}
        <div><Button type="submit" kind="primary" busy={save.isPending}>{t('common.save')}</Button></div>
      </form>
    </Card>
  );
}

function Password({ me: { has_password, has_sign_on } }: { readonly me: MeView }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { fault } = route.useSearch();
  const { sign_in } = useSession();
  const toast = useToast();
  const errorText = useErrorText();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({
    mutationFn: () => changePassword(current, next),
    onSuccess: () => {
      setCurrent('');
      setNext('');
      toast({ text: t('me.passwordChanged') });
      return client.invalidateQueries({ queryKey: ['me'] });
    },
  });
  return (
    <Card>
      <CardTitle>{t('account.password')}</CardTitle>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        {has_password ? <TextField label={t('me.passwordNow')} type="password" autoComplete="current-password" required value={current} onChange={({ target }) => setCurrent(target.value)} /> : <p className="max-w-prose text-soft">{t('me.noPassword')}</p>}
        <TextField label={t('me.passwordNew')} hint={t('account.passwordHint', { count: LEAST_PASSWORD })} type="password" autoComplete="new-password" minLength={LEAST_PASSWORD} required value={next} onChange={({ target }) => setNext(target.value)} />
        {change.error && <Notice kind="bad" live>{errorText(change.error)}</Notice>}
        <div><Button type="submit" busy={change.isPending}>{has_password ? t('me.passwordChange') : t('me.passwordSet')}</Button></div>
      </form>
      {(sign_in.oidc.length > 0 || has_sign_on) && (
        <div className="mt-5 grid gap-3 border-t border-line pt-5">
          <SignOnFault code={fault} />
          {has_sign_on ? <p className="text-soft">{t('me.signOnLinked')}</p> : <SignOn action={(name) => t('me.signOnLink', { name })} to="/me" />}
        </div>
      )}
    </Card>
  );
}

function Data({ me: { has_password } }: { readonly me: MeView }) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  const [asking, setAsking] = useState(false);
  const [password, setPassword] = useState('');
  const erase = useMutation({ mutationFn: () => eraseMe(password), onSuccess: () => location.assign('/') });
  return (
    <Card className="lg:col-span-2">
      <CardTitle>{t('me.data')}</CardTitle>
      <p className="max-w-prose text-soft">{t('me.dataText')}</p>
      <div className="mt-4 flex flex-wrap gap-2">
        <DownloadLink href="/api/me/export">{t('me.export')}</DownloadLink>
        <Button kind="danger" onClick={() => setAsking(true)}>{t('me.erase')}</Button>
      </div>
      <Dialog open={asking} onClose={() => setAsking(false)} title={t('me.erase')} actions={<><Button onClick={() => setAsking(false)}>{t('common.cancel')}</Button><Button kind="danger" busy={erase.isPending} disabled={has_password && password === ''} onClick={() => erase.mutate()}>{t('me.eraseDo')}</Button></>}>
        <p className="mb-4">{t('me.eraseText')}</p>
        {erase.error && <div className="mb-4"><Notice kind="bad" live>{errorText(erase.error)}</Notice></div>}
        {has_password && <TextField label={t('me.passwordNow')} type="password" autoComplete="current-password" value={password} onChange={({ target }) => setPassword(target.value)} />}
      </Dialog>
    </Card>
  );
}
