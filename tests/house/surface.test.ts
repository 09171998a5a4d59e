/**
 * The names that the package exports, compared with the lists in surface/. Changing what users can import is then seen in
 * the diff: UPDATE_SURFACE=1 npm test -- tests/house/surface.test.ts writes the lists anew.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root } from './support.ts';

const MODULES = { roslin: 'src/index.ts', 'roslin/engine': 'src/engine/index.ts' };

for (const [name, path] of Object.entries(MODULES)) {
  const file = join(root, path);
  test(`${name} exports the names on record`, { skip: existsSync(file) ? false : `there is no ${path} yet` }, async () => {
    const exported = Object.keys((await import(pathToFileURL(file).href)) as object).sort();
    const record = join(root, 'tests', 'house', 'surface', `${name.replace('/', '-')}.txt`);
    if (process.env['UPDATE_SURFACE'] === '1') {
      mkdirSync(dirname(record), { recursive: true });
      writeFileSync(record, `${exported.join('\n')}\n`);
    }
    assert.ok(existsSync(record), `no list yet: UPDATE_SURFACE=1 npm test -- tests/house/surface.test.ts`);
    assert.deepEqual(exported, readFileSync(record, 'utf8').trim().split('\n'));
  });
}
