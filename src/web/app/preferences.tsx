/** Language and theme of this device: offered wherever a person may be, signed in or not. */
import { useTranslation } from '../i18n/react.ts';
import { LOCALES, setLocale, type Locale } from '../i18n/index.ts';
import { cx } from '../ui/class-names.ts';
import { Icon } from '../ui/icon.tsx';
import { THEMES, useTheme } from './theme.ts';

const ICONS = { system: 'half', light: 'sun', dark: 'moon' } as const;
/** Each in its own language, so that it can be found by those who need it. */
const NAMES: Readonly<Record<Locale, string>> = { en: 'English', ru: 'Русский' };

const ITEM = 'flex min-h-9 items-center justify-center gap-1.5 rounded-lg px-2 text-sm font-medium transition-colors';

export function Preferences({ onLocale }: { readonly onLocale?: (locale: Locale) => void }) {
  const { t, i18n } = useTranslation();
  const [theme, setTheme] = useTheme();
  return (
    <div className="grid gap-2">
      <div role="group" aria-label={t('preferences.language')} className="grid grid-cols-2 gap-1 rounded-control bg-sunk p-1">
        {LOCALES.map((locale) => (
          <button
            key={locale}
            type="button"
            lang={locale}
            aria-pressed={i18n.language === locale}
            onClick={() => {
              void setLocale(locale);
              onLocale?.(locale);
            }}
            className={cx(ITEM, i18n.language === locale ? 'bg-card text-ink shadow-card' : 'text-soft hover:text-ink')}
          >
            {NAMES[locale]}
          </button>
        ))}
      </div>
      <div role="group" aria-label={t('preferences.theme')} className="grid grid-cols-3 gap-1 rounded-control bg-sunk p-1">
        {THEMES.map((name) => (
          <button key={name} type="button" aria-pressed={theme === name} onClick={() => setTheme(name)} className={cx(ITEM, theme === name ? 'bg-card text-ink shadow-card' : 'text-soft hover:text-ink')}>
            <Icon name={ICONS[name]} size={16} />
            {t(`preferences.${name}`)}
          </button>
        ))}
      </div>
    </div>
  );
}
