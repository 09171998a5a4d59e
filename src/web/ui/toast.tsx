/** Short messages at the edge of the page, announced politely; one may carry an action, such as undo. */
import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { Button, IconButton } from './button.tsx';
import { Icon } from './icon.tsx';

export interface Toast {
  readonly text: string;
  readonly kind?: 'good' | 'bad';
  readonly action?: { readonly label: string; readonly run: () => void };
  readonly ms?: number;
}

const ToastContext = createContext<(toast: Toast) => void>(() => undefined);

/** Shows a message. */
export const useToast = (): ((toast: Toast) => void) => useContext(ToastContext);

export function Toasts({ children }: { readonly children: ReactNode }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState<readonly (Toast & { readonly id: number })[]>([]);
  const next = useRef(1);
  const drop = useCallback((id: number) => setShown((all) => all.filter((toast) => toast.id !== id)), []);
  const show = useCallback(
    (toast: Toast) => {
      const id = next.current++;
      setShown((all) => [...all.slice(-2), { ...toast, id }]);
      setTimeout(() => drop(id), toast.ms ?? 6000);
    },
    [drop],
  );
  const value = useMemo(() => show, [show]);
  return (
    <ToastContext value={value}>
      {children}
      <div role="status" aria-live="polite" className="pointer-events-none fixed inset-x-0 bottom-20 z-40 grid justify-items-center gap-2 px-4 lg:bottom-6">
        {shown.map((toast) => (
          <div key={toast.id} className="rise pointer-events-auto flex max-w-lg items-center gap-3 rounded-control border border-line bg-card py-2 pr-2 pl-4 shadow-raised">
            <Icon name={toast.kind === 'bad' ? 'warning' : 'check'} className={toast.kind === 'bad' ? 'text-bad' : 'text-good'} />
            <span>{toast.text}</span>
            {toast.action && (
              <Button
                kind="quiet"
                size="small"
                onClick={() => {
                  drop(toast.id);
                  toast.action?.run();
                }}
              >
                {toast.action.label}
              </Button>
            )}
            <IconButton icon="cross" label={t('common.close')} className="size-8" onClick={() => drop(toast.id)} />
          </div>
        ))}
      </div>
    </ToastContext>
  );
}
