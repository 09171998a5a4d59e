/** A contributor's first minute: why, what one may write and whose it becomes, prizes and dates, one finished example; then consent. */
import { useQuery } from '@tanstack/react-query';
import { Navigate, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { consentQuery, giveConsent, guidelineQuery } from '../api/account.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { useRefreshSession, useSession } from '../app/session.tsx';
import { Button } from '../ui/button.tsx';
import { CheckField } from '../ui/field.tsx';
import { Facts, Notice, Waiting } from '../ui/layout.tsx';
import { ExampleBox } from '../write/guidance.tsx';
import { Door } from './door.tsx';

const MarkdownText = lazy(() => import('../ui/markdown.tsx'));

export default function Welcome() {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  const navigate = useNavigate();
  const { person, campaign, consent } = useSession();
  const refresh = useRefreshSession();
  const errorText = useErrorText();
  const text = useQuery({ ...consentQuery(i18n.language), enabled: campaign !== null });
  const guideline = useQuery({ ...guidelineQuery('open_qa', i18n.language), enabled: campaign !== null });
  const [agreed, setAgreed] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  if (!person) return <Navigate to="/sign-in" />;
  if (!campaign || !consent || consent.given === consent.needed) return <Navigate to="/" />;
  const again = consent.given !== null;
  const give = async (practise: boolean) => {
    if (!text.data) return;
    setBusy(true);
    try {
      await giveConsent(text.data.version, i18n.language);
      await refresh();
      await navigate({ to: practise ? '/practice' : '/' });
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Door title={again ? t('welcome.again') : t('welcome.title', { title: campaign.title })} lead={again ? t('welcome.againText') : campaign.purpose || t('welcome.why')} wide>
      <div className="grid gap-6">
        <Facts columns items={[
          [t('welcome.until'), format.date(campaign.ends_at, campaign.time_zone)],
          [t('welcome.licence'), campaign.licence],
          [t('welcome.prizes'), campaign.prizes.length === 0 ? t('welcome.noPrizes') : campaign.prizes.map(({ text: prize }) => prize).join(' · ')],
        ]} />
        {guideline.data?.good[0] && (
          <section aria-label={t('welcome.example')} className="grid gap-2">
            <h2 className="font-semibold">{t('welcome.example')}</h2>
            <ExampleBox example={guideline.data.good[0]} good open />
          </section>
        )}
        <section aria-labelledby="terms" className="grid gap-3 border-t border-line pt-5">
          <h2 id="terms" className="font-semibold">{t('welcome.terms')}</h2>
          {text.data ? (
            <Suspense fallback={<Waiting label={t('common.loading')} />}>
              <MarkdownText text={text.data.body} lang={text.data.locale} />
            </Suspense>
          ) : (
            <QueryState error={text.error} retry={text.refetch} />
          )}
        </section>
        {error !== undefined && <Notice kind="bad" live>{errorText(error)}</Notice>}
        <CheckField label={t('welcome.agree')} hint={t('welcome.agreeHint')} checked={agreed} disabled={!text.data} onChange={({ target }) => setAgreed(target.checked)} />
        <div className="flex flex-wrap justify-end gap-2">
          <Button disabled={!agreed} busy={busy} onClick={() => void give(false)}>{t('welcome.start')}</Button>
          <Button kind="primary" disabled={!agreed} busy={busy} iconAfter="arrow" onClick={() => void give(true)}>{t('welcome.practise')}</Button>
        </div>
      </div>
    </Door>
  );
}
