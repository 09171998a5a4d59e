/** The built web app, read once at the start: a name is looked up among what is there and never becomes a path. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.png': 'image/png', '.ico': 'image/x-icon', '.woff2': 'font/woff2', '.json': 'application/json; charset=utf-8', '.txt': 'text/plain; charset=utf-8', '.webmanifest': 'application/manifest+json',
};

interface Page {
  readonly type: string;
  readonly bytes: Buffer<ArrayBuffer>;
  readonly gzip: Buffer<ArrayBuffer> | undefined;
  readonly immutable: boolean;
}

/** `dist/web` of a clone, or `web` beside the built server. */
export function builtWeb(): string | undefined {
  return ['../../../dist/web/', '../../web/'].map((path) => fileURLToPath(new URL(path, import.meta.url))).find((folder) => existsSync(join(folder, 'index.html')) && !existsSync(join(folder, 'main.tsx')));
}

const MISSING = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Roslin</title><h1>The pages are not built</h1><p>The server runs. In a clone, "npm run build:web" builds its pages; start it again afterwards.</p></html>\n`;

export class Pages {
  readonly #pages = new Map<string, Page>();

  /** `folder` undefined: a page that says what is missing. */
  constructor(folder: string | undefined) {
    if (folder === undefined) {
      this.#pages.set('/index.html', { type: TYPES['.html']!, bytes: Buffer.from(MISSING), gzip: undefined, immutable: false });
      return;
    }
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const type = TYPES[extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const path = join(entry.parentPath, entry.name);
      const name = `/${relative(folder, path).split(sep).join('/')}`;
      const bytes = readFileSync(path);
      const gzip = bytes.length > 1000 && !/^(?:image\/png|font\/)/.test(type) ? gzipSync(bytes, { level: 9 }) : undefined;
      this.#pages.set(name, { type, bytes, gzip, immutable: name.startsWith('/assets/') });
    }
  }

  /** A file, or for any other path without a dot the app itself, which has its own addresses. Undefined: not there. */
  answer(path: string, encodings: string): Response | undefined {
    const page = this.#pages.get(path) ?? (/\.[^/]*$/.test(path) ? undefined : this.#pages.get('/index.html'));
    if (!page) return undefined;
    const gzip = page.gzip && /\bgzip\b/.test(encodings) ? page.gzip : undefined;
    return new Response(gzip ?? page.bytes, {
      headers: { 'content-type': page.type, 'cache-control': page.immutable ? 'public, max-age=31536000, immutable' : 'no-cache', vary: 'accept-encoding', ...(gzip && { 'content-encoding': 'gzip' }) },
    });
  }
}
