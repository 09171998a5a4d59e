/** The passage that a record is about, with where it comes from. */
import { useTranslation } from '../i18n/react.ts';
import type { Passage } from '../api/types.ts';
import { Marked, type Span } from '../ui/marked.tsx';
import { ReportButton } from './report.tsx';

/** `quiet`: without the way to report it. */
export function PassageCard({ passage, spans, quiet = false }: { readonly passage: Passage; readonly spans?: readonly Span[]; readonly quiet?: boolean }) {
  const { t } = useTranslation();
  const { source } = passage;
  return (
    <section aria-labelledby="passage" className="rounded-card border border-line bg-card p-5 shadow-card sm:p-6">
      <h2 id="passage" className="text-lg font-semibold">{t('write.passage')}</h2>
      <Marked text={passage.text} spans={spans} lang={passage.language} className="mt-3 leading-relaxed" />
      <p className="mt-4 border-t border-line pt-3 text-sm text-soft">
        {source.url && /^https?:\/\//.test(source.url) ? (
          <a href={source.url} target="_blank" rel="noopener noreferrer" className="text-accent underline">{source.title}</a>
        ) : (
          source.title
        )}
        {source.author && ` · ${source.author}`}
        {source.revision && ` · ${t('write.revision', { revision: source.revision })}`}
        {` · ${source.licence}`}
      </p>
      {!quiet && <div className="mt-1 -ml-3"><ReportButton kind="passage" id={passage.id} /></div>}
    </section>
  );
}
