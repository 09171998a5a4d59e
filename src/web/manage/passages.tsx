/** The pool of passages: add with source, revision and licence; verify or block. The server fetches nothing. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { addPassage, movePassage, passagesQuery } from '../api/manage.ts';
import type { PassageInput, PassageRow } from '../api/types.ts';
import { QueryState, useErrorText } from '../app/failure.tsx';
import { useFormat } from '../app/format.ts';
import { hasRole, usePerson } from '../app/session.tsx';
import { Button } from '../ui/button.tsx';
import { SelectField, TextArea, TextField } from '../ui/field.tsx';
import { Badge, Card, CardTitle, Notice, PageHead, type Tone } from '../ui/layout.tsx';
import { LOCALES } from '../i18n/index.ts';
import { useToast } from '../ui/toast.tsx';

const TONES: Readonly<Record<PassageRow['state'], Tone>> = { proposed: 'info', verified: 'good', blocked: 'bad' };
const KINDS = ['wikipedia', 'organisation', 'public_domain', 'other'] as const;
const LICENCES = ['CC-BY-SA-4.0', 'CC-BY-SA-3.0', 'CC-BY-4.0', 'CC0-1.0', 'LicenseRef-Internal'] as const;

export default function Passages() {
  const { t } = useTranslation();
  const passages = useQuery(passagesQuery());
  return (
    <>
      <PageHead title={t('admin:page.passages')} lead={t('admin:passages.lead')} />
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1.4fr)_minmax(20rem,1fr)]">
        <div className="grid gap-3">
          {!passages.data ? <QueryState error={passages.error} retry={passages.refetch} /> : passages.data.passages.length === 0 ? <Card><p className="text-soft">{t('admin:passages.none')}</p></Card> : passages.data.passages.map((row) => <Row key={row.id} row={row} />)}
        </div>
        <Add />
      </div>
    </>
  );
}

function Row({ row }: { readonly row: PassageRow }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { roles } = usePerson();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const move = useMutation({ mutationFn: (event: 'verify' | 'block' | 'reopen') => movePassage(row.id, event), onSuccess: () => client.invalidateQueries({ queryKey: ['manage'] }), onError: (error) => toast({ text: errorText(error), kind: 'bad' }) });
  return (
    <Card>
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0">
          <h2 className="font-semibold">{row.title}</h2>
          <p className="text-sm text-soft">
            {[row.licence, row.revision && t('write.revision', { revision: row.revision }), format.language(row.language), t('write.words', { count: row.words }), t('admin:passages.uses', { count: row.uses })].filter(Boolean).join(' · ')}
          </p>
          {row.url && /^https?:\/\//.test(row.url) && <a href={row.url} target="_blank" rel="noopener noreferrer" className="text-sm break-all text-accent underline">{row.url}</a>}
        </div>
        <Badge tone={TONES[row.state]}>{t(`admin:passages.state.${row.state}`)}</Badge>
      </div>
      <details className="mt-3">
        <summary className="text-sm text-soft">{t('admin:passages.read')}</summary>
        <p lang={row.language} dir="auto" className="written mt-2">{row.text}</p>
      </details>
      <div className="mt-3 flex flex-wrap gap-2">
        {row.state === 'proposed' && <Button size="small" kind="primary" busy={move.isPending} aria-label={t('admin:passages.verifyOf', { title: row.title })} onClick={() => move.mutate('verify')}>{t('admin:passages.verify')}</Button>}
        {row.state !== 'blocked' && <Button size="small" kind="danger" busy={move.isPending} aria-label={t('admin:passages.blockOf', { title: row.title })} onClick={() => move.mutate('block')}>{t('admin:passages.block')}</Button>}
        {row.state === 'blocked' && hasRole(roles, 'admin') && <Button size="small" busy={move.isPending} aria-label={t('admin:passages.reopenOf', { title: row.title })} onClick={() => move.mutate('reopen')}>{t('admin:passages.reopen')}</Button>}
      </div>
    </Card>
  );
}

const EMPTY = { text: '', title: '', url: '', revision: '', author: '', kind: 'wikipedia', licence: 'CC-BY-SA-4.0', language: 'en' } as const;

function Add() {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const toast = useToast();
  const errorText = useErrorText();
  const [input, setInput] = useState<{ -readonly [K in keyof typeof EMPTY]: string }>({ ...EMPTY });
  const set = (part: Partial<typeof input>) => setInput((before) => ({ ...before, ...part }));
  const add = useMutation({
    mutationFn: () => addPassage({ ...input, kind: input.kind as PassageInput['kind'], url: input.url || undefined, revision: input.revision || undefined, author: input.author || undefined }),
    onSuccess: async () => {
      setInput({ ...EMPTY, language: input.language, licence: input.licence, kind: input.kind });
      toast({ text: t('admin:passages.added') });
      await client.invalidateQueries({ queryKey: ['manage'] });
    },
  });
  return (
    <Card className="lg:sticky lg:top-6">
      <CardTitle>{t('admin:passages.add')}</CardTitle>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <TextField type="file" accept=".txt,.md,text/plain" label={t('admin:passages.file')} hint={t('admin:passages.fileHint')} onChange={({ target }) => void target.files?.[0]?.text().then((text) => set({ text }))} />
        <TextArea required rows={7} maxLength={12000} label={t('admin:passages.text')} hint={t('admin:passages.textHint')} lang={input.language} value={input.text} onChange={({ target }) => set({ text: target.value })} />
        <TextField required maxLength={200} label={t('admin:passages.title')} value={input.title} onChange={({ target }) => set({ title: target.value })} />
        <div className="grid gap-4 sm:grid-cols-2">
          <SelectField label={t('admin:passages.kind')} value={input.kind} onChange={({ target }) => set({ kind: target.value })}>{KINDS.map((kind) => <option key={kind} value={kind}>{t(`admin:passages.kinds.${kind}`)}</option>)}</SelectField>
          <SelectField label={t('admin:passages.licence')} value={input.licence} onChange={({ target }) => set({ licence: target.value })}>{LICENCES.map((licence) => <option key={licence} value={licence}>{licence}</option>)}</SelectField>
          <SelectField label={t('admin:passages.language')} value={input.language} onChange={({ target }) => set({ language: target.value })}>{LOCALES.map((locale) => <option key={locale} value={locale}>{format.language(locale)}</option>)}</SelectField>
          <TextField maxLength={60} required={input.kind === 'wikipedia'} label={t('admin:passages.revision')} value={input.revision} onChange={({ target }) => set({ revision: target.value })} />
        </div>
        <TextField type="url" required={input.kind === 'wikipedia'} maxLength={400} label={t('admin:passages.url')} hint={t('admin:passages.urlHint')} value={input.url} onChange={({ target }) => set({ url: target.value, ...(revisionOf(target.value) && { revision: revisionOf(target.value) ?? '' }) })} />
        <TextField maxLength={200} label={t('admin:passages.author')} value={input.author} onChange={({ target }) => set({ author: target.value })} />
        {add.error && <Notice kind="bad" live>{errorText(add.error)}</Notice>}
        <div><Button type="submit" kind="primary" busy={add.isPending}>{t('admin:passages.addDo')}</Button></div>
      </form>
    </Card>
  );
}

/** The revision in a permanent link of Wikipedia. */
const revisionOf = (url: string): string | undefined => /[?&]oldid=(\d+)/.exec(url)?.[1];
