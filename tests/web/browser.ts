/** Debian's chromium by playwright-core, or the reason why there is none. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser } from 'playwright-core';

const PLACES = [process.env['ROSLIN_CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = PLACES.find((path) => path !== undefined && existsSync(path));
const built = existsSync(fileURLToPath(new URL('../../dist/web/index.html', import.meta.url)));

/** Why tests that need no pages of ours are skipped: false if they are not. */
export const noChromium: string | false = executablePath === undefined ? 'no chromium was found (apt-get install chromium)' : false;
/** Why browser tests are skipped: false if they are not. */
export const noBrowser: string | false = noChromium !== false ? noChromium : built ? false : 'the pages are not built (npm run build:web)';

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'] });
