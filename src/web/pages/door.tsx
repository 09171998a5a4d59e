/** The frame of pages before one is inside: the mark, one card, language and theme below. */
import { useEffect, type ReactNode } from 'react';
import { Preferences } from '../app/preferences.tsx';
import { cx } from '../ui/class-names.ts';
import { Mark } from '../ui/icon.tsx';

export function Door({ title, lead, children, wide = false }: { readonly title: string; readonly lead?: ReactNode; readonly children: ReactNode; readonly wide?: boolean }) {
  useEffect(() => {
    document.title = `${title} · Roslin`;
  }, [title]);
  return (
    <div className="grid min-h-dvh content-center justify-items-center gap-6 px-4 py-10">
      <main className={cx('rise w-full', wide ? 'max-w-3xl' : 'max-w-md')}>
        <div className="mb-6 grid justify-items-center gap-3 text-center">
          <Mark size={56} />
          <h1 className="text-[1.75rem] font-semibold">{title}</h1>
          {lead && <p className="max-w-lg text-soft">{lead}</p>}
        </div>
        <div className="rounded-card border border-line bg-card p-5 shadow-raised sm:p-7">{children}</div>
      </main>
      <footer className="w-full max-w-xs">
        <Preferences />
      </footer>
    </div>
  );
}

/** The secret after the # of a link, taken out of the address so that it is not left in the history. */
let secret: string | undefined;
export function takeSecret(): string {
  if (location.hash.length > 1) {
    secret = decodeURIComponent(location.hash.slice(1));
    history.replaceState(history.state, '', location.pathname + location.search);
  }
  return secret ?? '';
}
