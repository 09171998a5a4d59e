/** A page for a screen in the office: how far we are, what came today, who is ahead. Opened by a link of its own; shows no more than the board does. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { liveQuery } from '../api/collect.ts';
import type { LiveView } from '../api/types.ts';
import { QueryState } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { CategoryIcon } from '../ui/category.tsx';
import { Mark } from '../ui/icon.tsx';
import { Meter } from '../ui/meter.tsx';
import { takeSecret } from './door.tsx';

export default function Live() {
  const { t } = useTranslation();
  const [token] = useState(takeSecret);
  const live = useQuery(liveQuery(token));
  useEffect(() => {
    document.title = `${t('live.title')} · Roslin`;
  }, [t]);
  return (
    <main className="mx-auto grid min-h-dvh max-w-[100rem] content-center gap-[3vmin] p-[4vmin]">
      {live.data ? <Screen live={live.data} /> : <><h1 className="text-2xl font-semibold">{t('live.title')}</h1><QueryState error={live.error} retry={live.refetch} /></>}
    </main>
  );
}

function Screen({ live }: { readonly live: LiveView }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <>
      <header className="flex flex-wrap items-center justify-between gap-6">
        <div className="flex items-center gap-5">
          <Mark size={64} />
          <div>
            <h1 className="text-[clamp(1.6rem,3.4vw,3.2rem)] font-semibold">{live.title}</h1>
            <p className="text-[clamp(1rem,1.5vw,1.5rem)] text-soft">{t('live.until', { date: format.date(live.ends_at, live.time_zone), relative: format.relative(live.ends_at) })}</p>
          </div>
        </div>
        <div className="text-right">
          <p className="text-[clamp(2.5rem,6vw,6rem)] leading-none font-semibold tabular">{format.number(live.accepted)}</p>
          <p className="text-[clamp(1rem,1.5vw,1.5rem)] text-soft">{t('live.of', { goal: format.number(live.goal) })}</p>
        </div>
      </header>
      <Meter tall value={live.accepted} most={live.goal} label={t('live.progress')} text={t('home.goalLine', { accepted: format.number(live.accepted), goal: format.number(live.goal) })} />
      <p className="flex flex-wrap gap-x-10 gap-y-2 text-[clamp(1rem,1.6vw,1.6rem)]">
        <span>{t('live.today', { count: live.today })}</span>
        <span>{t('live.people', { count: live.people })}</span>
      </p>
      <div className="grid gap-[3vmin] lg:grid-cols-[1.4fr_1fr]">
        <section aria-labelledby="categories" className="rounded-card border border-line bg-card p-[2.5vmin] shadow-card">
          <h2 id="categories" className="mb-4 text-xl font-semibold">{t('home.goals')}</h2>
          <ul className="grid gap-4 sm:grid-cols-2">
            {live.categories.map((row) => (
              <li key={row.category} className="flex items-center gap-3">
                <CategoryIcon category={row.category} />
                <div className="flex-1">
                  <div className="mb-1 flex justify-between gap-2"><span className="font-medium">{t(`category.${row.category}.name`)}</span><span className="text-soft tabular">{format.percent(row.accepted / Math.max(1, row.goal))}</span></div>
                  <Meter value={row.accepted} most={row.goal} label={t(`category.${row.category}.name`)} text={t('home.goalLine', { accepted: format.number(row.accepted), goal: format.number(row.goal) })} />
                </div>
              </li>
            ))}
          </ul>
        </section>
        <section aria-labelledby="ahead" className="rounded-card border border-line bg-card p-[2.5vmin] shadow-card">
          <h2 id="ahead" className="mb-4 text-xl font-semibold">{t('board.top')}</h2>
          <ol className="grid gap-2 text-lg">
            {live.top.slice(0, 8).map((row) => (
              <li key={`${row.rank}/${row.name}`} className="flex gap-4">
                <span className="w-8 text-right text-soft tabular">{format.number(row.rank)}</span>
                <span className="min-w-0 flex-1 truncate font-medium">{row.name}</span>
                <span className="tabular">{format.points(row.points_mp)}</span>
              </li>
            ))}
            {live.top.length === 0 && <li className="text-soft">{t('board.empty')}</li>}
          </ol>
        </section>
      </div>
    </>
  );
}
