/** Text that people wrote, with places marked. Never markup: React writes it as text, and the marks are elements of ours. */
import { Fragment, type ReactNode } from 'react';
import { cx } from './class-names.ts';

/** Start and end: offsets in UTF-16 code units. */
export type Span = readonly number[];

/** Spans in order, joined where they touch and cut to the text. */
function joinSpans(spans: readonly Span[], length: number): [number, number][] {
  const joined: [number, number][] = [];
  const sane = spans.map(([start = 0, end = 0]) => [Math.max(0, start), Math.min(length, end)] as const).filter(([start, end]) => start < end);
  for (const [start, end] of sane.sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else joined.push([start, end]);
  }
  return joined;
}

export function Marked({ text, spans, lang, className }: { readonly text: string; readonly spans?: readonly Span[] | undefined; readonly lang?: string; readonly className?: string }) {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const [start, end] of joinSpans(spans ?? [], text.length)) {
    parts.push(<Fragment key={at}>{text.slice(at, start)}</Fragment>, <mark key={`m${start}`}>{text.slice(start, end)}</mark>);
    at = end;
  }
  parts.push(<Fragment key="rest">{text.slice(at)}</Fragment>);
  return (
    <div lang={lang} dir="auto" className={cx('written', className)}>
      {parts}
    </div>
  );
}
