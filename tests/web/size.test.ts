/** What the first page weighs, and that nothing of it comes from elsewhere. Needs the pages built: npm run build:web. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const DIST = fileURLToPath(new URL('../../dist/web', import.meta.url));
const skip = existsSync(join(DIST, 'manifest.json')) ? false : 'the pages are not built (npm run build:web)';
/** kB of 1000 bytes, gzipped: page, style, scripts that it loads before it shows anything, and the words of a language. */
const FIRST_PAGE_KB = 150;

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
}

function firstPage(language: string): Map<string, number> {
  const manifest = JSON.parse(readFileSync(join(DIST, 'manifest.json'), 'utf8')) as Record<string, Chunk>;
  const files = new Set(['index.html', 'early.js', 'favicon.svg']);
  const visit = (name: string): void => {
    const chunk = manifest[name];
    assert.ok(chunk, `${name} is not in the manifest`);
    if (files.has(chunk.file)) return;
    files.add(chunk.file);
    for (const css of chunk.css ?? []) files.add(css);
    for (const next of chunk.imports ?? []) visit(next);
  };
  visit('index.html');
  visit(`i18n/${language}/main.ts`);
  return new Map([...files].map((file) => [file, gzipSync(readFileSync(join(DIST, file))).length]));
}

for (const language of ['en', 'ru']) {
  test(`the first page in ${language} is under ${FIRST_PAGE_KB} kB gzipped`, { skip }, (t) => {
    const files = firstPage(language);
    const total = [...files.values()].reduce((sum, bytes) => sum + bytes, 0);
    t.diagnostic(`${(total / 1000).toFixed(1)} kB: ${[...files].map(([file, bytes]) => `${file} ${(bytes / 1000).toFixed(1)}`).join(', ')}`);
    assert.ok(total < FIRST_PAGE_KB * 1000, `${total} bytes`);
  });
}

test('nothing is loaded from another host, and no script or style is inline', { skip }, () => {
  const html = readFileSync(join(DIST, 'index.html'), 'utf8');
  assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
  assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//);
  for (const name of readdirSync(join(DIST, 'assets')).filter((file) => file.endsWith('.css'))) {
    assert.doesNotMatch(readFileSync(join(DIST, 'assets', name), 'utf8'), /url\(\s*['"]?(https?:)?\/\/|@import/, name);
  }
});

test('the terms of what is bundled come along', { skip }, () => {
  const terms = readFileSync(join(DIST, 'licences.md'), 'utf8');
  for (const name of ['react-dom', '@tanstack/react-router', '@lingui/core', 'idb', 'onest']) assert.ok(terms.includes(name), `${name} is not named`);
});

test('letters are two files, each small', { skip }, () => {
  const fonts = readdirSync(join(DIST, 'assets')).filter((name) => name.endsWith('.woff2'));
  assert.equal(fonts.length, 2);
  for (const name of fonts) assert.ok(statSync(join(DIST, 'assets', name)).size < 40_000, name);
});
