/** Pieces that pages are laid out with: head, cards, notices, what to say when there is nothing. */
import { useEffect, useRef, type ReactNode } from 'react';
import { cx } from './class-names.ts';
import { Icon, type IconName } from './icon.tsx';

/** The head of a page. Its title takes the focus when the page opens, so that a screen reader begins there, and names the tab. */
export function PageHead({ title, lead, actions, above }: { readonly title: string; readonly lead?: ReactNode; readonly actions?: ReactNode; readonly above?: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Roslin`;
  }, [title]);
  useEffect(() => {
    // The first page keeps the browser's own start, and a field with the focus keeps it.
    if (document.body.dataset['moved'] === 'yes' && (document.activeElement === document.body || document.activeElement?.closest('nav'))) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div className="rise mb-6 flex flex-wrap items-end justify-between gap-x-8 gap-y-4">
      <div className="min-w-0 max-w-3xl">
        {above}
        <h1 ref={heading} tabIndex={-1} className="text-[1.75rem] font-semibold sm:text-[2rem]">
          {title}
        </h1>
        {lead && <p className="mt-2 text-soft">{lead}</p>}
      </div>
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </div>
  );
}

export function Card({ children, className, label }: { readonly children: ReactNode; readonly className?: string; readonly label?: string }) {
  return (
    <section aria-label={label} className={cx('rounded-card border border-line bg-card p-5 shadow-card sm:p-6', className)}>
      {children}
    </section>
  );
}

export function CardTitle({ children, aside, id }: { readonly children: ReactNode; readonly aside?: ReactNode; readonly id?: string }) {
  return (
    <div className="mb-4 flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
      <h2 id={id} className="text-lg font-semibold">
        {children}
      </h2>
      {aside && <div className="text-sm text-soft">{aside}</div>}
    </div>
  );
}

const NOTICES = {
  info: ['bg-info-tint text-info', 'info'],
  warn: ['bg-warn-tint text-warn', 'warning'],
  bad: ['bg-bad-tint text-bad', 'warning'],
  good: ['bg-good-tint text-good', 'check'],
} as const satisfies Record<string, readonly [string, IconName]>;

/** Something to know, in a quiet box. `live` announces it to screen readers when it appears. */
export function Notice({ kind = 'info', title, children, live = false, actions }: { readonly kind?: keyof typeof NOTICES; readonly title?: ReactNode; readonly children?: ReactNode; readonly live?: boolean; readonly actions?: ReactNode }) {
  const [colours, icon] = NOTICES[kind];
  return (
    <div role={live ? (kind === 'bad' ? 'alert' : 'status') : undefined} className={cx('rise flex items-start gap-3 rounded-control px-4 py-3', colours)}>
      <Icon name={icon} className="mt-0.5" />
      <div className="min-w-0 flex-1">
        {title && <p className="font-semibold">{title}</p>}
        {children && <div className="text-ink">{children}</div>}
        {actions && <div className="mt-3 flex flex-wrap gap-2">{actions}</div>}
      </div>
    </div>
  );
}

export function Empty({ icon, title, children, actions }: { readonly icon: IconName; readonly title: string; readonly children?: ReactNode; readonly actions?: ReactNode }) {
  return (
    <div className="grid justify-items-center gap-2 rounded-card border border-dashed border-line px-6 py-14 text-center">
      <span className="mb-2 grid size-14 place-items-center rounded-full bg-tint text-accent">
        <Icon name={icon} size={26} />
      </span>
      <h2 className="text-lg font-semibold">{title}</h2>
      {children && <p className="max-w-md text-soft">{children}</p>}
      {actions && <div className="mt-3 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}

export type Tone = 'plain' | 'info' | 'warn' | 'bad' | 'good' | 'accent';

const TONES: Readonly<Record<Tone, string>> = {
  plain: 'bg-sunk text-soft',
  info: 'bg-info-tint text-info',
  warn: 'bg-warn-tint text-warn',
  bad: 'bg-bad-tint text-bad',
  good: 'bg-good-tint text-good',
  accent: 'bg-tint text-accent',
};

export function Badge({ tone = 'plain', children }: { readonly tone?: Tone; readonly children: ReactNode }) {
  return <span className={cx('inline-flex items-center gap-1 rounded-full px-2.5 py-0.5 text-[0.8125rem] font-medium leading-5', TONES[tone])}>{children}</span>;
}

/** Pairs of a word and what it stands for. */
export function Facts({ items, columns = false }: { readonly items: readonly (readonly [string, ReactNode])[]; readonly columns?: boolean }) {
  return (
    <dl className={cx('grid gap-x-8 gap-y-3', columns && 'sm:grid-cols-2 lg:grid-cols-3')}>
      {items.map(([term, value]) => (
        <div key={term}>
          <dt className="text-sm text-soft">{term}</dt>
          <dd className="font-medium">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Kbd({ children }: { readonly children: ReactNode }) {
  return <kbd className="rounded-md border border-line bg-sunk px-1.5 py-0.5 font-mono text-[0.75rem] leading-none text-soft">{children}</kbd>;
}

/** While data comes: quiet grey lines, announced once. */
export function Waiting({ label, lines = 4 }: { readonly label: string; readonly lines?: number }) {
  return (
    <div role="status" className="grid gap-3">
      <span className="sr-only">{label}</span>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} aria-hidden="true" className="h-4 animate-pulse rounded bg-line" style={{ width: `${[92, 76, 84, 60][i % 4]}%` }} />
      ))}
    </div>
  );
}
