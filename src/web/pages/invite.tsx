/** Accepting an invitation: what it is for, and an account. What is asked of the writer comes on the next page. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { acceptInvitation, invitationQuery } from '../api/account.ts';
import { QueryState } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { useRefreshSession, useSession } from '../app/session.tsx';
import { ButtonLink } from '../ui/button.tsx';
import { Facts, Notice } from '../ui/layout.tsx';
import { AccountForm } from './account-form.tsx';
import { Door, takeSecret } from './door.tsx';
import { Or, SignOn } from './sign-on.tsx';

export default function Invite() {
  const { t } = useTranslation();
  const format = useFormat();
  const navigate = useNavigate();
  const { person, sign_in } = useSession();
  const refresh = useRefreshSession();
  const [token] = useState(takeSecret);
  const invitation = useQuery({ ...invitationQuery(token), enabled: token !== '' && !person });
  if (person) return <Door title={t('invite.already')} lead={t('invite.alreadyText', { name: person.name })}><div className="grid"><ButtonLink kind="primary" to="/">{t('errors.toHome')}</ButtonLink></div></Door>;
  if (token === '') return <Door title={t('invite.title')}><Notice kind="warn" title={t('invite.noToken')}>{t('invite.noTokenText')}</Notice></Door>;
  if (!invitation.data) return <Door title={t('invite.title')}><QueryState error={invitation.error} retry={invitation.refetch} /></Door>;
  const { roles, team, email } = invitation.data;
  return (
    <Door title={t('invite.title')} lead={t('invite.lead', { organisation: invitation.data.organisation })}>
      <div className="mb-5 rounded-control bg-sunk px-4 py-3">
        <Facts columns items={[[t('invite.as'), format.list(roles.map((role) => t(`role.${role}`)))], ...(team ? [[t('invite.team'), team] as const] : []), ...(email ? [[t('invite.email'), email] as const] : [])]} />
      </div>
      {sign_in.oidc.length > 0 && (
        <>
          <SignOn action={(name) => t('invite.through', { name })} invitation={token} />
          <Or />
        </>
      )}
      <AccountForm
        action={t('invite.accept')}
        onSubmit={async (account) => {
          await acceptInvitation(token, account);
          await refresh();
          await navigate({ to: '/' });
        }}
      />
    </Door>
  );
}
