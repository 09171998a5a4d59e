/**
 * Keys. A page says which it has; the list of `?` shows exactly those. Letters are read by their place on the keyboard, so that
 * they work under a Russian layout too. Keys without Ctrl or Alt are off while a text is written, and can be switched off for
 * good (WCAG 2.1.4).
 */
import { createContext, useContext, useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from '../i18n/react.ts';
import { readStored, writeStored } from '../stored.ts';
import { CheckField } from '../ui/field.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Kbd } from '../ui/layout.tsx';

export interface Shortcut {
  /** `Ctrl+Enter` (Command on a Mac), `Alt+G`, `A`, `1`, `?`. */
  readonly keys: string;
  readonly label: string;
  readonly run: () => void;
}

const STORED_AS = 'roslin.single-keys';

interface Registry {
  add(shortcuts: { current: readonly Shortcut[] }): () => void;
  readonly showList: () => void;
}

const RegistryContext = createContext<Registry>({ add: () => () => undefined, showList: () => undefined });

/** Announces the keys of a page or part while it is shown. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const registry = useContext(RegistryContext);
  const current = useRef(shortcuts);
  // Layout effects: a key counts from the moment at which the page can be seen, and never means what was shown before.
  useLayoutEffect(() => {
    current.current = shortcuts;
  });
  useLayoutEffect(() => registry.add(current), [registry]);
}

/** Opens the list of keys. */
export const useShortcutList = (): (() => void) => useContext(RegistryContext).showList;

/** Whether a key event is what a shortcut names. */
export function matches(keys: string, event: Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>): boolean {
  const parts = keys.split('+');
  const last = parts.at(-1) ?? '';
  if (parts.includes('Ctrl') !== (event.ctrlKey || event.metaKey) || parts.includes('Alt') !== event.altKey) return false;
  if (last === '?') return event.key === '?';
  if (event.shiftKey !== parts.includes('Shift')) return false;
  if (/^[A-Z]$/.test(last)) return event.code === `Key${last}`;
  if (/^\d$/.test(last)) return event.code === `Digit${last}` || event.code === `Numpad${last}`;
  return event.key === last;
}

const isWriting = (target: EventTarget | null): boolean => target instanceof HTMLElement && (target.isContentEditable || target.matches('textarea, select, input:not([type=radio]):not([type=checkbox])'));

export function ShortcutProvider({ children }: { readonly children: ReactNode }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [single, setSingle] = useState(() => readStored(STORED_AS) !== 'off');
  const sets = useRef(new Set<{ current: readonly Shortcut[] }>());
  const registry = useMemo<Registry>(() => ({ add: (set) => (sets.current.add(set), () => void sets.current.delete(set)), showList: () => setOpen(true) }), []);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
      if (plain && (!single || isWriting(event.target) || document.querySelector('dialog[open]'))) return;
      if (event.key === '?') {
        event.preventDefault();
        return setOpen(true);
      }
      for (const set of [...sets.current].reverse()) {
        const hit = set.current.find(({ keys }) => matches(keys, event));
        if (!hit) continue;
        event.preventDefault();
        return hit.run();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [single]);

  const listed = open ? [...sets.current].flatMap((set) => set.current) : [];
  return (
    <RegistryContext value={registry}>
      {children}
      <Dialog open={open} onClose={() => setOpen(false)} title={t('keys.title')}>
        {listed.length === 0 && <p className="mb-3 text-soft">{t('keys.none')}</p>}
        <dl className="grid gap-2">
          {[...listed, { keys: '?', label: t('keys.list') }].map(({ keys, label }) => (
            <div key={keys} className="flex items-center justify-between gap-4">
              <dt>{label}</dt>
              <dd>
                <Kbd>{keysForPeople(keys)}</Kbd>
              </dd>
            </div>
          ))}
        </dl>
        <CheckField
          className="mt-5 border-t border-line pt-4"
          label={t('keys.single')}
          hint={t('keys.singleHint')}
          checked={single}
          onChange={({ target }) => {
            setSingle(target.checked);
            writeStored(STORED_AS, target.checked ? 'on' : 'off');
          }}
        />
      </Dialog>
    </RegistryContext>
  );
}

/** As it is written on the reader's own keyboard. */
export function keysForPeople(keys: string, mac = /Mac|iPhone|iPad/.test(navigator.userAgent)): string {
  return mac ? keys.replace('Ctrl+', '⌘').replace('Alt+', '⌥').replace('Enter', '↩') : keys.replaceAll('+', ' + ');
}
