/**
 * Dialogs are the browser's own: <dialog> keeps the focus inside, gives it back and closes on Escape, without a style or
 * script of anybody's being put into the page.
 */
import { useEffect, useId, useRef, type ReactNode } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { IconButton } from './button.tsx';
import { cx } from './class-names.ts';

export function Dialog({ open, onClose, title, children, actions, wide = false }: { readonly open: boolean; readonly onClose: () => void; readonly title: string; readonly children: ReactNode; readonly actions?: ReactNode; readonly wide?: boolean }) {
  const { t } = useTranslation();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (open && !element.open) element.showModal();
    if (!open && element.open) element.close();
  }, [open]);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose} onCancel={onClose} onClick={(event) => event.target === dialog.current && onClose()} className={cx('w-[calc(100vw-2rem)] rounded-card border border-line bg-card p-0 shadow-raised open:rise', wide ? 'max-w-3xl' : 'max-w-lg')}>
      {open && (
        <div className="grid gap-4 p-5 sm:p-6">
          <div className="flex items-start justify-between gap-4">
            <h2 id={id} className="text-xl font-semibold">
              {title}
            </h2>
            <IconButton icon="cross" label={t('common.close')} onClick={onClose} className="-mt-2 -mr-2" />
          </div>
          <div>{children}</div>
          {actions && <div className="flex flex-wrap justify-end gap-2">{actions}</div>}
        </div>
      )}
    </dialog>
  );
}
