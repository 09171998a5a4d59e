/** What changed between two versions of a text, word by word; said in words for those who do not see colour. */
import { diffWordsWithSpace } from 'diff';
import { useTranslation } from '../i18n/react.ts';

export default function Diff({ before, after, lang }: { readonly before: string; readonly after: string; readonly lang: string }) {
  const { t } = useTranslation();
  const parts = diffWordsWithSpace(before, after, { timeout: 500, maxEditLength: 4000 });
  // Texts too far apart for a comparison worth reading.
  if (!parts) return <p lang={lang} className="written">{after}</p>;
  return (
    <div lang={lang} dir="auto" className="written leading-relaxed">
      {parts.map((part, i) =>
        part.added ? (
          <ins key={i} className="rounded-xs bg-good-tint text-good decoration-good">
            <span className="sr-only">{t('review.added')} </span>
            {part.value}
          </ins>
        ) : part.removed ? (
          <del key={i} className="rounded-xs bg-bad-tint text-bad">
            <span className="sr-only">{t('review.removed')} </span>
            {part.value}
          </del>
        ) : (
          <span key={i}>{part.value}</span>
        ),
      )}
    </div>
  );
}
