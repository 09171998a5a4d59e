/** Choosing what to write: the eight categories with what each asks and is worth, a colleague's question, or an open draft. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { CATEGORIES } from '../../collect/rules/categories.ts';
import { homeQuery } from '../api/collect.ts';
import { QueryState } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { useSession } from '../app/session.tsx';
import { keysForPeople, useShortcuts } from '../app/shortcuts.tsx';
import { ButtonLink } from '../ui/button.tsx';
import { CategoryIcon, NOTABLE } from '../ui/category.tsx';
import { Choices } from '../ui/field.tsx';
import { Badge, Empty, Kbd, PageHead } from '../ui/layout.tsx';
import { useClaim } from '../write/claim.ts';

export default function Choose() {
  const { t } = useTranslation();
  const format = useFormat();
  const { campaign } = useSession();
  const home = useQuery({ ...homeQuery(), enabled: campaign !== null });
  const { claim, busy } = useClaim();
  const [kind, setKind] = useState<'author' | 'answer'>('author');
  const offered = CATEGORIES.filter((category) => home.data?.categories.some((row) => row.category === category));
  useShortcuts(offered.map((category, i) => ({ keys: `Alt+${i + 1}`, label: t(`category.${category}.name`), run: () => claim(category, kind) })));

  if (campaign?.state !== 'open') {
    return (
      <>
        <PageHead title={t('choose.title')} />
        <Empty icon="clock" title={t('choose.closed')}>{campaign ? t(`campaign.meaning.${campaign.state}`) : t('home.noCampaignText')}</Empty>
      </>
    );
  }
  return (
    <>
      <PageHead title={t('choose.title')} lead={t('choose.lead')} actions={<><ButtonLink to="/ask" icon="question">{t('choose.ask')}</ButtonLink><ButtonLink to="/practice" icon="bulb">{t('choose.practice')}</ButtonLink></>} />
      {!home.data ? (
        <QueryState error={home.error} retry={home.refetch} />
      ) : (
        <div className="grid gap-6">
          <Choices
            legend={t('choose.kind')}
            name="kind"
            value={kind}
            onChange={setKind}
            columns={2}
            options={[
              { value: 'author', label: t('choose.own'), hint: t('choose.ownHint') },
              { value: 'answer', label: t('choose.answer'), hint: t('choose.answerHint') },
            ]}
          />
          <ul className="grid gap-3 md:grid-cols-2">
            {offered.map((category, i) => {
              const row = home.data.categories.find((entry) => entry.category === category);
              if (!row) return null;
              return (
                <li key={category}>
                  <button type="button" disabled={busy || (kind === 'answer' && row.questions === 0)} onClick={() => claim(category, kind)} className="flex h-full w-full items-start gap-4 rounded-card border border-line bg-card p-4 text-left shadow-card transition-[border-color,box-shadow,translate] duration-200 hover:border-accent hover:shadow-raised disabled:opacity-55">
                    <CategoryIcon category={category} />
                    <span className="min-w-0 flex-1">
                      <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
                        <span className="font-semibold">{t(`category.${category}.name`)}</span>
                        {row.weight >= NOTABLE && <Badge tone="accent">{t('home.weight', { weight: format.number(row.weight / 1000, 2) })}</Badge>}
                      </span>
                      <span className="mt-1 block text-[0.9375rem] text-soft">{t(`category.${category}.what`)}</span>
                      <span className="mt-2 block text-sm text-soft">{kind === 'answer' ? (row.questions === 0 ? t('choose.noQuestions') : t('choose.questions', { count: row.questions })) : t('choose.line', { points: format.points(row.base_mp), left: format.number(Math.max(0, row.goal - row.accepted)) })}</span>
                    </span>
                    <span className="hidden lg:block">
                      <Kbd>{keysForPeople(`Alt+${i + 1}`)}</Kbd>
                    </span>
                  </button>
                </li>
              );
            })}
          </ul>
          {home.data.drafts.length > 0 && (
            <section aria-labelledby="drafts">
              <h2 id="drafts" className="mb-3 text-lg font-semibold">{t('home.drafts')}</h2>
              <ul className="grid gap-2">
                {home.data.drafts.map((draft) => (
                  <li key={draft.id}>
                    <Link to="/write/$draftId" params={{ draftId: draft.id }} className="flex items-center gap-3 rounded-control border border-line bg-card px-4 py-3 hover:border-accent">
                      <CategoryIcon category={draft.category} />
                      <span className="min-w-0 flex-1 truncate">{draft.excerpt || t('home.emptyDraft')}</span>
                      <span className="text-sm whitespace-nowrap text-soft">{format.relative(draft.saved_at)}</span>
                    </Link>
                  </li>
                ))}
              </ul>
            </section>
          )}
        </div>
      )}
    </>
  );
}
