/** The demo of `npm start` in a shorter form: a part of the records, sixty choices. Its whole test is `npm run proof:demo`. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { BASE, BOX, ROOT, TRAIN, verb } from '../../recipes/wordnet/box.ts';
import { make } from '../../recipes/wordnet/build.ts';
import { measure } from '../../recipes/wordnet/measure.ts';

const skip = existsSync(join(ROOT, BASE, 'run.json')) ? false : 'the box has no base yet';

test('a base that cannot follow instructions learns to, on words that no record had', { skip }, async () => {
  make(join(ROOT, BOX));
  mkdirSync(join(ROOT, '.roslin'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, '.roslin/test-demo-'));
  try {
    const data = join(folder, 'train.jsonl');
    writeFileSync(data, readFileSync(join(ROOT, BOX, 'train.jsonl'), 'utf8').split('\n').slice(0, 600).join('\n'));
    const out = relative(ROOT, join(folder, 'tuned'));
    const sizes = { labels: 60, pairs: 10, records: 20 };
    const before = await measure(BASE, sizes, true);
    await verb(['train', '--base', BASE, '--data', relative(ROOT, data), ...TRAIN, '--out', out], true);
    const after = await measure(out, sizes, true);
    const { verdict } = JSON.parse(readFileSync(join(ROOT, out, 'run.json'), 'utf8')) as { verdict: string };
    assert.equal(verdict, 'clear');
    assert.ok(before.exact < 0.1, `the base already answers ${before.exact} of the choices`);
    assert.ok(after.exact > 0.5, `${after.exact} of the choices right`);
    assert.ok(after.stops > 0.9, `${after.stops} of the answers end`);
    assert.ok(after.loss < 0.8 * before.loss, `loss ${before.loss} before, ${after.loss} after`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
