/** The first minute of whoever starts a studio: an owner's account by the one-time link, then the demo or a campaign of one's own. */
import { useMutation } from '@tanstack/react-query';
import { Navigate, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { setUp, startDemo } from '../api/account.ts';
import { useErrorText } from '../app/failure.tsx';
import { hasRole, useRefreshSession, useSession } from '../app/session.tsx';
import { currentLocale } from '../i18n/index.ts';
import { Button, ButtonLink } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { Notice } from '../ui/layout.tsx';
import { AccountForm } from './account-form.tsx';
import { Door, takeSecret } from './door.tsx';

export default function Setup() {
  const { t } = useTranslation();
  const session = useSession();
  const refresh = useRefreshSession();
  const [token] = useState(takeSecret);
  // With --demo there is a campaign already: nothing is left to choose.
  if (session.person) return session.campaign || !hasRole(session.person.roles, 'owner') ? <Navigate to="/" replace /> : <FirstChoice />;
  if (!session.setup_needed) return <Door title={t('setup.done')} lead={t('setup.doneText')}><div className="grid"><ButtonLink kind="primary" to="/sign-in">{t('signIn.action')}</ButtonLink></div></Door>;
  return (
    <Door title={t('setup.title')} lead={t('setup.lead')}>
      {token === '' ? (
        <Notice kind="warn" title={t('setup.noToken')}>{t('setup.noTokenText')}</Notice>
      ) : (
        <AccountForm
          action={t('setup.create')}
          onSubmit={async (account) => {
            await setUp(token, account);
            await refresh();
          }}
        />
      )}
    </Door>
  );
}

function FirstChoice() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const refresh = useRefreshSession();
  const errorText = useErrorText();
  const demo = useMutation({
    mutationFn: () => startDemo(currentLocale()),
    onSuccess: async () => {
      await refresh();
      await navigate({ to: '/' });
    },
  });
  return (
    <Door title={t('setup.first')} lead={t('setup.firstLead')} wide>
      {demo.error && <div className="mb-4"><Notice kind="bad" live>{errorText(demo.error)}</Notice></div>}
      <div className="grid gap-4 sm:grid-cols-2">
        <div className="flex flex-col gap-3 rounded-card bg-tint p-5">
          <Icon name="spark" size={28} className="text-accent" />
          <h2 className="text-lg font-semibold">{t('setup.demo')}</h2>
          <p className="flex-1 text-soft">{t('setup.demoText')}</p>
          <Button kind="primary" busy={demo.isPending} onClick={() => demo.mutate()}>{t('setup.demoStart')}</Button>
        </div>
        <div className="flex flex-col gap-3 rounded-card bg-sunk p-5">
          <Icon name="flag" size={28} className="text-accent" />
          <h2 className="text-lg font-semibold">{t('setup.own')}</h2>
          <p className="flex-1 text-soft">{t('setup.ownText')}</p>
          <ButtonLink to="/manage/new">{t('setup.ownStart')}</ButtonLink>
        </div>
      </div>
    </Door>
  );
}
