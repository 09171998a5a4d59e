/** The campaign itself: its state and what may be done next, dates, goals, prizes, policy. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { CAMPAIGN_STATES, type CampaignEvent } from '../../collect/rules/campaign.ts';
import { CATEGORIES } from '../../collect/rules/categories.ts';
import { campaignQuery, changeCampaign, moveCampaign } from '../api/manage.ts';
import type { CampaignView } from '../api/types.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { Button, ButtonLink } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { TextArea, TextField } from '../ui/field.tsx';
import { Icon } from '../ui/icon.tsx';
import { Card, CardTitle, Empty, Facts, Notice, PageHead } from '../ui/layout.tsx';
import { useSession } from '../app/session.tsx';
import { useToast } from '../ui/toast.tsx';

export default function Campaign() {
  const { t } = useTranslation();
  const session = useSession();
  const campaign = useQuery({ ...campaignQuery(), enabled: session.campaign !== null });
  if (!session.campaign) {
    return (
      <>
        <PageHead title={t('admin:page.campaign')} />
        <Empty icon="flag" title={t('home.noCampaign')} actions={<ButtonLink kind="primary" to="/manage/new">{t('home.begin')}</ButtonLink>}>{t('home.noCampaignOrganiser')}</Empty>
      </>
    );
  }
  return (
    <>
      <PageHead title={session.campaign.title} lead={t('admin:campaign.lead')} />
      {campaign.data ? <Shown campaign={campaign.data} /> : <QueryState error={campaign.error} retry={campaign.refetch} />}
    </>
  );
}

function Shown({ campaign }: { readonly campaign: CampaignView }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1.5fr)_minmax(18rem,1fr)]">
      <div className="grid gap-5">
        <Life campaign={campaign} />
        <Settings campaign={campaign} />
      </div>
      <Card>
        <CardTitle>{t('admin:campaign.facts')}</CardTitle>
        <Facts
          items={[
            [t('admin:wizard.organisation'), campaign.organisation],
            [t('admin:wizard.starts'), format.dateTime(campaign.starts_at, campaign.time_zone)],
            [t('admin:wizard.ends'), format.dateTime(campaign.ends_at, campaign.time_zone)],
            [t('admin:wizard.zone'), campaign.time_zone],
            [t('admin:wizard.languages'), format.list(campaign.languages.map((tag) => format.language(tag)))],
            [t('admin:wizard.licence'), campaign.licence],
            [t('admin:wizard.reviews'), format.number(campaign.policy.reviews)],
            ...CATEGORIES.filter((category) => campaign.goals[category] !== undefined).map((category) => [t(`category.${category}.name`), format.number(campaign.goals[category] ?? 0)] as const),
          ]}
        />
      </Card>
    </div>
  );
}

/** Where the campaign is in its life, and the steps that may follow. A step that is blocked says why. */
function Life({ campaign }: { readonly campaign: CampaignView }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const errorText = useErrorText();
  const [asking, setAsking] = useState<CampaignEvent>();
  const move = useMutation({
    mutationFn: (event: CampaignEvent) => moveCampaign(event),
    onSuccess: () => client.invalidateQueries(),
    onSettled: () => setAsking(undefined),
  });
  const here = CAMPAIGN_STATES.indexOf(campaign.state);
  return (
    <Card>
      <CardTitle>{t('admin:campaign.life')}</CardTitle>
      <ol className="grid gap-1">
        {CAMPAIGN_STATES.map((state, i) => (
          <li key={state} aria-current={state === campaign.state ? 'step' : undefined} className="flex items-start gap-3 rounded-control px-3 py-2 aria-[current=step]:bg-tint">
            <span className={`mt-0.5 grid size-6 shrink-0 place-items-center rounded-full ${i < here ? 'bg-accent text-on-accent' : i === here ? 'border-2 border-accent text-accent' : 'border-2 border-line text-soft'}`}>{i < here ? <Icon name="check" size={14} /> : <span className="text-xs font-semibold">{i + 1}</span>}</span>
            <span>
              <span className={i === here ? 'font-semibold' : 'text-soft'}>{t(`campaign.state.${state}`)}</span>
              {state === campaign.state && <span className="block text-sm">{t(`campaign.meaning.${state}`)}</span>}
            </span>
          </li>
        ))}
      </ol>
      {move.error && <div className="mt-4"><Notice kind="bad" live>{errorText(move.error)}</Notice></div>}
      <div className="mt-5 grid gap-3 border-t border-line pt-5">
        {campaign.moves.map(({ event, blocked }) => (
          <div key={event} className="flex flex-wrap items-center gap-x-4 gap-y-1">
            <Button kind={event === 'open' || event === 'resume' ? 'primary' : 'secondary'} disabled={blocked.length > 0} onClick={() => setAsking(event)}>{t(`campaign.event.${event}`)}</Button>
            {blocked.length > 0 && <p className="text-sm text-soft">{blocked.join(' ')}</p>}
          </div>
        ))}
      </div>
      <Dialog open={asking !== undefined} onClose={() => setAsking(undefined)} title={asking ? t(`campaign.event.${asking}`) : ''} actions={<><Button onClick={() => setAsking(undefined)}>{t('common.cancel')}</Button><Button kind="primary" busy={move.isPending} onClick={() => asking && move.mutate(asking)}>{asking ? t(`campaign.event.${asking}`) : ''}</Button></>}>
        {asking && <p>{t(`campaign.ask.${asking}`)}</p>}
      </Dialog>
    </Card>
  );
}

function Settings({ campaign }: { readonly campaign: CampaignView }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const [title, setTitle] = useState(campaign.title);
  const [purpose, setPurpose] = useState(campaign.purpose);
  const [prizes, setPrizes] = useState(campaign.prizes.map(({ from, to, text }) => `${from}-${to}: ${text}`).join('\n'));
  const parsed = prizes.split('\n').filter((line) => line.trim() !== '').map((line) => /^\s*(\d{1,4})(?:\s*[-–]\s*(\d{1,4}))?\s*:\s*(.+)$/.exec(line));
  const faulty = parsed.some((match) => match === null);
  const save = useMutation({
    mutationFn: () => changeCampaign({ title: title.trim(), purpose: purpose.trim(), prizes: parsed.flatMap((match) => (match ? [{ from: Number(match[1]), to: Number(match[2] ?? match[1]), text: match[3] ?? '' }] : [])) }),
    onSuccess: () => (toast({ text: t('common.saved') }), client.invalidateQueries()),
  });
  const closed = !['draft', 'open', 'paused'].includes(campaign.state);
  return (
    <Card>
      <CardTitle>{t('admin:campaign.settings')}</CardTitle>
      {closed ? (
        <p className="text-soft">{t('admin:campaign.fixed')}</p>
      ) : (
        <form
          className="grid gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            if (!faulty) save.mutate();
          }}
        >
          <TextField required maxLength={80} label={t('admin:wizard.name')} value={title} onChange={({ target }) => setTitle(target.value)} />
          <TextArea rows={2} maxLength={400} label={t('admin:wizard.purpose')} hint={t('admin:wizard.purposeHint')} value={purpose} onChange={({ target }) => setPurpose(target.value)} />
          <TextArea rows={3} label={t('admin:campaign.prizes')} hint={t('admin:campaign.prizesHint')} fault={faulty ? t('admin:campaign.prizesFault') : undefined} value={prizes} onChange={({ target }) => setPrizes(target.value)} />
          {save.error && <Notice kind="bad" live>{errorText(save.error)}</Notice>}
          <div><Button type="submit" kind="primary" busy={save.isPending}>{t('common.save')}</Button></div>
        </form>
      )}
    </Card>
  );
}
