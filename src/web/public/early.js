// Runs before the first paint, so that a chosen theme or language does not flash: no inline script is allowed here.
try {
  const theme = localStorage.getItem('roslin.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  const locale = localStorage.getItem('roslin.locale');
  if (locale === 'en' || locale === 'ru') document.documentElement.lang = locale;
} catch {
  // Storage may be closed to us: the system's theme and the browser's language then hold.
}
