/**
 * How the studio's pages are built: `npm run build:web`, into dist/web. No inline script and no inline style reaches the
 * page, so that the server's policy can forbid both; nothing is loaded from another host.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import tailwind from '@tailwindcss/vite';
import { defineConfig } from 'vite';
import { cataloguePlugin } from './i18n/check.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  root: here,
  publicDir: 'public',
  plugins: [cataloguePlugin(here), tailwind()],
  build: {
    outDir: join(here, '..', '..', 'dist', 'web'),
    emptyOutDir: true,
    target: 'es2023',
    cssTarget: ['chrome123', 'firefox128', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: 'manifest.json',
    license: { fileName: 'licences.md' },
    rolldownOptions: {
      // Packages of React mark what is for the browser alone; here all of it is.
      onLog: (level, log, print) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') print(level, log);
      },
    },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:7420' } },
});
