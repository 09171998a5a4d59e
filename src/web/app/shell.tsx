/** The frame around the pages: the way to each room, the campaign's name, one's own account. */
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';
import { useEffect, type ReactNode } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { saveMe } from '../api/account.ts';
import { call } from '../api/client.ts';
import { cx } from '../ui/class-names.ts';
import { Icon, Mark, type IconName } from '../ui/icon.tsx';
import { Badge } from '../ui/layout.tsx';
import { Disclosure } from './menu.tsx';
import { Preferences } from './preferences.tsx';
import { hasRole, usePerson, useRefreshSession, useSession } from './session.tsx';
import { keysForPeople, useShortcutList } from './shortcuts.tsx';

interface Room {
  readonly to: string;
  readonly icon: IconName;
  readonly name: string;
  readonly count?: number;
  readonly later?: boolean;
}

function useRooms(): { work: readonly Room[]; later: readonly Room[]; manage: Room | undefined } {
  const { t } = useTranslation();
  const { person, waiting, campaign } = useSession();
  const roles = person?.roles;
  return {
    work: [
      { to: '/', icon: 'home', name: t('rooms.home') },
      { to: '/write', icon: 'pen', name: t('rooms.write'), count: waiting?.drafts },
      { to: '/records', icon: 'stack', name: t('rooms.records'), count: waiting?.revisions },
      ...(hasRole(roles, 'reviewer', 'moderator') ? [{ to: '/review', icon: 'eye', name: t('rooms.review'), count: waiting?.reviews } as const] : []),
      ...(hasRole(roles, 'moderator') ? [{ to: '/decide', icon: 'scales', name: t('rooms.decide'), count: waiting?.adjudications } as const] : []),
      ...(hasRole(roles, 'moderator', 'admin') && campaign?.state === 'adjudicating' ? [{ to: '/audit', icon: 'medal', name: t('rooms.audit'), count: waiting?.audits } as const] : []),
      { to: '/board', icon: 'board', name: t('rooms.board') },
    ],
    later: [
      { to: '/compare', icon: 'arena', name: t('rooms.compare'), later: true },
      { to: '/chat', icon: 'chat', name: t('rooms.chat'), later: true },
    ],
    manage: hasRole(roles, 'admin', 'moderator') ? { to: '/manage', icon: 'sliders', name: t('rooms.manage') } : undefined,
  };
}

export function Shell() {
  const { t } = useTranslation();
  const { campaign } = useSession();
  const { work, later, manage } = useRooms();
  useEffect(() => {
    const moved = () => (document.body.dataset['moved'] = 'yes');
    window.addEventListener('click', moved, { once: true });
    window.addEventListener('keydown', moved, { once: true });
    return () => {
      window.removeEventListener('click', moved);
      window.removeEventListener('keydown', moved);
    };
  }, []);
  const tabs = [...work.slice(0, 4), ...(manage ? [manage] : []), ...work.slice(4)].slice(0, 5);
  return (
    <div className="lg:grid lg:grid-cols-[15.5rem_minmax(0,1fr)]">
      <a href="#main" className="sr-only z-50 rounded-control bg-accent px-4 py-2 font-semibold text-on-accent focus:not-sr-only focus:fixed focus:top-3 focus:left-3">
        {t('shell.skip')}
      </a>
      <header className="sticky top-0 z-20 flex items-center justify-between gap-3 border-b border-line bg-paper/90 px-4 py-2 backdrop-blur-sm lg:h-dvh lg:flex-col lg:items-stretch lg:justify-start lg:gap-1 lg:overflow-y-auto lg:border-r lg:border-b-0 lg:bg-sunk lg:px-4 lg:py-5 lg:backdrop-blur-none">
        <Link to="/" className="flex min-w-0 items-center gap-3 rounded-control p-1 lg:mb-5">
          <Mark size={34} />
          <span className="min-w-0 leading-tight">
            <span className="block font-semibold">Roslin</span>
            {campaign && <span className="block truncate text-[0.8125rem] text-soft">{campaign.title}</span>}
          </span>
        </Link>
        <nav aria-label={t('shell.rooms')} className="hidden lg:grid lg:gap-0.5">
          {work.map((room) => (
            <RoomLink key={room.to} room={room} />
          ))}
          <p className="mt-5 mb-1 px-3 text-[0.8125rem] text-soft">{t('shell.later')}</p>
          {later.map((room) => (
            <RoomLink key={room.to} room={room} />
          ))}
          {manage && (
            <>
              <p className="mt-5 mb-1 px-3 text-[0.8125rem] text-soft">{t('shell.organisers')}</p>
              <RoomLink room={manage} />
            </>
          )}
        </nav>
        <div className="lg:mt-auto lg:pt-6">
          <Account rooms={[...later, ...work.slice(4)]} />
        </div>
      </header>
      <main id="main" tabIndex={-1} className="min-w-0 px-4 pt-6 pb-28 outline-none sm:px-8 lg:px-10 lg:pt-10 lg:pb-16">
        <div className="mx-auto max-w-6xl">
          <Outlet />
        </div>
      </main>
      <nav aria-label={t('shell.rooms')} className="fixed inset-x-0 bottom-0 z-20 grid auto-cols-fr grid-flow-col border-t border-line bg-paper pb-[env(safe-area-inset-bottom)] lg:hidden">
        {tabs.map((room) => (
          <Link key={room.to} to={room.to} activeOptions={{ exact: room.to === '/' }} className="relative grid min-h-14 justify-items-center gap-0.5 px-0.5 py-2 text-center text-[0.6875rem] leading-tight text-soft aria-[current=page]:font-semibold aria-[current=page]:text-accent">
            <Icon name={room.icon} size={22} />
            <span className="max-w-full overflow-hidden text-ellipsis">{room.name}</span>
            {room.count ? <span className="absolute top-1 left-1/2 ml-2 min-w-4 rounded-full bg-accent px-1 text-[0.6875rem] leading-4 font-semibold text-on-accent">{room.count}</span> : null}
          </Link>
        ))}
      </nav>
    </div>
  );
}

function RoomLink({ room }: { readonly room: Room }) {
  return (
    <Link
      to={room.to}
      activeOptions={{ exact: room.to === '/' }}
      className={cx('flex min-h-10 items-center gap-3 rounded-control px-3 py-1.5 text-[0.9375rem] transition-colors hover:bg-tint aria-[current=page]:bg-tint aria-[current=page]:font-semibold aria-[current=page]:text-accent', room.later && 'text-soft')}
    >
      <Icon name={room.icon} />
      <span className="min-w-0 flex-1">{room.name}</span>
      {room.count ? <Badge tone="accent">{room.count}</Badge> : null}
    </Link>
  );
}

const ROW = 'flex min-h-10 w-full items-center gap-3 rounded-control px-3 py-1.5 text-left text-[0.9375rem] hover:bg-tint';

function Account({ rooms }: { readonly rooms: readonly Room[] }) {
  const { t } = useTranslation();
  const person = usePerson();
  const refresh = useRefreshSession();
  const showKeys = useShortcutList();
  const client = useQueryClient();
  const button: ReactNode = (
    <>
      <span aria-hidden="true" className="grid size-9 shrink-0 place-items-center rounded-full bg-wool text-sm font-semibold">
        {initials(person.name)}
      </span>
      <span className="hidden min-w-0 flex-1 lg:block">
        <span className="block truncate text-[0.9375rem] font-medium">{person.name}</span>
        <span className="block truncate text-[0.8125rem] text-soft">{person.team?.name ?? t('shell.noTeam')}</span>
      </span>
    </>
  );
  const menu = (close: () => void) => (
    <>
      <p className="px-3 pt-1 pb-2 text-sm text-soft">{t('shell.signedIn', { name: person.name })}</p>
      <div className="contents lg:hidden">
        {rooms.map((room) => (
          <Link key={room.to} to={room.to} onClick={close} className={ROW}>
            <Icon name={room.icon} />
            {room.name}
          </Link>
        ))}
        <hr className="my-1 border-line" />
      </div>
      <Link to="/me" onClick={close} className={ROW}>
        <Icon name="user" />
        {t('rooms.me')}
      </Link>
      <button
        type="button"
        className={ROW}
        onClick={() => {
          close();
          showKeys();
        }}
      >
        <Icon name="keyboard" />
        <span className="flex-1">{t('keys.title')}</span>
        <kbd className="font-mono text-xs text-soft">{keysForPeople('?')}</kbd>
      </button>
      <div className="my-1 px-1">
        <Preferences onLocale={(locale) => void saveMe({ locale }).then(() => client.invalidateQueries(), () => undefined)} />
      </div>
      <button type="button" className={ROW} onClick={() => void call('DELETE', '/api/session').then(refresh, refresh)}>
        <Icon name="out" />
        {t('shell.signOut')}
      </button>
    </>
  );
  return (
    <>
      <Disclosure button={button} side="top" className="hidden lg:block">
        {menu}
      </Disclosure>
      <Disclosure label={t('shell.account', { name: person.name })} button={button} side="bottom" className="lg:hidden">
        {menu}
      </Disclosure>
    </>
  );
}

const initials = (name: string): string => name.trim().split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? '').join('').toUpperCase();
