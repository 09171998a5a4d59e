/** Home: what is needed most, where one stands, what waits, and how far everyone together has come. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from '../i18n/react.ts';
import { homeQuery } from '../api/collect.ts';
import type { CampaignSummary, CategoryProgress, HomeView } from '../api/types.ts';
import { QueryState } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { hasRole, usePerson, useSession } from '../app/session.tsx';
import { useShortcuts } from '../app/shortcuts.tsx';
import { Button, ButtonLink } from '../ui/button.tsx';
import { CategoryIcon, NOTABLE } from '../ui/category.tsx';
import { Icon } from '../ui/icon.tsx';
import { Badge, Card, CardTitle, Empty, PageHead } from '../ui/layout.tsx';
import { Meter } from '../ui/meter.tsx';
import { StateBadge } from '../ui/state.tsx';
import { useClaim } from '../write/claim.ts';

export function Home() {
  const { t } = useTranslation();
  const person = usePerson();
  const { campaign } = useSession();
  const home = useQuery({ ...homeQuery(), enabled: campaign !== null });
  if (!campaign) {
    const organiser = hasRole(person.roles, 'admin');
    return (
      <>
        <PageHead title={t('home.hello', { name: person.name })} />
        <Empty icon="flag" title={t('home.noCampaign')} actions={organiser && <ButtonLink kind="primary" to="/manage/new">{t('home.begin')}</ButtonLink>}>
          {organiser ? t('home.noCampaignOrganiser') : t('home.noCampaignText')}
        </Empty>
      </>
    );
  }
  return (
    <>
      <PageHead title={t('home.hello', { name: person.name })} lead={<CampaignLine campaign={campaign} />} />
      {home.data ? <Rooms home={home.data} campaign={campaign} /> : <QueryState error={home.error} retry={home.refetch} />}
    </>
  );
}

function CampaignLine({ campaign }: { readonly campaign: CampaignSummary }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (campaign.state === 'open') return <>{t('home.ends', { title: campaign.title, date: format.date(campaign.ends_at, campaign.time_zone), relative: format.relative(campaign.ends_at) })}</>;
  return <>{t(`campaign.meaning.${campaign.state}`)}</>;
}

function Rooms({ home, campaign }: { readonly home: HomeView; readonly campaign: CampaignSummary }) {
  const { t } = useTranslation();
  return (
    <div className="grid gap-5 lg:grid-cols-[minmax(0,1.9fr)_minmax(17rem,1fr)]">
      {campaign.state === 'open' ? <Needed categories={home.categories} /> : <Card><p className="text-soft">{t(`campaign.meaning.${campaign.state}`)}</p></Card>}
      <Standing home={home} />
      {(home.drafts.length > 0 || home.decisions.length > 0) && <Waiting home={home} />}
      <Goals categories={home.categories} />
    </div>
  );
}

/** The category that is furthest behind, one key away. */
function Needed({ categories }: { readonly categories: readonly CategoryProgress[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { claim, busy } = useClaim();
  const most = [...categories].filter(({ accepted, goal }) => accepted < goal).sort((a, b) => b.weight - a.weight || a.accepted / a.goal - b.accepted / b.goal)[0];
  useShortcuts(most ? [{ keys: 'N', label: t('home.keyNext'), run: () => claim(most.category) }] : []);
  if (!most) return <Card><h2 className="text-lg font-semibold">{t('home.goalReached')}</h2><p className="mt-2 text-soft">{t('home.goalReachedText')}</p></Card>;
  return (
    <Card className="flex flex-col gap-5 bg-tint sm:flex-row sm:items-center">
      <CategoryIcon category={most.category} large raised />
      <div className="min-w-0 flex-1">
        <p className="text-sm font-medium text-accent">{t('home.neededMost')}</p>
        <h2 className="mt-0.5 text-2xl font-semibold">{t(`category.${most.category}.name`)}</h2>
        <p className="mt-1.5 max-w-prose">{t(`category.${most.category}.what`)}</p>
        <p className="mt-1.5 text-sm text-soft">
          {t('home.worth', { points: format.points(most.base_mp), weight: format.number(most.weight / 1000, 2) })}
        </p>
        <div className="mt-4 flex flex-wrap gap-2">
          <Button kind="primary" iconAfter="arrow" busy={busy} onClick={() => claim(most.category)}>{t('home.start')}</Button>
          <ButtonLink to="/write" kind="quiet">{t('home.other')}</ButtonLink>
        </div>
      </div>
    </Card>
  );
}

function Standing({ home }: { readonly home: HomeView }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { visibility } = usePerson();
  return (
    <Card className="flex flex-col justify-between gap-4">
      <div>
        <h2 className="text-sm font-medium text-soft">{t('home.points')}</h2>
        <p className="text-[2.5rem] leading-tight font-semibold tabular">{format.points(home.points.settled)}</p>
        <p className="text-sm text-soft">{home.points.provisional > 0 ? t('home.provisional', { points: format.points(home.points.provisional) }) : t('home.noProvisional')}</p>
        <p className="mt-1"><Link to="/points" className="text-sm text-accent hover:underline">{t('home.explain')}</Link></p>
      </div>
      <dl className="grid grid-cols-2 gap-3 border-t border-line pt-3">
        <div>
          <dt className="text-sm text-soft">{t('home.accepted')}</dt>
          <dd className="text-xl font-semibold tabular">{format.number(home.accepted)}</dd>
        </div>
        <div>
          <dt className="text-sm text-soft">{t('home.rank')}</dt>
          <dd className="text-xl font-semibold tabular">{visibility === 'hidden' || home.rank === null ? '–' : format.number(home.rank)}</dd>
        </div>
      </dl>
      {home.streak.days > 1 && <p className="text-sm text-soft">{t('home.streak', { count: home.streak.days })} {home.streak.free_left ? t('home.freeDay') : ''}</p>}
      <Link to="/board" className="inline-flex items-center gap-1.5 text-[0.9375rem] font-semibold text-accent hover:underline">
        {t('home.toBoard')}
        <Icon name="arrow" size={17} />
      </Link>
    </Card>
  );
}

function Waiting({ home }: { readonly home: HomeView }) {
  const { t } = useTranslation();
  const format = useFormat();
  const row = 'group flex items-center gap-3 rounded-control p-2 -mx-2 hover:bg-tint';
  return (
    <div className="grid gap-5 sm:grid-cols-2 lg:col-span-2">
      {home.drafts.length > 0 && (
        <Card>
          <CardTitle>{t('home.drafts')}</CardTitle>
          <ul>
            {home.drafts.slice(0, 4).map((draft) => (
              <li key={draft.id}>
                <Link to="/write/$draftId" params={{ draftId: draft.id }} className={row}>
                  <CategoryIcon category={draft.category} />
                  <span className="min-w-0 flex-1">
                    <span className="block truncate font-medium">{draft.excerpt || t('home.emptyDraft')}</span>
                    <span className="block text-sm text-soft">{t('home.draftLine', { category: t(`category.${draft.category}.name`), when: format.relative(draft.saved_at) })}</span>
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        </Card>
      )}
      {home.decisions.length > 0 && (
        <Card>
          <CardTitle>{t('home.decisions')}</CardTitle>
          <ul>
            {home.decisions.slice(0, 4).map((decision) => (
              <li key={decision.record_id}>
                <Link to="/records/$recordId" params={{ recordId: decision.record_id }} className={row}>
                  <CategoryIcon category={decision.category} />
                  <span className="min-w-0 flex-1">
                    <span className="block truncate font-medium">{decision.excerpt}</span>
                    <span className="block text-sm text-soft">{format.relative(decision.at)}</span>
                  </span>
                  <StateBadge state={decision.state} />
                </Link>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </div>
  );
}

function Goals({ categories }: { readonly categories: readonly CategoryProgress[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const sum = (pick: (row: CategoryProgress) => number) => categories.reduce((total, row) => total + pick(row), 0);
  return (
    <Card className="lg:col-span-2">
      <CardTitle aside={t('home.together', { accepted: format.number(sum((row) => row.accepted)), goal: format.number(sum((row) => row.goal)), share: format.percent(sum((row) => row.accepted) / Math.max(1, sum((row) => row.goal))) })}>{t('home.goals')}</CardTitle>
      <ul className="grid gap-x-10 gap-y-5 md:grid-cols-2">
        {categories.map((row) => (
          <li key={row.category} className="flex items-center gap-3">
            <CategoryIcon category={row.category} />
            <div className="min-w-0 flex-1">
              <div className="mb-1.5 flex flex-wrap items-baseline justify-between gap-x-3">
                <span className="font-medium">{t(`category.${row.category}.name`)}</span>
                <span className="text-sm text-soft">
                  {t('home.goalLine', { accepted: format.number(row.accepted), goal: format.number(row.goal) })}
                  {row.mine > 0 && ` · ${t('home.mine', { count: row.mine })}`}
                </span>
              </div>
              <Meter value={row.accepted} most={row.goal} mine={row.mine} label={t(`category.${row.category}.name`)} text={t('home.goalLine', { accepted: format.number(row.accepted), goal: format.number(row.goal) })} />
            </div>
            {row.weight >= NOTABLE && <Badge tone="accent">{t('home.weight', { weight: format.number(row.weight / 1000, 2) })}</Badge>}
          </li>
        ))}
      </ul>
    </Card>
  );
}
