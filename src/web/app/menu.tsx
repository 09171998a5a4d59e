/** A button that shows a few links or settings below it; Escape and a click elsewhere close it. A disclosure, not an ARIA menu. */
import { useEffect, useId, useRef, useState, type ReactNode } from 'react';
import { cx } from '../ui/class-names.ts';

export function Disclosure({ label, button, children, side = 'bottom', className }: { readonly label?: string; readonly button: ReactNode; readonly children: (close: () => void) => ReactNode; readonly side?: 'top' | 'bottom'; readonly className?: string }) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      opener.current?.focus();
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('focusin', outside);
    document.addEventListener('keydown', escape);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
      document.removeEventListener('keydown', escape);
    };
  }, [open]);
  return (
    <div ref={box} className={cx('relative', className)}>
      <button ref={opener} type="button" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)} className="flex min-h-10 w-full items-center gap-2.5 rounded-control px-2 py-1.5 text-left transition-colors hover:bg-tint">
        {label && <span className="sr-only">{label}</span>}
        {button}
      </button>
      {open && (
        <div id={id} className={cx('rise absolute z-30 grid w-72 max-w-[calc(100vw-2rem)] gap-1 rounded-card border border-line bg-card p-2 shadow-raised', side === 'top' ? 'bottom-full left-0 mb-2' : 'top-full right-0 mt-2')}>
          {children(() => setOpen(false))}
        </div>
      )}
    </div>
  );
}
