import assert from 'node:assert/strict';
import { join, resolve, sep } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { InputError, UsageError } from '../../src/errors.ts';
import { parseHubId } from '../../src/hub/index.ts';
import { checkRevision, escapesFolder, hashFromEtag, insideFolder, pathProblem, quoted, repoFolderName } from '../../src/hub/names.ts';
import { selectFiles } from '../../src/hub/select.ts';

const ROOT = join(sep, 'cache', 'snapshots', 'c'.repeat(40));

describe('names', () => {
  test('ids', () => {
    assert.deepEqual(parseHubId('EleutherAI/pythia-160m'), { id: 'EleutherAI/pythia-160m' });
    assert.deepEqual(parseHubId('gpt2'), { id: 'gpt2' });
    assert.deepEqual(parseHubId('a/b_:q/c.gguf'), { id: 'a/b_', file: 'q/c.gguf' });
    assert.deepEqual(parseHubId('a/b@refs/pr/1:q/c@2.gguf'), { id: 'a/b', revision: 'refs/pr/1', file: 'q/c@2.gguf' });
    // A repository without an owner, at a branch with a slash.
    assert.deepEqual(parseHubId('gpt2@feature/x'), { id: 'gpt2', revision: 'feature/x' });
    assert.equal(repoFolderName('dataset', 'databricks/databricks-dolly-15k'), 'datasets--databricks--databricks-dolly-15k');
    for (const wrong of ['', '/', 'a/', '/b', 'a/b/c', '../b', 'a/..', 'a--b/c', 'a/b.git', 'a/-b', 'a/b.', 'a b/c', 'a\\b', `a/${'b'.repeat(96)}`, 'a/b:', 'a/b:../c', 'a/b:/c', 'a/b:c\\d', 'a/b@', 'a/b@..', 'a@1/../b', 'é/b', 'a/b\0']) {
      assert.throws(() => parseHubId(wrong), UsageError, wrong);
    }
  });

  test('revisions', () => {
    for (const right of ['main', 'refs/pr/12', 'v1.0', 'feature/x', 'f'.repeat(40)]) assert.equal(checkRevision(right), right);
    for (const wrong of ['', '..', '../x', '/x', 'a/../../b', 'a\0', 'a\\b', 'x'.repeat(256), 'a//b', 'nul']) assert.throws(() => checkRevision(wrong), UsageError, wrong);
  });

  test('paths, also those that only Windows misreads', () => {
    for (const right of ['a', 'a.b/c-d_e/f.json', '.gitattributes', 'a b', 'ünï', 'console.txt', 'com', 'com10', '...a']) assert.equal(pathProblem(right), undefined, right);
    for (const wrong of ['', '/', '/a', 'a/', 'a//b', '.', '..', './a', 'a/..', 'a\\b', 'C:\\a', 'C:a', 'a:stream', 'a\0', 'a\n', 'NUL', 'nul.txt', 'a/Con.json', 'COM1', 'lpt9.x', 'com¹', 'a.', 'a ', 'a?', `${'ü'.repeat(128)}`, 'a/'.repeat(600)]) {
      assert.notEqual(pathProblem(wrong), undefined, wrong);
      assert.throws(() => insideFolder(ROOT, wrong, 'here'), InputError, wrong);
    }
  });

  test('fuzz: a path that is let through stays in its folder, on this system and on Windows', () => {
    const piece = fc.constantFrom('..', '.', '/', '\\', 'a', 'b.json', 'C:', '\0', ' ', '%2e%2e', '~', 'NUL', '\u202e', 'é', '//', '.. ');
    const path = fc.oneof(fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')), fc.string({ unit: 'binary', maxLength: 40 }));
    let passed = 0;
    fc.assert(fc.property(path, (text) => {
      if (pathProblem(text) !== undefined) return;
      passed += 1;
      const full = insideFolder(ROOT, text, 'here');
      assert.ok(resolve(full).startsWith(ROOT + sep));
      assert.ok(!escapesFolder(text));
      for (const segment of text.split(/[/\\]/)) assert.ok(segment !== '..' && segment !== '' && !segment.includes(':'));
    }), { numRuns: 5_000, seed: 1 });
    assert.ok(passed > 200, `only ${passed} paths were let through: the test would show nothing`);
  });

  test('etags', () => {
    const sha256 = 'a1'.repeat(32);
    assert.deepEqual(hashFromEtag(`"${sha256}"`), { algorithm: 'sha256', hex: sha256 });
    assert.deepEqual(hashFromEtag(`W/"${'b'.repeat(40)}"`), { algorithm: 'git-sha1', hex: 'b'.repeat(40) });
    for (const wrong of [undefined, '', '""', '"abc"', `"${sha256}-2"`, `"${sha256.toUpperCase()}"`, `../${sha256}`, `"${sha256}\n"`]) assert.equal(hashFromEtag(wrong), undefined, String(wrong));
  });

  test('foreign text is shown without control and direction characters', () => {
    assert.equal(quoted('a\u001b[31m\u202eb\r\nc'), '"a�[31m�b��c"');
    assert.equal(quoted('x'.repeat(500)).length, 203);
  });
});

describe('which files', () => {
  const model = ['README.md', 'LICENSE', 'config.json', 'tokenizer.json', 'generation_config.json', 'tokenizer_config.json', 'special_tokens_map.json', 'chat_template.jinja', '.gitattributes', 'onnx/model.onnx', 'flax_model.msgpack'];
  const chosen = ['README.md', 'LICENSE', 'config.json', 'tokenizer.json', 'generation_config.json', 'tokenizer_config.json', 'special_tokens_map.json', 'chat_template.jinja'];

  test('a model: one file of weights, and never two that mean the same', () => {
    const { files, format } = selectFiles('model', 'o/m', [...model, 'pytorch_model.bin', 'model.safetensors', 'model.fp16.safetensors', 'consolidated.safetensors', 'model.safetensors.index.json', 'model-00001-of-00001.safetensors']);
    assert.deepEqual(new Set(files), new Set([...chosen, 'model.safetensors']));
    assert.equal(format, 'safetensors');
  });

  test('a model in shards', () => {
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const { files } = selectFiles('model', 'o/m', [...model, 'consolidated.safetensors', 'model.safetensors.index.json', ...shards]);
    assert.deepEqual(new Set(files), new Set([...chosen, 'model.safetensors.index.json', ...shards]));
  });

  test('pickled weights only where there are no safetensors, with a note', () => {
    const { files, format, note } = selectFiles('model', 'o/m', [...model, 'pytorch_model.bin', 'pytorch_model.bin.index.json', 'pytorch_model-00001-of-00001.bin', 'training_args.bin', 'a.gguf']);
    assert.deepEqual(new Set(files), new Set([...chosen, 'pytorch_model.bin']));
    assert.equal(format, 'pytorch');
    assert.match(note ?? '', /^o\/m has no safetensors: its PyTorch weights are taken, and read as data alone/);
    const shards = ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin'];
    const sharded = selectFiles('model', 'o/m', [...model, 'pytorch_model.bin.index.json', ...shards, 'optimizer.bin']);
    assert.deepEqual(new Set(sharded.files), new Set([...chosen, 'pytorch_model.bin.index.json', ...shards]));
    const safe = ['model.safetensors.index.json', 'model-00001-of-00001.safetensors'];
    const both = selectFiles('model', 'o/m', [...model, 'pytorch_model.bin', ...safe]);
    assert.deepEqual(new Set(both.files), new Set([...chosen, ...safe]));
    assert.equal(both.note, undefined);
  });

  const refusals: [string, 'model' | 'dataset', string[], string | undefined, RegExp][] = [
    ['pickled shards without their index', 'model', [...model, 'pytorch_model-00001-of-00002.bin'], undefined, /expected weights in model\.safetensors or pytorch_model\.bin \(or their shards\), found README\.md/],
    ['a pickled index alone', 'model', [...model, 'pytorch_model.bin.index.json'], undefined, /expected weights/],
    ['GGUF without a choice', 'model', ['a.gguf', 'q/b.gguf'], undefined, /found 2 GGUF files\. Choose one by writing o\/m:a\.gguf, o\/m:q\/b\.gguf\.$/],
    ['a wrong choice', 'model', ['a.gguf'], 'b.gguf', /expected the file b\.gguf, found no such file there\. Choose one by writing o\/m:a\.gguf/],
    ['a choice of another kind', 'model', ['a.gguf', 'model.safetensors'], 'model.safetensors', /expected a \.gguf file after the ":", found model\.safetensors/],
    ['a split GGUF', 'model', ['a-00001-of-00002.gguf'], 'a-00001-of-00002.gguf', /one part of a split GGUF/],
    ['an adapter', 'model', ['adapter_config.json', 'adapter_model.safetensors'], undefined, /found only a LoRA adapter/],
    ['no tokenizer', 'model', ['config.json', 'model.safetensors', 'tokenizer.model'], undefined, /expected tokenizer\.json beside the weights, found config\.json, model\.safetensors, tokenizer\.model/],
    ['an index alone', 'model', [...model, 'model.safetensors.index.json'], undefined, /expected weights/],
    ['an empty repository', 'model', [], undefined, /found no files at all/],
    ['a dataset in another format', 'dataset', ['README.md', 'data/train.parquet'], undefined, /expected a \.jsonl file at the top of the repository, found README\.md, data\/train\.parquet\. Convert/],
    ['two files of data', 'dataset', ['test.jsonl', 'train.jsonl'], undefined, /found 2 of them\. Choose one by writing o\/m:test\.jsonl, o\/m:train\.jsonl/],
    ['data in a folder', 'dataset', ['data/train.jsonl'], undefined, /Choose one by writing o\/m:data\/train\.jsonl/],
  ];
  for (const [title, kind, paths, file, message] of refusals) {
    test(`refused: ${title}`, () => assert.throws(() => selectFiles(kind, 'o/m', paths, file), { name: 'InputError', message }));
  }

  test('a dataset: its one file of records, and the card', () => {
    assert.deepEqual(selectFiles('dataset', 'databricks/databricks-dolly-15k', ['.gitattributes', 'README.md', 'databricks-dolly-15k.jsonl']),
      { format: 'jsonl', files: ['README.md', 'databricks-dolly-15k.jsonl'], entry: 'databricks-dolly-15k.jsonl' });
    assert.equal(selectFiles('dataset', 'o/d', ['test.jsonl', 'train.jsonl'], 'train.jsonl').entry, 'train.jsonl');
  });
});
