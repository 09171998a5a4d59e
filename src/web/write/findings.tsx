/** What the checks found in a field, said politely while one writes, with the place that is meant. */
import type { RefObject } from 'react';
import { useTranslation, type Key } from '../i18n/react.ts';
import type { CheckFinding } from '../api/types.ts';
import { useFormat } from '../app/format.ts';
import { keyOf } from '../i18n/index.ts';
import { Icon } from '../ui/icon.tsx';
import { Marked } from '../ui/marked.tsx';

/** The sentence for a finding, in the language of the page. */
export function useFindingText(): (finding: Pick<CheckFinding, 'code' | 'values'>) => string {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  /** Instants and languages as people read them. */
  const spelled = (values: CheckFinding['values']) => ({ ...(typeof values['at'] === 'string' && { at: format.date(values['at']) }), ...(typeof values['wanted'] === 'string' && { wanted: format.language(values['wanted']), found: format.language(String(values['found'])) }) });
  return ({ code, values }) => {
    const key = keyOf(`finding.${code}${variantOf(values)[code] ?? ''}`);
    // A number decides the form of a plural; which it is, is up to the finding.
    const count = [values['words'], values['found']].find((value) => typeof value === 'number') ?? 0;
    return i18n.exists(key) ? t(key as Key, { ...values, ...spelled(values), count }) : t('finding.other', { code });
  };
}

/** Findings that say one of two things. */
const variantOf = (values: CheckFinding['values']): Readonly<Record<string, string>> => ({ like_your_own: values['at'] === undefined ? '.some' : '.one', asked_shape: `.${values['shape']}`, shorter_than_passage: values['max'] === undefined ? '.short' : '.long' });

export function Findings({ findings, text, field }: { readonly findings: readonly CheckFinding[]; readonly text: string; readonly field: RefObject<HTMLTextAreaElement | null> }) {
  const { t } = useTranslation();
  const say = useFindingText();
  return (
    <ul aria-live="polite" className="grid gap-1.5 empty:hidden">
      {findings.map((finding) => {
        const span = finding.spans[0];
        return (
          <li key={`${finding.code}/${String(span)}/${JSON.stringify(finding.values)}`} className={`rise flex items-start gap-2 rounded-control px-3 py-2 text-[0.9375rem] ${finding.severity === 'block' ? 'bg-bad-tint' : 'bg-warn-tint'}`}>
            <Icon name="warning" size={17} className={`mt-0.5 ${finding.severity === 'block' ? 'text-bad' : 'text-warn'}`} />
            <div className="min-w-0 flex-1">
              <span className="sr-only">{finding.severity === 'block' ? t('finding.mustFix') : t('finding.hint')}: </span>
              {say(finding)}
              {span && (
                <button
                  type="button"
                  className="mt-1 block w-full rounded-lg text-left text-sm text-soft hover:text-ink"
                  onClick={() => {
                    field.current?.focus();
                    field.current?.setSelectionRange(span[0] ?? 0, span[1] ?? 0);
                  }}
                >
                  <span className="sr-only">{t('finding.show')}: </span>
                  <Excerpt text={text} span={[span[0] ?? 0, span[1] ?? 0]} />
                </button>
              )}
            </div>
          </li>
        );
      })}
    </ul>
  );
}

/** The place with a little of what stands around it. */
function Excerpt({ text, span: [start, end] }: { readonly text: string; readonly span: readonly [number, number] }) {
  const from = Math.max(0, start - 30);
  const to = Math.min(text.length, end + 30);
  const lead = from > 0 ? '…' : '';
  return <Marked text={`${lead}${text.slice(from, to)}${to < text.length ? '…' : ''}`} spans={[[start - from + lead.length, end - from + lead.length]]} className="line-clamp-3" />;
}
