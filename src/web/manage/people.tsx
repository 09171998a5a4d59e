/** People: invitations by link, by mail or by a list; roles, suspension. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { changePerson, invitationsQuery, invite, peopleQuery, revokeInvitation, sendRoster } from '../api/manage.ts';
import type { PersonRow, Role } from '../api/types.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { hasRole, usePerson } from '../app/session.tsx';
import { Button } from '../ui/button.tsx';
import { CopyLink } from '../ui/copy-link.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { CheckField, TextArea, TextField } from '../ui/field.tsx';
import { Badge, Card, CardTitle, Notice, PageHead } from '../ui/layout.tsx';
import { Table } from '../ui/table.tsx';
import { useToast } from '../ui/toast.tsx';

const GIVEN = ['member', 'reviewer', 'moderator', 'admin'] as const satisfies readonly Role[];

export default function People() {
  const { t } = useTranslation();
  const format = useFormat();
  const people = useQuery(peopleQuery());
  const [search, setSearch] = useState('');
  const [editing, setEditing] = useState<PersonRow>();
  const wanted = search.trim().toLocaleLowerCase();
  const shown = (people.data?.people ?? []).filter(({ name, login, email }) => [name, login, email ?? ''].some((text) => text.toLocaleLowerCase().includes(wanted)));
  return (
    <>
      <PageHead title={t('admin:page.people')} lead={t('admin:people.lead')} />
      <div className="grid gap-5">
        <div className="grid items-start gap-5 lg:grid-cols-2">
          <Invite />
          <Roster />
        </div>
        <Invitations />
        <Card>
          <CardTitle aside={people.data && t('admin:people.count', { count: people.data.people.length })}>{t('admin:page.people')}</CardTitle>
          {!people.data ? (
            <QueryState error={people.error} retry={people.refetch} />
          ) : (
            <>
              <TextField type="search" label={t('admin:people.search')} value={search} onChange={({ target }) => setSearch(target.value)} className="mb-4 max-w-sm" />
              <Table
                caption={t('admin:people.caption')}
                hideCaption
                columns={[
                  { key: 'name', head: t('account.name'), names: true, cell: ({ name, login }) => <>{name}<span className="block text-sm font-normal text-soft">{login}</span></> },
                  { key: 'team', head: t('board.team'), wideOnly: true, cell: ({ team }) => team ?? '–' },
                  { key: 'roles', head: t('admin:people.roles'), cell: ({ roles, status, stopped }) => <span className="flex flex-wrap gap-1">{roles.map((role) => <Badge key={role} tone={role === 'member' ? 'plain' : 'accent'}>{t(`role.${role}`)}</Badge>)}{status !== 'active' && <Badge tone="bad">{t(`admin:people.status.${status}`)}</Badge>}{stopped && <Badge tone="bad">{t('admin:people.stopped')}</Badge>}</span> },
                  { key: 'accepted', head: t('board.accepted'), align: 'right', cell: ({ accepted }) => format.number(accepted) },
                  { key: 'act', head: <span className="sr-only">{t('admin:people.change')}</span>, align: 'right', cell: (person) => person.status !== 'erased' && <Button size="small" aria-label={t('admin:people.changeOf', { name: person.name })} onClick={() => setEditing(person)}>{t('admin:people.change')}</Button> },
                ]}
                rows={shown}
                rowKey={({ id }) => id}
                empty={t('admin:people.none')}
              />
            </>
          )}
        </Card>
      </div>
      {editing && <Edit key={editing.id} person={editing} onClose={() => setEditing(undefined)} />}
    </>
  );
}

function RoleChecks({ roles, onChange }: { readonly roles: readonly Role[]; readonly onChange: (roles: readonly Role[]) => void }) {
  const { t } = useTranslation();
  const { roles: own } = usePerson();
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-1.5 font-semibold">{t('admin:people.roles')}</legend>
      {GIVEN.filter((role) => role !== 'admin' || hasRole(own, 'owner')).map((role) => (
        <CheckField key={role} label={t(`role.${role}`)} hint={t(`admin:people.roleHint.${role}`)} checked={roles.includes(role)} onChange={({ target }) => onChange(target.checked ? [...roles, role] : roles.filter((other) => other !== role))} />
      ))}
    </fieldset>
  );
}

function Edit({ person, onClose }: { readonly person: PersonRow; readonly onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const [roles, setRoles] = useState(person.roles);
  const [team, setTeam] = useState(person.team ?? '');
  const [suspended, setSuspended] = useState(person.status === 'suspended');
  const [lifted, setLifted] = useState(false);
  const save = useMutation({
    mutationFn: () => changePerson(person.id, { roles, team: team.trim() || null, status: suspended ? 'suspended' : 'active', ...(lifted && { stopped: false }) }),
    onSuccess: async () => {
      toast({ text: t('common.saved') });
      await client.invalidateQueries({ queryKey: ['manage'] });
      onClose();
    },
  });
  return (
    <Dialog open onClose={onClose} title={person.name} actions={<><Button onClick={onClose}>{t('common.cancel')}</Button><Button kind="primary" busy={save.isPending} disabled={roles.length === 0} onClick={() => save.mutate()}>{t('common.save')}</Button></>}>
      <div className="grid gap-4">
        {save.error && <Notice kind="bad" live>{errorText(save.error)}</Notice>}
        <RoleChecks roles={roles} onChange={setRoles} />
        <TextField label={t('board.team')} maxLength={60} value={team} onChange={({ target }) => setTeam(target.value)} />
        <CheckField label={t('admin:people.suspend')} hint={t('admin:people.suspendHint')} checked={suspended} onChange={({ target }) => setSuspended(target.checked)} />
        {person.stopped && <CheckField label={t('admin:people.lift')} hint={t('admin:people.liftHint')} checked={lifted} onChange={({ target }) => setLifted(target.checked)} />}
      </div>
    </Dialog>
  );
}

function Invite() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const errorText = useErrorText();
  const [roles, setRoles] = useState<readonly Role[]>(['member', 'reviewer']);
  const [email, setEmail] = useState('');
  const [team, setTeam] = useState('');
  const send = useMutation({ mutationFn: () => invite({ roles, email: email.trim() || undefined, team: team.trim() || undefined }), onSuccess: () => client.invalidateQueries({ queryKey: ['manage', 'invitations'] }) });
  return (
    <Card>
      <CardTitle>{t('admin:people.invite')}</CardTitle>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate();
        }}
      >
        <TextField type="email" label={t('admin:people.email')} hint={t('admin:people.emailHint')} value={email} onChange={({ target }) => setEmail(target.value)} />
        <TextField label={t('board.team')} maxLength={60} value={team} onChange={({ target }) => setTeam(target.value)} />
        <RoleChecks roles={roles} onChange={setRoles} />
        {send.error && <Notice kind="bad" live>{errorText(send.error)}</Notice>}
        {send.data && (
          <Notice kind="good" live title={send.data.mailed ? t('admin:people.mailed') : t('admin:people.made')}>
            <div className="mt-2"><CopyLink link={send.data.link} label={t('admin:people.link')} /></div>
          </Notice>
        )}
        <div><Button type="submit" kind="primary" busy={send.isPending} disabled={roles.length === 0}>{t('admin:people.inviteDo')}</Button></div>
      </form>
    </Card>
  );
}

function Roster() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const errorText = useErrorText();
  const [csv, setCsv] = useState('');
  const send = useMutation({ mutationFn: () => sendRoster(csv), onSuccess: () => client.invalidateQueries({ queryKey: ['manage', 'invitations'] }) });
  return (
    <Card>
      <CardTitle>{t('admin:people.roster')}</CardTitle>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate();
        }}
      >
        <TextArea required rows={6} spellCheck={false} label={t('admin:people.csv')} hint={t('admin:people.csvHint')} placeholder={'email,team,roles\nanna@example.org,North,member reviewer'} value={csv} onChange={({ target }) => setCsv(target.value)} />
        <TextField type="file" accept=".csv,text/csv" label={t('admin:people.file')} onChange={({ target }) => void target.files?.[0]?.text().then(setCsv)} />
        {send.error && <Notice kind="bad" live>{errorText(send.error)}</Notice>}
        {send.data && (
          <Notice kind={send.data.faults.length > 0 ? 'warn' : 'good'} live title={t('admin:people.rosterMade', { count: send.data.created.length })}>
            {send.data.faults.length > 0 && <ul className="list-disc pl-5">{send.data.faults.map(({ line, message }) => <li key={line}>{t('admin:people.rosterFault', { line, message })}</li>)}</ul>}
            {send.data.mailing > 0 && <p>{t('admin:people.rosterMailing')}</p>}
            {send.data.created.length > 0 && (
              <details className="mt-2">
                <summary>{t('admin:people.links')}</summary>
                <ul className="mt-2 grid gap-1 text-sm">{send.data.created.map(({ email, link }) => <li key={email} className="break-all"><strong>{email}</strong> {link}</li>)}</ul>
              </details>
            )}
          </Notice>
        )}
        <div><Button type="submit" busy={send.isPending} disabled={csv.trim() === ''}>{t('admin:people.rosterDo')}</Button></div>
      </form>
    </Card>
  );
}

function Invitations() {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const invitations = useQuery(invitationsQuery());
  const revoke = useMutation({ mutationFn: revokeInvitation, onSuccess: () => client.invalidateQueries({ queryKey: ['manage', 'invitations'] }), onError: (error) => toast({ text: errorText(error), kind: 'bad' }) });
  const open = (invitations.data?.invitations ?? []).filter(({ state }) => state === 'open');
  if (open.length === 0) return null;
  return (
    <Card>
      <CardTitle>{t('admin:people.invitations')}</CardTitle>
      <Table
        caption={t('admin:people.invitationsCaption')}
        hideCaption
        columns={[
          { key: 'for', head: t('admin:people.for'), names: true, cell: ({ email }) => email ?? t('admin:people.anyone') },
          { key: 'roles', head: t('admin:people.roles'), cell: ({ roles }) => format.list(roles.map((role) => t(`role.${role}`))) },
          { key: 'team', head: t('board.team'), wideOnly: true, cell: ({ team }) => team ?? '–' },
          { key: 'expires', head: t('admin:people.expires'), cell: ({ expires_at }) => format.date(expires_at) },
          { key: 'act', head: <span className="sr-only">{t('admin:people.revoke')}</span>, align: 'right', cell: ({ id, email }) => <Button size="small" kind="danger" aria-label={t('admin:people.revokeOf', { who: email ?? t('admin:people.anyone') })} onClick={() => revoke.mutate(id)}>{t('admin:people.revoke')}</Button> },
        ]}
        rows={open}
        rowKey={({ id }) => id}
      />
    </Card>
  );
}
