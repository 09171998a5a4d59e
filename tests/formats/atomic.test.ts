import assert from 'node:assert/strict';
import fs, { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { InputError, ResourceError } from '../../src/errors.ts';
import {
  AtomicFile,
  createFolderAtomic,
  isTemporary,
  removeTemporaries,
  requireFreeSpace,
  writeFileAtomic,
} from '../../src/formats/atomic.ts';
import { sha256File } from '../../src/formats/hash.ts';
import { writeSafetensors } from '../../src/formats/safetensors.ts';
import { assertRefuses, temporaryFolder } from './support.ts';

/** Lets `bytes` more be written in this process, then answers as a full disk does. */
function fillDisk(t: TestContext, bytes: number): void {
  const real = fs.writeSync;
  let left = bytes;
  const limited = (descriptor: number, data: Uint8Array, offset: number, length: number): number => {
    if (left === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const part = Math.min(length, left);
    left -= part;
    return real(descriptor, data, offset, part);
  };
  t.mock.method(fs, 'writeSync', limited as typeof fs.writeSync);
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
}

function isFullDisk(error: unknown): true {
  assert.ok(error instanceof ResourceError, String(error));
  assert.match(error.message, /: expected free disk space to write to, found a full disk\. Free some space/);
  return true;
}

test('a file appears whole, replaces the old one, and leaves no temporary', (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'run.json');
  writeFileAtomic(path, 'é');
  assert.deepEqual(readFileSync(path), Buffer.from('é'));
  writeFileAtomic(path, Uint8Array.of(1, 2));
  assert.deepEqual([...readFileSync(path)], [1, 2]);
  assert.deepEqual(readdirSync(folder), ['run.json']);
});

test('while a file is written its place keeps what was there', (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'a');
  writeFileAtomic(path, 'old');
  const file = new AtomicFile(path);
  file.write(Buffer.from('ne'));
  file.write(Buffer.from('w'));
  assert.equal(file.bytes, 3);
  assert.equal(readFileSync(path, 'utf8'), 'old');
  assert.equal(readdirSync(folder).filter(isTemporary).length, 1);
  file.commit();
  file.abort();
  assert.equal(readFileSync(path, 'utf8'), 'new');
  const aborted = new AtomicFile(path);
  aborted.write(Buffer.from('other'));
  aborted.abort();
  assert.equal(readFileSync(path, 'utf8'), 'new');
  assert.throws(() => aborted.write(Buffer.from('x')), /written after its end/);
  assert.deepEqual(readdirSync(folder), ['a']);
});

test('a full disk says so, keeps the old file and leaves nothing behind', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'a');
  writeFileAtomic(path, 'old');
  fillDisk(t, 10);
  assert.throws(() => writeFileAtomic(path, 'twenty bytes of text'), isFullDisk);
  assert.equal(readFileSync(path, 'utf8'), 'old');
  assert.deepEqual(readdirSync(folder), ['a']);
});

test('a disk that fills while weights are written leaves no weights', async (t) => {
  const folder = temporaryFolder(t);
  fillDisk(t, 300);
  const tensors = ['a', 'b'].map((name) => ({ name, dtype: 'F32' as const, shape: [64], data: () => new Float32Array(64) }));
  await assert.rejects(writeSafetensors(join(folder, 'model.safetensors'), tensors), isFullDisk);
  assert.deepEqual(readdirSync(folder), []);
});

test('a disk that fills while a folder is built leaves no folder', async (t) => {
  const folder = temporaryFolder(t);
  fillDisk(t, 5);
  const build = async (inside: string): Promise<void> => {
    writeFileAtomic(join(inside, 'a'), 'four');
    writeFileAtomic(join(inside, 'b'), 'four');
  };
  await assert.rejects(createFolderAtomic(join(folder, 'out'), build), isFullDisk);
  assert.deepEqual(readdirSync(folder), []);
});

test('weights that cannot fit are refused before anything is written', async (t) => {
  const folder = temporaryFolder(t);
  const huge = { name: 'a', dtype: 'F32' as const, shape: [2 ** 50], data: () => assert.fail('must not be asked for') };
  await assert.rejects(writeSafetensors(join(folder, 'x'), [huge]), (error) => {
    assert.ok(error instanceof ResourceError);
    assert.match(error.message, /expected 4503599\.6 GB of free disk space for .*x, found [\d.]+ (GB|MB|bytes)/);
    return true;
  });
  assert.deepEqual(readdirSync(folder), []);
  assert.throws(() => requireFreeSpace(join(folder, 'not', 'yet'), 1e18, 'checkpoints'), ResourceError);
  requireFreeSpace(join(folder, 'not', 'yet'), 1, 'checkpoints');
});

test('places that cannot be written are refused in words', (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'file'), '');
  assertRefuses(() => writeFileAtomic(join(folder, 'sub'), 'x'), /sub: expected the path of a file, found a folder/);
  assertRefuses(() => writeFileAtomic(join(folder, 'none', 'x'), 'x'), /found a folder that does not exist/);
  assertRefuses(() => writeFileAtomic(join(folder, 'file', 'x'), 'x'), /found a file where a folder is needed/);
  assert.deepEqual(readdirSync(folder).sort(), ['file', 'sub']);
});

test('a folder appears with all that was built in it, parents included', async (t) => {
  const target = join(temporaryFolder(t), 'runs', 'one');
  const result = await createFolderAtomic(target, async (inside) => {
    assert.ok(!existsSync(target));
    assert.ok(isTemporary(inside.split('/').at(-1)!));
    mkdirSync(join(inside, 'deep'));
    writeFileSync(join(inside, 'deep', 'a'), 'x');
    return 7;
  });
  assert.equal(result, 7);
  assert.equal(readFileSync(join(target, 'deep', 'a'), 'utf8'), 'x');
  assert.deepEqual(readdirSync(join(target, '..')), ['one']);
});

test('a folder in use, a file in its place and a failing build leave everything as it was', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'used'));
  writeFileSync(join(folder, 'used', 'a'), 'x');
  writeFileSync(join(folder, 'file'), 'x');
  mkdirSync(join(folder, 'empty'));
  const never = async (): Promise<never> => assert.fail('must not be built');
  const refused = (message: RegExp) => (error: unknown) => error instanceof InputError && message.test(error.message);
  await assert.rejects(createFolderAtomic(join(folder, 'used'), never), refused(/found a folder with something in it/));
  await assert.rejects(createFolderAtomic(join(folder, 'file'), never), refused(/found a file/));
  const failing = async (inside: string): Promise<void> => {
    writeFileSync(join(inside, 'half'), 'x');
    throw new Error('stopped');
  };
  await assert.rejects(createFolderAtomic(join(folder, 'new'), failing), /stopped/);
  await assert.rejects(createFolderAtomic(join(folder, 'not', 'yet', 'new'), failing), /stopped/);
  await assert.rejects(createFolderAtomic(join(folder, 'file', 'new'), failing), refused(/a file where a folder/));
  const missing = async (): Promise<Buffer> => readFileSync(join(folder, 'none'));
  await assert.rejects(createFolderAtomic(join(folder, 'new'), missing), { code: 'ENOENT', syscall: 'open' });
  assert.deepEqual(readdirSync(folder).sort(), ['empty', 'file', 'used']);
  await createFolderAtomic(join(folder, 'empty'), async (inside) => writeFileSync(join(inside, 'a'), 'x'));
  assert.deepEqual(readdirSync(join(folder, 'empty')), ['a']);
});

test('what a killed writer left is recognised and removed, and nothing else', (t) => {
  const folder = temporaryFolder(t);
  new AtomicFile(join(folder, 'model.safetensors')).write(Buffer.from('half'));
  mkdirSync(join(folder, '.checkpoint.tmp-0123456789ab'));
  writeFileSync(join(folder, '.checkpoint.tmp-0123456789ab', 'x'), '');
  writeFileSync(join(folder, '.tmp-mine'), '');
  writeFileSync(join(folder, 'a.tmp-0123456789ab'), '');
  assert.equal(removeTemporaries(folder).length, 2);
  assert.deepEqual(readdirSync(folder).sort(), ['.tmp-mine', 'a.tmp-0123456789ab']);
});

test('the hash of a file is that of its bytes', async (t) => {
  const path = join(temporaryFolder(t), 'a');
  writeFileSync(path, 'abc');
  assert.equal(await sha256File(path), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  writeFileSync(path, 'a'.repeat(1_000_000));
  assert.equal(await sha256File(path), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
  writeFileSync(path, '');
  assert.equal(await sha256File(path), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});
