/** Buttons, and links that look like them. A button that waits says so and keeps its place. */
import { Link, type LinkProps } from '@tanstack/react-router';
import type { ComponentProps, ReactNode } from 'react';
import { cx } from './class-names.ts';
import { Icon, type IconName } from './icon.tsx';

type ButtonKind = 'primary' | 'secondary' | 'quiet' | 'danger';

const KINDS: Readonly<Record<ButtonKind, string>> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong shadow-card',
  secondary: 'bg-card text-ink border border-edge hover:bg-sunk',
  quiet: 'text-accent hover:bg-tint',
  danger: 'bg-card text-bad border border-bad hover:bg-bad-tint',
};
const SIZES = { normal: 'min-h-10 px-4 py-2 text-[0.9375rem]', small: 'min-h-8 px-3 py-1 text-sm', large: 'min-h-12 px-6 py-2.5 text-base' } as const;

interface Look {
  readonly kind?: ButtonKind;
  readonly size?: keyof typeof SIZES;
  readonly icon?: IconName;
  readonly iconAfter?: IconName;
}

const look = ({ kind = 'secondary', size = 'normal' }: Look): string =>
  cx('inline-flex items-center justify-center gap-2 rounded-control font-semibold text-center leading-tight transition-colors duration-150 disabled:opacity-55 aria-disabled:opacity-55 max-w-full', KINDS[kind], SIZES[size]);

export function Button({ kind, size, icon, iconAfter, busy = false, className, children, ...rest }: Look & ComponentProps<'button'> & { readonly busy?: boolean }) {
  return (
    <button type="button" {...rest} disabled={rest.disabled === true || busy} aria-busy={busy || undefined} className={cx(look({ kind, size }), className)}>
      {busy ? <Spinner /> : icon && <Icon name={icon} size={18} />}
      {children}
      {iconAfter && <Icon name={iconAfter} size={18} />}
    </button>
  );
}

export function ButtonLink({ kind, size, icon, iconAfter, className, children, ...rest }: Look & LinkProps & { readonly className?: string; readonly children: ReactNode }) {
  return (
    <Link {...rest} className={cx(look({ kind, size }), className)}>
      {icon && <Icon name={icon} size={18} />}
      {children}
      {iconAfter && <Icon name={iconAfter} size={18} />}
    </Link>
  );
}

/** The way back to the list, above a page's title. */
export function BackLink({ children, ...rest }: LinkProps & { readonly children: ReactNode }) {
  return (
    <Link {...rest} className="mb-2 inline-flex items-center gap-1.5 text-sm text-soft hover:text-ink">
      <Icon name="back" size={16} />
      {children}
    </Link>
  );
}

/** A file of the server's to keep. */
export function DownloadLink({ href, size, icon, children }: Pick<Look, 'size' | 'icon'> & { readonly href: string; readonly children: ReactNode }) {
  return (
    <a href={href} download className={look({ size })}>
      {icon && <Icon name={icon} size={16} />}
      {children}
    </a>
  );
}

/** A button that is a picture alone: `label` is what it is called. */
export function IconButton({ icon, label, className, ...rest }: { readonly icon: IconName; readonly label: string } & ComponentProps<'button'>) {
  return (
    <button type="button" {...rest} aria-label={label} title={label} className={cx('inline-grid size-10 place-items-center rounded-control text-soft transition-colors hover:bg-tint hover:text-ink', className)}>
      <Icon name={icon} />
    </button>
  );
}

function Spinner() {
  return <span aria-hidden="true" className="size-4 animate-spin rounded-full border-2 border-current border-r-transparent" />;
}
