/** Citation marks that copying from an encyclopaedia leaves: [12], [a], [note 3], [citation needed]. Brackets of code and lists are not taken for them. */

export interface CitationMark {
  readonly from: number;
  readonly to: number;
}

const MARK = /(?<=[\p{L}\p{N}\p{P}\p{S}] ?)(?:\[(?:\d{1,3}|[a-z]|(?:note|nb|n|lower-alpha|i{1,3}|прим\.?) ?\d{0,3}|citation needed|clarification needed|who\?|when\?|which\?|according to whom\?|dubious[^\]]{0,20}|better source needed|page needed|verification needed|edit|источник не указан[^\]]{0,40}|нужна цитата)\](?::\d{1,4}(?:[–-]\d{1,4})?|:[ \u200a]\d{1,4}(?:[–-]\d{1,4})?(?=[ \u200a]{2}|\u200a|[.,;)[]|$))?\u200b?)+/giu;
/** Text with these is code, where brackets are places in lists. */
const CODE = /```|^\s{0,8}(?:def |class |import |from \w+ import|#include|function |const |let |var |for ?\(|while ?\(|if ?\(|public |return\b)|[;{]\s*$|\w\(\w*\)\s*[;{]/mu;

/** Marks of a text, neighbouring ones as one. `[1]` before "=", "(" or "." and a letter is code; so are brackets that nothing stands before. */
export function findCitationMarks(text: string): CitationMark[] {
  if (!text.includes('[') || CODE.test(text)) return [];
  return Array.from(text.matchAll(MARK), ({ 0: match, index }) => ({ from: index, to: index + match.length }))
    .filter(({ from, to }) => !/^(?:\s?[=(]|\.[a-z]|\[)/u.test(text.slice(to, to + 2)) && !/[=([,] ?$/u.test(text.slice(Math.max(0, from - 2), from)));
}

/** What goes with the marks: a space that stands before one at the end of a sentence too. */
export const citationCuts = (text: string): CitationMark[] => findCitationMarks(text).map(({ from, to }) => {
  const spaced = text[from - 1] === ' ' && /^(?:[\s.,;:!?)]|$)/u.test(text.slice(to, to + 1));
  return { from: spaced ? from - 1 : from, to };
});

/** The text without its marks. */
export function withoutCitationMarks(text: string): string {
  let kept = '';
  let at = 0;
  for (const { from, to } of citationCuts(text)) {
    kept += text.slice(at, from);
    at = to;
  }
  return kept + text.slice(at);
}
