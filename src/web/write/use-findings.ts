/** Checks while typing, a second after the last key: form rules in the browser, what needs the whole campaign on the server. */
import { useEffect, useState } from 'react';
import type { CategoryKey } from '../../collect/rules/categories.ts';
import { FINDING_CODES, formFindings } from '../../collect/rules/forms.ts';
import { checkDraft } from '../api/collect.ts';
import type { CheckFinding, RecordBody } from '../api/types.ts';

const AFTER_MS = 1000;

/** Form rules over a body, in the shape of the server's findings. */
export function formCheck(category: CategoryKey, body: RecordBody, language: string): CheckFinding[] {
  return formFindings(category, body, language).map(({ code, field, severity, values, span }) => ({ code, field, severity, values, spans: span ? [span] : [] }));
}

/** Said while one still writes: not that something is missing or short, which the counters show. */
const QUIET: readonly string[] = ['empty', 'too_short', 'passage_missing', 'three_items'];

export function useFindings(draftId: string, category: CategoryKey, body: RecordBody, language: string, online: boolean): readonly CheckFinding[] {
  const [found, setFound] = useState<readonly CheckFinding[]>([]);
  const text = JSON.stringify(body);
  useEffect(() => {
    const abort = new AbortController();
    const look = async () => {
      const own = formCheck(category, body, language).filter(({ code }) => !QUIET.includes(code));
      setFound((before) => [...own, ...before.filter(({ code }) => !isFormCode(code))]);
      if (!online || (body.instruction + body.response).trim() === '') return;
      try {
        const { findings } = await checkDraft(draftId, body, abort.signal);
        if (!abort.signal.aborted) setFound([...own, ...findings.filter(({ code }) => !isFormCode(code))]);
      } catch {
        // The hints of the server are missing for now; handing in checks everything again.
      }
    };
    const timer = setTimeout(() => void look(), AFTER_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
    // `text` stands for the body: a new object with the same words is nothing new.
  }, [draftId, category, text, language, online]);
  return found;
}

const FORM_CODES = new Set<string>(FINDING_CODES);
const isFormCode = (code: string): boolean => FORM_CODES.has(code);
