/** One draft being written: form, counters, findings, saving, lease, handing in, and what comes after. */
import { lazy, Suspense, useRef, useState, type ReactNode } from 'react';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from '../i18n/react.ts';
import { FORM_RULES } from '../../collect/rules/forms.ts';
import { countWords } from '../../text/words.ts';
import { ApiError } from '../api/client.ts';
import { releaseTask, saveDraft, submitDraft } from '../api/collect.ts';
import type { CheckFinding, DraftView, Field, RecordBody, Submitted } from '../api/types.ts';
import { useErrorText } from '../app/failure.tsx';
import { usePerson } from '../app/session.tsx';
import { keysForPeople, useShortcuts } from '../app/shortcuts.tsx';
import { Button } from '../ui/button.tsx';
import { CategoryIcon } from '../ui/category.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { CheckField, Choices, TextArea } from '../ui/field.tsx';
import { Notice, PageHead } from '../ui/layout.tsx';
import { After } from './after.tsx';
import { Conflict } from './conflict.tsx';
import { Findings, useFindingText } from './findings.tsx';
import { Guidance } from './guidance.tsx';
import { LeaseNotice } from './lease.tsx';
import { Counter, SaveStatus } from './parts.tsx';
import { PassageCard } from './passage.tsx';
import { ReportButton } from './report.tsx';
import { useWritingFacts } from './telemetry.ts';
import { useDraft } from './use-draft.ts';
import { formCheck, useFindings } from './use-findings.ts';

const MarkdownText = lazy(() => import('../ui/markdown.tsx'));

const SKIP_REASONS = ['too_hard', 'not_clear', 'not_suitable', 'no_time'] as const;

export function Editor({ view, above, onChanged }: { readonly view: DraftView; readonly above: ReactNode; readonly onChanged: () => void }) {
  const { t } = useTranslation();
  const { id: userId } = usePerson();
  const navigate = useNavigate();
  const errorText = useErrorText();
  const say = useFindingText();
  const { draft, task, guideline } = view;
  const { category, language } = draft;
  const rule = FORM_RULES[category];

  const [state, saver] = useDraft<RecordBody>(userId, { id: draft.id, body: draft.body, revision: draft.revision, savedAt: Date.parse(draft.saved_at) }, (body, revision, leaving) => saveDraft(draft.id, body, revision, leaving));
  const facts = useWritingFacts();
  const [attested, setAttested] = useState(false);
  const [sending, setSending] = useState(false);
  const [refused, setRefused] = useState<readonly CheckFinding[]>();
  const [problem, setProblem] = useState<string>();
  const [done, setDone] = useState<Submitted>();
  const [skipping, setSkipping] = useState(false);
  const [preview, setPreview] = useState(false);
  const fields = { instruction: useRef<HTMLTextAreaElement>(null), context: useRef<HTMLTextAreaElement>(null), response: useRef<HTMLTextAreaElement>(null) };
  const summary = useRef<HTMLDivElement>(null);
  const { body } = state;
  const findings = useFindings(draft.id, category, body, language, state.status !== 'offline' && state.status !== 'signed-out');

  const change = (field: Field, text: string, pasted: boolean) => {
    facts.input(Math.max(0, text.length - body[field].length), pasted, performance.now());
    saver.edit({ ...body, [field]: text });
    setProblem(undefined);
  };

  const refuse = (found: readonly CheckFinding[]) => {
    setRefused(found);
    requestAnimationFrame(() => summary.current?.focus());
  };

  const submit = async () => {
    if (sending || done) return;
    const blocking = formCheck(category, body, language).filter(({ severity }) => severity === 'block');
    if (blocking.length > 0) return refuse(blocking);
    if (!attested) {
      setProblem(t('write.attestFirst'));
      document.getElementById('attest')?.querySelector('input')?.focus();
      return;
    }
    setSending(true);
    setProblem(undefined);
    setRefused(undefined);
    try {
      await saver.flush();
      if (saver.state.status === 'conflict') return;
      const { revision } = saver.state;
      const answer = await submitDraft({ draft_id: draft.id, revision, body: saver.state.body, attestation: { original: true, no_ai: true }, telemetry: facts.facts, idempotency_key: `${draft.id}-${revision}` });
      await saver.finish();
      setDone(answer);
      onChanged();
    } catch (error) {
      const found = error instanceof ApiError ? (error.body as { findings?: readonly CheckFinding[] } | undefined)?.findings : undefined;
      if (found && found.length > 0) refuse(found);
      else setProblem(errorText(error));
    } finally {
      setSending(false);
    }
  };

  const release = async (reason: string) => {
    setSkipping(false);
    try {
      await saver.flush();
      await releaseTask(draft.id, reason);
      onChanged();
      await navigate({ to: '/write' });
    } catch (error) {
      setProblem(errorText(error));
    }
  };

  useShortcuts(
    done
      ? []
      : [
          { keys: 'Ctrl+Enter', label: t('write.keySubmit'), run: () => void submit() },
          { keys: 'Ctrl+S', label: t('write.keySave'), run: () => void saver.flush() },
          { keys: 'Alt+P', label: t('write.keyPreview'), run: () => setPreview(!preview) },
          ...(view.lease ? [{ keys: 'Alt+S', label: t('write.keySkip'), run: () => setSkipping(true) }] : []),
        ],
  );

  if (done) return <After submitted={done} category={category} above={above} />;

  const passage = task?.passage ?? null;
  const area = (field: 'instruction' | 'context' | 'response', label: string, hint: string, rows: number) => {
    const range = rule[field];
    return (
      <div className="grid gap-2">
        <TextArea
          ref={fields[field]}
          label={label}
          hint={hint}
          rows={rows}
          lang={language}
          dir="auto"
          spellCheck
          value={body[field]}
          onChange={({ target, nativeEvent }) => change(field, target.value, (nativeEvent as InputEvent).inputType === 'insertFromPaste')}
          aside={range && <Counter words={countWords(body[field], language)} min={range.min} max={range.max} />}
        />
        <Findings findings={findings.filter((finding) => finding.field === field)} text={body[field]} field={fields[field]} />
      </div>
    );
  };

  return (
    <>
      <PageHead
        above={above}
        title={t(`category.${category}.name`)}
        lead={view.revises ? t('write.revising') : t(`category.${category}.what`)}
        actions={<CategoryIcon category={category} large />}
      />
      {state.conflict && <Conflict mine={body} theirs={state.conflict.theirs} at={state.conflict.at} lang={language} onChoose={(choice) => saver.resolve(choice)} />}
      {state.status === 'gone' && <div className="mb-4"><Notice kind="warn" live title={t('write.goneElsewhere')}>{t('write.goneElsewhereText')}</Notice></div>}
      {view.lease && <LeaseNotice lease={view.lease} savedAt={state.savedAt} />}
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.25fr)]">
        <div className="grid gap-4 lg:sticky lg:top-6 lg:max-h-[calc(100dvh-3rem)] lg:overflow-y-auto lg:rounded-card" tabIndex={-1}>
          {passage && <PassageCard passage={passage} />}
          <Guidance guideline={guideline} lang={document.documentElement.lang} />
        </div>
        <form
          className="grid gap-6 rounded-card border border-line bg-card p-5 shadow-card sm:p-6"
          onSubmit={(event) => {
            event.preventDefault();
            void submit();
          }}
        >
          {refused && refused.length > 0 && (
            <div ref={summary} tabIndex={-1}>
              <Notice kind="bad" live title={t('write.refused', { count: refused.length })}>
                <ul className="mt-1 list-disc pl-5">
                  {refused.map((finding) => (
                    <li key={finding.code + finding.field}>
                      <button type="button" className="text-left underline" onClick={() => fields[finding.field].current?.focus()}>
                        {t(`write.field.${finding.field}`)}
                      </button>
                      {': '}
                      {say(finding)}
                    </li>
                  ))}
                </ul>
              </Notice>
            </div>
          )}
          {task?.question && (
            <section aria-labelledby="question" className="rounded-control bg-tint px-4 py-3">
              <h2 id="question" className="text-sm font-normal text-soft">{t('write.question')}</h2>
              <p lang={language} dir="auto" className="written font-medium">{task.question}</p>
              <div className="mt-2 -ml-3"><ReportButton kind="question" id={task.id} /></div>
            </section>
          )}
          {!task?.question && area('instruction', t('write.instruction'), t(`category.${category}.instructionHint`), 3)}
          {rule.context && !passage && area('context', t('write.passage'), t('write.passageHint'), 7)}
          {area('response', t('write.response'), t(`category.${category}.responseHint`), 9)}
          {preview && body.response.trim() !== '' && (
            <section aria-label={t('write.preview')} className="rounded-control border border-dashed border-line p-4">
              <Suspense fallback={null}>
                <MarkdownText text={body.response} lang={language} />
              </Suspense>
            </section>
          )}
          <div id="attest">
            <CheckField label={t('write.attest')} hint={t('write.attestHint')} checked={attested} onChange={({ target }) => { setAttested(target.checked); setProblem(undefined); }} />
          </div>
          {problem && <Notice kind="bad" live>{problem}</Notice>}
          <div className="-mx-5 flex flex-wrap items-center justify-between gap-3 border-t border-line px-5 pt-4 sm:-mx-6 sm:px-6">
            <SaveStatus state={state} />
            <div className="flex flex-wrap items-center gap-2">
              <Button kind="quiet" aria-pressed={preview} onClick={() => setPreview(!preview)}>{t('write.preview')}</Button>
              {view.lease && <Button kind="quiet" onClick={() => setSkipping(true)}>{t('write.skip')}</Button>}
              <Button type="submit" kind="primary" busy={sending}>
                {t('write.submit')}
                <span className="hidden rounded-md bg-on-accent/15 px-1.5 py-0.5 font-mono text-xs font-normal sm:inline">{keysForPeople('Ctrl+Enter')}</span>
              </Button>
            </div>
          </div>
        </form>
      </div>
      <Skip open={skipping} onClose={() => setSkipping(false)} onSkip={(reason) => void release(reason)} />
    </>
  );
}

function Skip({ open, onClose, onSkip }: { readonly open: boolean; readonly onClose: () => void; readonly onSkip: (reason: string) => void }) {
  const { t } = useTranslation();
  const [reason, setReason] = useState<(typeof SKIP_REASONS)[number]>('too_hard');
  return (
    <Dialog open={open} onClose={onClose} title={t('write.skipTitle')} actions={<><Button onClick={onClose}>{t('common.cancel')}</Button><Button kind="primary" onClick={() => onSkip(reason)}>{t('write.skipDo')}</Button></>}>
      <p className="mb-4 text-soft">{t('write.skipText')}</p>
      <Choices legend={t('write.skipWhy')} name="skip" value={reason} onChange={setReason} options={SKIP_REASONS.map((value) => ({ value, label: t(`write.skipReason.${value}`) }))} />
    </Dialog>
  );
}

