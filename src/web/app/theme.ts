/** Light, dark, or as the system has it. public/early.js puts a stored choice in place before the first paint. */
import { useState } from 'react';
import { writeStored } from '../stored.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const STORED_AS = 'roslin.theme';

/** The theme of this device, and how to choose another. */
export function useTheme(): readonly [Theme, (theme: Theme) => void] {
  const [theme, set] = useState<Theme>(() => THEMES.find((name) => name === document.documentElement.dataset['theme']) ?? 'system');
  const choose = (next: Theme) => {
    set(next);
    if (next === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = next;
    writeStored(STORED_AS, next === 'system' ? null : next);
  };
  return [theme, choose];
}
