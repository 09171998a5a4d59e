/**
 * Every page and its address. The frame and the home page come with the first load, each other page with its own file. Links
 * that carry a secret (first owner, invitation, screen) have it after the #, which no server sees and no log keeps.
 */
import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Navigate, Outlet, useRouterState } from '@tanstack/react-router';
import { loadWords } from '../i18n/index.ts';
import { Failure, Loading, Missing } from './failure.tsx';
import { Home } from '../pages/home.tsx';
import { hasRole, loadSession, useSession } from './session.tsx';
import { Shell } from './shell.tsx';

/** All pages but the first need the rest of the words. */
const rest = () => loadWords('rest');

interface Context {
  readonly client: QueryClient;
}

const root = createRootRouteWithContext<Context>()({
  loader: async ({ context }) => void (await loadSession(context.client)),
  component: Outlet,
});

/** Pages for people who are signed in and have agreed to the campaign's terms; others are sent to where they can. */
function Inside() {
  const { setup_needed, person, campaign, consent } = useSession();
  const path = useRouterState({ select: (state) => state.location.pathname });
  if (setup_needed) return <Navigate to="/setup" />;
  if (!person) return <Navigate to="/sign-in" search={{ to: location.pathname + location.search }} replace />;
  // Organisers need not take part: they are asked when they write or review.
  const asked = campaign?.state !== 'draft' && (!hasRole(person.roles, 'admin', 'moderator') || /^\/(write|ask|review|practice)/.test(path));
  if (asked && consent && consent.given !== consent.needed) return <Navigate to="/welcome" replace />;
  return <Shell />;
}

const inside = createRoute({ getParentRoute: () => root, id: 'inside', component: Inside });
const home = createRoute({ getParentRoute: () => inside, path: '/', component: Home });
const write = createRoute({ getParentRoute: () => inside, path: '/write', loader: rest, component: lazyRouteComponent(() => import('../pages/choose.tsx')) });
const ask = createRoute({ getParentRoute: () => inside, path: '/ask', loader: rest, component: lazyRouteComponent(() => import('../pages/ask.tsx')) });
const draft = createRoute({ getParentRoute: () => inside, path: '/write/$draftId', loader: rest, component: lazyRouteComponent(() => import('../pages/write.tsx')) });
const practice = createRoute({ getParentRoute: () => inside, path: '/practice', loader: rest, component: lazyRouteComponent(() => import('../pages/practice.tsx')) });
const records = createRoute({ getParentRoute: () => inside, path: '/records', loader: rest, component: lazyRouteComponent(() => import('../pages/records.tsx')) });
const record = createRoute({ getParentRoute: () => inside, path: '/records/$recordId', loader: rest, component: lazyRouteComponent(() => import('../pages/record.tsx')) });
const review = createRoute({ getParentRoute: () => inside, path: '/review', loader: rest, component: lazyRouteComponent(() => import('../pages/review.tsx')) });
const decide = createRoute({ getParentRoute: () => inside, path: '/decide', loader: rest, component: lazyRouteComponent(() => import('../pages/decide.tsx')) });
const decision = createRoute({ getParentRoute: () => inside, path: '/decide/$recordId', loader: rest, component: lazyRouteComponent(() => import('../pages/decision.tsx')) });
const points = createRoute({ getParentRoute: () => inside, path: '/points', loader: rest, component: lazyRouteComponent(() => import('../pages/points.tsx')) });
const audit = createRoute({ getParentRoute: () => inside, path: '/audit', loader: rest, component: lazyRouteComponent(() => import('../pages/audit.tsx')) });
const board = createRoute({ getParentRoute: () => inside, path: '/board', loader: rest, component: lazyRouteComponent(() => import('../pages/board.tsx')) });
const me = createRoute({ getParentRoute: () => inside, path: '/me', validateSearch: faultOf, loader: rest, component: lazyRouteComponent(() => import('../pages/me.tsx')) });
const compare = createRoute({ getParentRoute: () => inside, path: '/compare', loader: rest, component: lazyRouteComponent(() => import('../pages/later.tsx'), 'Compare') });
const chat = createRoute({ getParentRoute: () => inside, path: '/chat', loader: rest, component: lazyRouteComponent(() => import('../pages/later.tsx'), 'Chat') });

const manage = createRoute({ getParentRoute: () => inside, path: '/manage', loader: () => loadWords('rest', 'admin'), component: lazyRouteComponent(() => import('../manage/frame.tsx')) });
const managed = <P extends string>(path: P, load: () => Promise<{ default: () => React.ReactNode }>) => createRoute({ getParentRoute: () => manage, path, component: lazyRouteComponent(load) });
const management = [
  managed('/', () => import('../manage/overview.tsx')),
  managed('/campaign', () => import('../manage/campaign.tsx')),
  managed('/new', () => import('../manage/wizard.tsx')),
  managed('/people', () => import('../manage/people.tsx')),
  managed('/passages', () => import('../manage/passages.tsx')),
  managed('/guidelines', () => import('../manage/guidelines.tsx')),
  managed('/quality', () => import('../manage/quality.tsx')),
  managed('/prizes', () => import('../manage/prizes.tsx')),
  managed('/reports', () => import('../manage/reports.tsx')),
  managed('/reports/$reportId', () => import('../manage/report.tsx')),
  managed('/log', () => import('../manage/log.tsx')),
  managed('/dataset', () => import('../manage/dataset.tsx')),
  managed('/health', () => import('../manage/health.tsx')),
] as const;

const setup = createRoute({ getParentRoute: () => root, path: '/setup', loader: rest, component: lazyRouteComponent(() => import('../pages/setup.tsx')) });
const signIn = createRoute({ getParentRoute: () => root, path: '/sign-in', validateSearch: (search: Record<string, unknown>): { to?: string; fault?: string } => ({ ...ownAddress(search['to']), ...faultOf(search) }), loader: rest, component: lazyRouteComponent(() => import('../pages/sign-in.tsx')) });
const invite = createRoute({ getParentRoute: () => root, path: '/invite', loader: rest, component: lazyRouteComponent(() => import('../pages/invite.tsx')) });
const welcome = createRoute({ getParentRoute: () => root, path: '/welcome', loader: rest, component: lazyRouteComponent(() => import('../pages/welcome.tsx')) });
const live = createRoute({ getParentRoute: () => root, path: '/live', loader: rest, component: lazyRouteComponent(() => import('../pages/live.tsx')) });

/** Where to go after signing in: a path of ours, never another host. */
function ownAddress(to: unknown): { to?: string } {
  return typeof to === 'string' && /^\/(?![/\\])/.test(to) ? { to } : {};
}

/** The code of what went wrong at the organisation's own sign-in, which sends the browser here again. */
function faultOf(search: Record<string, unknown>): { fault?: string } {
  const fault = search['fault'];
  return typeof fault === 'string' && /^[a-z_]{1,40}$/.test(fault) ? { fault } : {};
}

const tree = root.addChildren([
  inside.addChildren([home, write, ask, draft, practice, records, record, review, decide, decision, audit, points, board, me, compare, chat, manage.addChildren([...management])]),
  setup,
  signIn,
  invite,
  welcome,
  live,
]);

export function makeRouter(client: QueryClient) {
  return createRouter({ routeTree: tree, context: { client }, defaultPreload: 'intent', defaultPendingMs: 250, defaultPendingComponent: Loading, defaultErrorComponent: Failure, defaultNotFoundComponent: Missing, scrollRestoration: true });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
