/** The frame of the organisers' pages: one more row of links. */
import { Link, Outlet } from '@tanstack/react-router';
import { useTranslation } from '../i18n/react.ts';
import { hasRole, usePerson } from '../app/session.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { Empty, PageHead } from '../ui/layout.tsx';

const PAGES = [
  ['/manage', 'overview', 'pulse', 'moderator'],
  ['/manage/campaign', 'campaign', 'flag', 'admin'],
  ['/manage/people', 'people', 'users', 'admin'],
  ['/manage/passages', 'passages', 'book', 'moderator'],
  ['/manage/guidelines', 'guidelines', 'bulb', 'admin'],
  ['/manage/quality', 'quality', 'scales', 'moderator'],
  ['/manage/prizes', 'prizes', 'medal', 'admin'],
  ['/manage/reports', 'reports', 'flag', 'moderator'],
  ['/manage/dataset', 'dataset', 'seal', 'admin'],
  ['/manage/log', 'log', 'log', 'admin'],
  ['/manage/health', 'health', 'pulse', 'admin'],
] as const satisfies readonly (readonly [string, string, IconName, 'moderator' | 'admin'])[];

export default function Frame() {
  const { t } = useTranslation();
  const { roles } = usePerson();
  if (!hasRole(roles, 'admin', 'moderator')) {
    return (
      <>
        <PageHead title={t('rooms.manage')} />
        <Empty icon="sliders" title={t('admin:frame.notYours')}>{t('admin:frame.notYoursText')}</Empty>
      </>
    );
  }
  const admin = hasRole(roles, 'admin');
  return (
    <>
      <nav aria-label={t('rooms.manage')} className="-mx-4 mb-7 overflow-x-auto border-b border-line px-4 sm:-mx-8 sm:px-8 lg:mx-0 lg:px-0">
        <ul className="flex gap-1 pb-px lg:flex-wrap">
          {PAGES.filter(([, , , role]) => role === 'moderator' || admin).map(([to, name, icon]) => (
            <li key={to}>
              <Link to={to} activeOptions={{ exact: to === '/manage' }} className="flex min-h-10 items-center gap-1.5 border-b-2 border-transparent px-2.5 text-[0.9375rem] whitespace-nowrap text-soft hover:text-ink aria-[current=page]:border-accent aria-[current=page]:font-semibold aria-[current=page]:text-ink">
                <Icon name={icon} size={17} />
                {t(`admin:page.${name}`)}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <Outlet />
    </>
  );
}
