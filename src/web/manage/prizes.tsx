/** Prizes: who stands where, which conditions are met, and the steps from candidate to handed over. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { awardsQuery, moveAward } from '../api/manage.ts';
import type { AwardRow } from '../api/types.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { useSession } from '../app/session.tsx';
import { Button, ButtonLink } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { TextArea } from '../ui/field.tsx';
import { Icon } from '../ui/icon.tsx';
import { Badge, Card, Empty, Notice, PageHead } from '../ui/layout.tsx';

type Move = AwardRow['may'][number];

export default function Prizes() {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const errorText = useErrorText();
  const { campaign } = useSession();
  const awards = useQuery(awardsQuery());
  const [asking, setAsking] = useState<{ award: AwardRow; move: Move }>();
  const [reason, setReason] = useState('');
  const move = useMutation({
    mutationFn: ({ award, move: event }: { award: AwardRow; move: Move }) => moveAward(award.id, event, reason.trim()),
    onSuccess: async () => {
      setAsking(undefined);
      setReason('');
      await client.invalidateQueries({ queryKey: ['manage'] });
    },
  });
  return (
    <>
      <PageHead title={t('admin:page.prizes')} lead={t('admin:prizes.lead')} actions={campaign?.state === 'adjudicating' && <ButtonLink to="/audit" icon="scales">{t('rooms.audit')}</ButtonLink>} />
      {!awards.data ? (
        <QueryState error={awards.error} retry={awards.refetch} />
      ) : awards.data.awards.length === 0 ? (
        <Empty icon="medal" title={t('admin:prizes.none')}>{t('admin:prizes.noneText')}</Empty>
      ) : (
        <ol className="grid gap-3">
          {awards.data.awards.map((award) => (
            <li key={award.id}>
              <Card className="flex flex-wrap items-start gap-x-6 gap-y-4">
                <span className="grid size-12 place-items-center rounded-full bg-wool text-lg font-semibold tabular">{award.place ?? '–'}</span>
                <div className="min-w-52 flex-1">
                  <h2 className="font-semibold">{award.name}</h2>
                  <p className="text-soft">{award.place === null ? t('admin:prizes.noPlace', { points: format.points(award.points_mp) }) : t('admin:prizes.line', { prize: award.prize, points: format.points(award.points_mp) })}</p>
                  {award.state !== 'delivered' && <p className="mt-1 text-sm">{t('admin:prizes.audit', { judged: format.number(award.audit.judged), sampled: format.number(award.audit.sampled), failed: format.number(award.audit.failed) })}</p>}
                  {award.state === 'forfeited' && award.reason && <p className="written mt-1 text-sm text-soft">{award.reason}</p>}
                  <ul className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-sm">
                    {award.gate.map(({ rule, met }) => (
                      <li key={rule} className={`flex items-center gap-1 ${met ? 'text-good' : 'text-bad'}`}>
                        <Icon name={met ? 'check' : 'cross'} size={15} />
                        <span className="sr-only">{met ? t('admin:prizes.met') : t('admin:prizes.notMet')}: </span>
                        {t(`admin:prizes.rule.${rule}`)}
                      </li>
                    ))}
                  </ul>
                </div>
                <div className="flex flex-wrap items-center gap-2">
                  <Badge tone={award.state === 'delivered' || award.state === 'confirmed' ? 'good' : award.state === 'forfeited' ? 'bad' : 'info'}>{t(`admin:prizes.state.${award.state}`)}</Badge>
                  {award.may.map((event) => <Button key={event} size="small" kind={event === 'forfeit' ? 'danger' : 'secondary'} disabled={event === 'audit' && (award.audit.sampled === 0 || award.audit.judged < award.audit.sampled)} aria-label={t('admin:prizes.moveOf', { move: t(`admin:prizes.move.${event}`), name: award.name })} onClick={() => setAsking({ award, move: event })}>{t(`admin:prizes.move.${event}`)}</Button>)}
                </div>
              </Card>
            </li>
          ))}
        </ol>
      )}
      <Dialog open={asking !== undefined} onClose={() => setAsking(undefined)} title={asking ? t('admin:prizes.moveOf', { move: t(`admin:prizes.move.${asking.move}`), name: asking.award.name }) : ''} actions={<><Button onClick={() => setAsking(undefined)}>{t('common.cancel')}</Button><Button kind="primary" busy={move.isPending} disabled={asking?.move === 'forfeit' && reason.trim().length < 10} onClick={() => asking && move.mutate(asking)}>{asking ? t(`admin:prizes.move.${asking.move}`) : ''}</Button></>}>
        {asking && <p className="mb-4">{t(`admin:prizes.ask.${asking.move}`)}</p>}
        {move.error && <div className="mb-4"><Notice kind="bad" live>{errorText(move.error)}</Notice></div>}
        {asking?.move === 'forfeit' && <TextArea rows={3} maxLength={2000} label={t('admin:prizes.reason')} value={reason} onChange={({ target }) => setReason(target.value)} />}
      </Dialog>
    </>
  );
}
