/** The layer rule of ARCHITECTURE.md, read from the imports: direction, cycles, stages apart, shells on top, packages listed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, violations } from './imports.ts';
import { packageJson, textFiles } from './support.ts';

const PACKAGES = [...Object.keys(packageJson.dependencies), ...Object.keys(packageJson.peerDependencies)];

test('imports in src/ follow the layers', () => {
  const files = textFiles('src', /\.tsx?$/);
  assert.ok(files.size > 10, 'the sources were not found');
  assert.deepEqual(violations(files, PACKAGES, Object.keys(packageJson.devDependencies)), []);
});

test('every way to import is seen', () => {
  const source = `
    import a from './a.ts';
    import { b, type B } from "./b.ts";
    import type { C } from './c.ts';
    import * as d from './d.ts';
    import './e.ts';
    export { f } from './f.ts';
    export * from './g.ts';
    import {
      h,
      i,
    } from './h.ts';
    const j = await import('./j.ts');
    fork(new URL('./k.ts', import.meta.url));
    // import l from './l.ts';
    /* import m from './m.ts'; */
  `;
  assert.deepEqual(importsOf(source).map(({ specifier }) => specifier).sort(), 'abcdefghjk'.split('').map((name) => `./${name}.ts`));
  assert.deepEqual(importsOf(source).filter(({ typeOnly }) => typeOnly), [{ specifier: './c.ts', typeOnly: true }]);
});

const REFUSED: Record<string, [path: string, source: string, says: RegExp]> = {
  'a lower layer importing a higher one': ['src/formats/x.ts', `import { y } from '../models/y.ts';`, /formats may not import models/],
  'a stage importing a stage': ['src/train/x.ts', `import { y } from '../evaluate/y.ts';`, /train may not import evaluate/],
  'a type alone from above': ['src/tokenizer/x.ts', `import type { Y } from '../train/y.ts';`, /tokenizer may not import train/],
  'anything importing the command line': ['src/train/x.ts', `await import('../cli/terminal.ts');`, /train may not import cli/],
  'the public surface importing the command line': ['src/index.ts', `export * from './cli/run.ts';`, /index.ts may not import cli/],
  'the engine using the shared errors': ['src/engine/x.ts', `import { InputError } from '../errors.ts';`, /engine may not import errors.ts/],
  'the engine using another package': ['src/engine/x.ts', `import { t } from 'tokenizers';`, /engine may use only/],
  'a second place that loads ONNX Runtime': ['src/engine/x.ts', `import * as ort from 'onnxruntime-node';`, /only src\/engine\/runtime\/ort.ts does/],
  'a second place that loads llama.cpp': ['src/export/x.ts', `import { getLlama } from 'node-llama-cpp';`, /only src\/llama-cpp\/load.ts does/],
  'a development package': ['src/train/x.ts', `import fc from 'fast-check';`, /does not list for users/],
  'rules of the campaign using Node': ['src/collect/rules/x.ts', `import { createHash } from 'node:crypto';`, /must be able to run in a browser/],
  'rules of the campaign using what uses Node': ['src/collect/rules/x.ts', `import { sha256 } from '../../artefacts/canonical.ts';`, /must be able to run in a browser/],
  'pages using what uses Node': ['src/web/x.ts', `import { y } from '../collect/store/y.ts';`, /which a browser cannot run/],
  'a file outside src/': ['src/train/x.ts', `import { y } from '../../tests/y.ts';`, /reaches outside src/],
  'an unknown layer': ['src/misc/x.ts', ``, /is not a layer/],
};

for (const [name, [path, source, says]] of Object.entries(REFUSED)) {
  test(`refused: ${name}`, () => {
    const found = violations(new Map([[path, source]]), PACKAGES);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0] ?? '', says);
  });
}

test('refused: a cycle, also through several files', () => {
  const files = new Map([
    ['src/train/a.ts', `import { b } from './b.ts';`],
    ['src/train/b.ts', `export * from './c.ts';`],
    ['src/train/c.ts', `import { a } from './a.ts';`],
  ]);
  assert.deepEqual(violations(files, PACKAGES), ['cycle: src/train/a.ts -> src/train/b.ts -> src/train/c.ts -> src/train/a.ts']);
});

test('allowed: a stage using what is below it, and types of ONNX Runtime and of each other', () => {
  const files = new Map([
    ['src/train/a.ts', `import { b } from '../inference/b.ts';\nimport { InputError } from '../errors.ts';`],
    ['src/engine/a.ts', `import type * as ort from 'onnxruntime-node';\nimport { b } from './b.ts';`],
    ['src/engine/b.ts', `import type { A } from './a.ts';`],
  ]);
  assert.deepEqual(violations(files, PACKAGES), []);
});
