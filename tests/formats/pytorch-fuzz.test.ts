/**
 * Fuzz of the reader of PyTorch files: whatever the bytes are, it gives tensors that can be read or refuses in words, and
 * asks for no more memory than the file's size justifies. 21,000 inputs; ROSLIN_FUZZ=10 makes ten times as many.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FileBytes } from '../../src/formats/input-file.ts';
import { readPytorchContents } from '../../src/formats/pytorch.ts';
import { readTensorFloat32 } from '../../src/formats/read-tensor.ts';
import { elementCount, type TensorInfo } from '../../src/formats/tensors.ts';
import { isRefused } from './support.ts';
import { archive, dict, float32, global, int, memoryFile, ops, orderedDict, storage, tensor, text, tuple, whole } from './torch-writer.ts';

const runs = (normally: number): number => Math.ceil(normally * Number(process.env['ROSLIN_FUZZ'] ?? 1));
const fixture = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures/pytorch', `${name}.bin`));

/** Reads all that can be read. True where the file opened. */
function attempt(bytes: Uint8Array): boolean {
  const file = memoryFile(bytes);
  const opened = !isRefused(() => {
    for (const entry of readPytorchContents(file).entries) readEntry(file, entry as TensorInfo & { offset: number; strides?: readonly number[] }, bytes.length);
  });
  // The directory, the pickle, each header and each storage once; several tensors may share a storage.
  assert.ok(file.asked <= 20 * bytes.length + 1000, `${file.asked} bytes asked of ${bytes.length}`);
  return opened;
}

function readEntry(file: FileBytes, entry: TensorInfo & { offset: number; strides?: readonly number[] }, size: number): void {
  const count = elementCount(entry.shape);
  assert.ok(count !== undefined && count <= size, `${entry.name}: ${count} values in a file of ${size} bytes`);
  assert.ok(entry.offset >= 0 && (entry.strides !== undefined || entry.offset + entry.byteLength <= size), `${entry.name} lies within the file`);
  if (entry.strides === undefined && ['F32', 'F16', 'BF16'].includes(entry.dtype)) readTensorFloat32(file, entry.offset, entry, new Float32Array(count));
}

/** Runs `property` and says how many were refused. */
function refusals<T>(inputs: fc.Arbitrary<T>, make: (input: T) => Uint8Array, seed: number, count: number): number {
  let refused = 0;
  fc.assert(fc.property(inputs, (input) => void (attempt(make(input)) || refused++)), { seed, numRuns: count });
  return refused;
}

/** Positions as fractions, so that one arbitrary serves pieces of any length; not fc.double, which prefers tiny ones. */
const place = fc.integer({ min: 0, max: 2 ** 24 - 1 }).map((value) => value / 2 ** 24);
const interesting = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.constantFrom(...Buffer.from('().RQbcstu}hjqrXKMJN\x85\x86\x87\x88\x89\x8a\x8c\x93\x94\x95', 'latin1')));

test('overwritten bytes anywhere in files of torch (seed 31)', () => {
  const files = ['f32', 'buffers', 'protocol4', 'module', 'views'].map(fixture);
  assert.ok(files.every(attempt));
  const changes = fc.tuple(fc.nat(files.length - 1), fc.array(fc.tuple(place, interesting), { minLength: 1, maxLength: 4 }));
  const count = runs(7000);
  const refused = refusals(changes, ([which, list]) => {
    const copy = Buffer.from(files[which]!);
    for (const [at, value] of list) copy[Math.floor(at * copy.length)] = value;
    return copy;
  }, 31, count);
  assert.ok(refused > count / 10 && refused < count, `${refused} refused: both ways were met`);
});

const storages = { 0: float32(1, 2, 3, 4), 1: Buffer.alloc(6), 2: Buffer.of(1, 0, 1) };
const half = tensor({ from: storage('1', int(3), 'HalfStorage'), shape: [int(1), int(3)], strides: [int(3), int(1)] });
const mask = tensor({ from: storage('2', int(3), 'BoolStorage'), shape: [int(3)] });
const parameter = ops(global('torch._utils', '_rebuild_parameter'), tuple(tensor({ offset: int(1), shape: [int(3)] }), 0x88, orderedDict), 'R');
const state = whole(orderedDict, '(', text('w'), tensor(), 'q\x05', text('h'), half, text('m'), mask, text('p'), parameter, text('tied'), 'h\x05', 'u', dict({ _metadata: orderedDict }), 'b');

test('a pickle whose bytes are overwritten, left out, put in or moved (seed 32)', () => {
  assert.ok(attempt(archive(state, storages)));
  const edit = fc.tuple(fc.constantFrom('set', 'drop', 'put', 'move'), place, place, interesting);
  const count = runs(8000);
  const refused = refusals(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
    let pickle: Buffer = Buffer.from(state);
    for (const [kind, from, to, value] of edits) {
      const [at, other] = [Math.floor(from * pickle.length), Math.floor(to * pickle.length)];
      const length = value % 12;
      if (kind === 'set') pickle[at] = value;
      else if (kind === 'drop') pickle = Buffer.concat([pickle.subarray(0, at), pickle.subarray(at + length)]);
      else if (kind === 'put') pickle = Buffer.concat([pickle.subarray(0, at), Buffer.of(value), pickle.subarray(at)]);
      else pickle = Buffer.concat([pickle.subarray(0, at), pickle.subarray(other, other + length), pickle.subarray(at)]);
    }
    return archive(pickle, storages);
  }, 32, count);
  assert.ok(refused > count / 2 && refused < count, `${refused} refused: both ways were met`);
});

test('opcodes and whole pieces of pickles in any order (seed 33)', () => {
  const pieces = [
    '(', 't', 'u', 's', 'b', 'R', 'Q', 'N', ')', '}', 'q\x00', 'h\x00', 'q\x01', 'h\x01', '\x85', '\x86', '\x87', '\x88', '\x89', '\x93', '\x94', '0', '2', ']', 'e', '\x81', 'K\x00', 'K\x04',
  ].map((piece) => ops(piece));
  const larger = [tensor(), half, mask, parameter, orderedDict, text('w'), text('storage'), text('_metadata'), global('torch', 'FloatStorage'), global('os', 'system'), global('torch._utils', '_rebuild_tensor_v2'), storage('0', int(4)), tuple(int(4)), tuple(int(1))];
  const piece = fc.constantFrom(...pieces, ...larger);
  const entries = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom(...larger.slice(0, 4))), { maxLength: 2 });
  const count = runs(6000);
  const refused = refusals(fc.tuple(fc.array(piece, { maxLength: 20 }), entries, fc.boolean()), ([list, named, tidy]) => {
    const body = named.flatMap(([name, value]) => [text(name), value, 's']);
    return archive(tidy ? whole('}', ...body, ...list.slice(0, 2)) : whole(...list), storages);
  }, 33, count);
  assert.ok(refused > count / 2 && refused < count, `${refused} refused: both ways were met`);
});
