/** The blind audit before prizes: one record after the other, by lot from all samples; pass or fail, and why. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { ApiError } from '../api/client.ts';
import { auditQuery, voteAudit } from '../api/review.ts';
import type { AuditItem } from '../api/types.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { useSession } from '../app/session.tsx';
import { useShortcuts } from '../app/shortcuts.tsx';
import { Button } from '../ui/button.tsx';
import { Choices, TextArea } from '../ui/field.tsx';
import { Card, CardTitle, Empty, Facts, Kbd, Notice, PageHead } from '../ui/layout.tsx';
import { Marked } from '../ui/marked.tsx';
import { useToast } from '../ui/toast.tsx';
import { useFindingText } from '../write/findings.tsx';
import { Guidance } from '../write/guidance.tsx';
import { PassageCard } from '../write/passage.tsx';

export default function Audit() {
  const { t } = useTranslation();
  const { campaign } = useSession();
  const audit = useQuery({ ...auditQuery(), enabled: campaign !== null });
  const title = t('audit.title');
  if (!audit.data) return <><PageHead title={title} />{campaign ? <QueryState error={audit.error} retry={audit.refetch} /> : <Empty icon="medal" title={t('audit.none')}>{t('home.noCampaignText')}</Empty>}</>;
  if (!audit.data.item) return <><PageHead title={title} /><Empty icon="medal" title={t('audit.none')}>{campaign?.state === 'adjudicating' ? t('audit.noneText') : t('audit.noneYet')}</Empty></>;
  return <Item key={audit.data.item.record_id} item={audit.data.item} left={audit.data.left} />;
}

function Item({ item, left }: { readonly item: AuditItem; readonly left: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const say = useFindingText();
  const [vote, setVote] = useState<'pass' | 'fail'>();
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<string>();
  const next = () => {
    void client.resetQueries({ queryKey: ['audit'] });
    void client.invalidateQueries({ queryKey: ['session'] });
    window.scrollTo({ top: 0 });
  };
  const send = useMutation({
    mutationFn: () => voteAudit(item.record_id, vote ?? 'pass', reason.trim()),
    onSuccess: () => (toast({ text: t('audit.thanks') }), next()),
    onError: (error) => {
      // Others were quicker: this record needs no vote more.
      if (!(error instanceof ApiError && error.code === 'audited_already')) return setProblem(errorText(error));
      toast({ text: errorText(error) });
      next();
    },
  });
  const submit = () => {
    if (!vote) return setProblem(t('review.verdictFirst'));
    if (vote === 'fail' && reason.trim().length < 10) return setProblem(t('audit.reasonFirst'));
    setProblem(undefined);
    if (!send.isPending) send.mutate();
  };
  useShortcuts([
    { keys: 'P', label: t('audit.vote.pass'), run: () => setVote('pass') },
    { keys: 'F', label: t('audit.vote.fail'), run: () => setVote('fail') },
    { keys: 'Ctrl+Enter', label: t('audit.send'), run: submit },
  ]);
  return (
    <>
      <PageHead title={t('audit.title')} lead={t('audit.lead', { count: left })} />
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1.35fr)_minmax(20rem,1fr)]">
        <div className="grid gap-5">
          {item.passage && <PassageCard passage={item.passage} />}
          <Card>
            <CardTitle aside={t(`category.${item.category}.name`)}>{t('review.record')}</CardTitle>
            <div className="grid gap-4">
              {(['instruction', 'response'] as const).map((field) => (
                <section key={field} aria-label={t(`write.field.${field}`)}>
                  <h3 className="text-sm text-soft">{t(`write.field.${field}`)}</h3>
                  <Marked text={item.version[field]} lang={item.language} spans={item.findings.filter((finding) => finding.field === field).flatMap(({ spans }) => spans)} className="leading-relaxed" />
                </section>
              ))}
            </div>
            {item.findings.length > 0 && <ul className="mt-5 grid gap-1.5 border-t border-line pt-4 text-[0.9375rem]">{item.findings.map((finding) => <li key={finding.code + JSON.stringify(finding.values)} className="text-warn">{say(finding)}</li>)}</ul>}
          </Card>
          {item.telemetry && (
            <Card>
              <CardTitle aside={t('review.factsAside')}>{t('review.facts')}</CardTitle>
              <Facts columns items={[[t('review.pasted'), format.percent(item.telemetry.paste_share)], [t('review.active'), t('review.minutes', { count: Math.max(1, Math.round(item.telemetry.active_ms / 60_000)) })], [t('review.edits'), format.number(item.telemetry.edits)]]} />
            </Card>
          )}
          <Guidance guideline={item.guideline} lang={document.documentElement.lang} />
        </div>
        <form
          className="grid gap-5 rounded-card border border-line bg-card p-5 shadow-card lg:sticky lg:top-6"
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <Choices legend={t('audit.question')} name="vote" value={vote} onChange={setVote} options={(['pass', 'fail'] as const).map((value) => ({ value, label: <>{t(`audit.vote.${value}`)} <Kbd>{value === 'pass' ? 'P' : 'F'}</Kbd></>, hint: t(`audit.hint.${value}`) }))} />
          {vote === 'fail' && <TextArea label={t('audit.reason')} hint={t('audit.reasonHint')} rows={3} maxLength={2000} value={reason} onChange={({ target }) => setReason(target.value)} />}
          {problem && <Notice kind="bad" live>{problem}</Notice>}
          <Button type="submit" kind="primary" busy={send.isPending}>{t('audit.send')}</Button>
        </form>
      </div>
    </>
  );
}
