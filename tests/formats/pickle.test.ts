/** Pickles that would do harm or lie, inside an archive that is as it should be: each is refused in words, and nothing happens. */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { PickleDict, pickleLimits, PickleTuple, readPickle, type PickleValue } from '../../src/formats/pickle.ts';
import { readPytorchContents } from '../../src/formats/pytorch.ts';
import { assertRefuses } from './support.ts';
import { archive, dict, fourFloats, global, int, long, memoryFile, ops, orderedDict, storage, tensor, text, tuple, u64, whole } from './torch-writer.ts';

const canary = join(tmpdir(), `roslin-pickle-canary-${process.pid}`);
after(() => rmSync(canary, { force: true }));

const open = (pickle: Uint8Array) => readPytorchContents(memoryFile(archive(pickle, fourFloats))).entries;
const short = (value: string) => ops(0x8c, value.length, value);
const stackGlobal = (module: string, name: string) => ops(short(module), short(name), 0x93);
const run = text(`touch ${canary}`);
const withW = (value: Uint8Array) => whole(dict({ w: value }));

describe('code', () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ['REDUCE of os.system', whole(global('os', 'system'), tuple(run), 'R'), /found os\.system, by which Python would run code\. Nothing of it was run/],
    ['REDUCE of posix.system in a dictionary', withW(ops(global('posix', 'system'), tuple(run), 'R')), /found posix\.system/],
    ['builtins.eval', whole(global('builtins', 'eval'), tuple(text('1')), 'R'), /found builtins\.eval/],
    ['__builtin__.exec', whole(global('__builtin__', 'exec'), tuple(text('1')), 'R'), /found __builtin__\.exec/],
    ['subprocess.Popen', whole(global('subprocess', 'Popen'), tuple(run), 'R'), /found subprocess\.Popen/],
    ['a chain of getattr', whole(global('builtins', 'getattr'), tuple(global('builtins', '__import__'), text('os')), 'R', tuple(run), 'R'), /found builtins\.getattr/],
    ['STACK_GLOBAL', whole(stackGlobal('os', 'system'), tuple(run), 'R'), /found os\.system/],
    ['STACK_GLOBAL of what is no text', whole('K\u0001', short('system'), 0x93), /two texts as the name of a global, found 1 and "system"/],
    ['STACK_GLOBAL of a tuple', whole(tuple(), short('system'), 0x93), /found a tuple of 0 and "system"/],
    ['a name with a dot', whole(stackGlobal('collections', 'OrderedDict.__init__'), ')R'), /found collections\.OrderedDict\.__init__/],
    ['a module shifted into the name', whole(stackGlobal('torch._utils._rebuild_tensor_v2', '__globals__'), ')R'), /found torch\._utils\._rebuild_tensor_v2\.__globals__/],
    ['torch.load', whole(global('torch', 'load'), tuple(run), 'R'), /found torch\.load/],
    ['torch.storage._load_from_bytes', whole(global('torch.storage', '_load_from_bytes'), tuple(run), 'R'), /found torch\.storage\._load_from_bytes/],
    ['_rebuild_parameter_with_state', whole(global('torch._utils', '_rebuild_parameter_with_state'), ')R'), /found torch\._utils\._rebuild_parameter_with_state/],
    ['a prototype of JavaScript', whole(global('__proto__', 'constructor'), ')R'), /found __proto__\.constructor/],
    ['a name without its end', whole('cos'), /a name of at most 256 bytes/],
    ['a name without end', whole('c', 'a'.repeat(10_000), '\nb\n'), /a name of at most 256 bytes/],
    ['a name that is not text', whole('c\xff\nb\n'), /expected text in UTF-8/],
    ['INST', whole('(', run, 'ios\nsystem\n'), /found the opcode INST for os\.system/],
    ['OBJ', whole('(', orderedDict, run, 'o'), /found the opcode OBJ/],
    ['NEWOBJ', whole(global('collections', 'OrderedDict'), ')', 0x81), /found the opcode NEWOBJ/],
    ['NEWOBJ_EX', whole(global('collections', 'OrderedDict'), ')}', 0x92), /found the opcode NEWOBJ_EX/],
    ['EXT1', whole(0x82, 1), /found the opcode EXT1/],
    ['EXT2', whole(0x83, 1, 0), /found the opcode EXT2/],
    ['EXT4', whole(0x84, 1, 0, 0, 0), /found the opcode EXT4/],
    ['PERSID', whole('Pstorage\n'), /found the opcode PERSID/],
    ['NEXT_BUFFER', whole(0x97), /found the opcode NEXT_BUFFER/],
    ['BINBYTES', whole('B', 1, 0, 0, 0, 'a'), /found the opcode BINBYTES/],
    ['an old STRING', whole("S'os'\n"), /found the opcode STRING/],
    ['POP', whole('N0N'), /found the opcode POP/],
    ['DUP', whole('N2'), /found the opcode DUP/],
    ['a list', whole(']'), /found the opcode EMPTY_LIST/],
    ['a set', whole(0x8f), /found the opcode EMPTY_SET/],
    ['no opcode', whole(0xff), /expected an opcode of pickle, found the byte 255/],
    ['PROTO again', whole(0x80, 2), /found the opcode PROTO/],
    ['a call of a class of storage', withW(ops(global('torch', 'FloatStorage'), tuple(int(4)), 'R')), /a call of torch\.FloatStorage/],
    ['a call of a text', withW(ops(text('os.system'), tuple(run), 'R')), /the name of what to call, found "os\.system"/],
    ['a call of a dictionary', withW(ops(orderedDict, tuple(), 'R')), /the name of what to call, found a dictionary of 0/],
    ['a call without a tuple', withW(ops(global('collections', 'OrderedDict'), '}R')), /a tuple of arguments for collections\.OrderedDict, found a dictionary/],
    ['OrderedDict of arguments', withW(ops(global('collections', 'OrderedDict'), tuple(tuple()), 'R')), /OrderedDict without arguments, found 1/],
    ['BUILD with __setstate__', whole(orderedDict, dict({ __setstate__: global('collections', 'OrderedDict') }), 'b'), /_metadata as the one attribute of a state dict, found also "__setstate__"/],
    ['BUILD of two attributes', whole(orderedDict, dict({ _metadata: '}', __class__: 'N' }), 'b'), /found also "__class__"/],
    ['BUILD with slots', whole(orderedDict, tuple('}', '}'), 'b'), /_metadata as the one attribute of a state dict, found a tuple of 2/],
    ['BUILD of a plain dictionary', whole('}', dict({ _metadata: '}' }), 'b'), /attributes of an collections\.OrderedDict alone/],
    ['BUILD of a tensor', withW(ops(tensor(), dict({ _metadata: '}' }), 'b')), /found attributes of a tensor \[4\]/],
    ['BUILD of a name', withW(ops(global('torch', 'FloatStorage'), dict({ _metadata: '}' }), 'b')), /found attributes of the name torch\.FloatStorage/],
    ['hooks', withW(tensor({ hooks: dict({ a: global('collections', 'OrderedDict') }) })), /a flag and no hooks, found false and a dictionary of 1/],
  ];
  for (const [name, pickle, message] of cases) {
    test(name, () => {
      assertRefuses(() => open(pickle), message);
      assert.ok(!existsSync(canary));
    });
  }
});

describe('the machine', () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ['nothing at all', Buffer.alloc(0), /data\.pkl byte 0: expected 1 bytes more, found the end/],
    ['no protocol', ops('}.'), /a pickle, which begins with its protocol/],
    ['protocol 1', ops(0x80, 1, '}.'), /protocol 2 to 5, found protocol 1/],
    ['protocol 6', ops(0x80, 6, '}.'), /found protocol 6/],
    ['nothing to stop with', whole(), /one value at the end, found 0/],
    ['two values', whole('NN'), /one value at the end, found 2/],
    ['an open mark', whole('N('), /found 1 and 1 open marks/],
    ['bytes after the end', ops(whole('}'), '.'), /the end of the pickle, found 1 bytes after it/],
    ['no end', ops(0x80, 2, '}'), /1 bytes more, found the end of the pickle/],
    ['a tuple of what is not there', whole(0x86), /2 values on the stack, found 0/],
    ['a tuple through a mark', whole('N(', 0x85), /1 values on the stack, found 0/],
    ['no mark', whole('Nt'), /a MARK before, found none/],
    ['entries of a number', whole('K\u0001NNs'), /a dictionary to set entries of, found 1/],
    ['entries of nothing', whole('(NNu'), /1 values on the stack/],
    ['entries of a tensor', whole(tensor(), 'NNs'), /a dictionary to set entries of, found a tensor/],
    ['a key without its value', whole('}(Nu'), /keys and values, found 1/],
    ['a memory that is not there', whole('h\u0007'), /something remembered as 7, found nothing/],
    ['a memory far away', whole('j', 0xff, 0xff, 0xff, 0xff), /something remembered as 4294967295/],
    ['remembering nothing', whole('q\u0000'), /1 values on the stack/],
    ['remembering through a mark', whole('N(', 0x94), /1 values on the stack/],
    ['a frame that is too long', whole(0x95, u64(1000), '}'), /a frame of at most 2 bytes, found one of 1000/],
    ['a frame without end', whole(0x95, u64(2n ** 64n - 1n), '}'), /a frame of at most/],
    ['a text that is too long', whole('X', 0xff, 0xff, 0xff, 0x7f), /a text of at most 65536 bytes, found one of 2147483647/],
    ['a text of 2^63', whole(0x8d, u64(2n ** 63n)), /a text of at most 65536 bytes, found one of Infinity/],
    ['a text beyond the end', whole('X', 100, 0, 0, 0, 'a'), /100 bytes more, found the end of the pickle after 2/],
    ['a text that is none', whole('X', 2, 0, 0, 0, 0xc3, 0x28), /expected text in UTF-8/],
    ['half a surrogate', whole('X', 3, 0, 0, 0, 0xed, 0xa0, 0x80), /expected text in UTF-8/],
    ['a number of 255 bytes', whole(0x8a, 255, 'a'.repeat(255)), /a whole number of at most 8 bytes, found one of 255/],
    ['a number of 2^31 bytes', whole(0x8b, 0, 0, 0, 0x80), /found the opcode LONG4/],
    ['a number above 2^53', whole(long(2n ** 53n)), /a whole number below 2\^53, found 9007199254740992/],
    ['a number of 2^63', whole(long(-(2n ** 63n))), /found -9223372036854775808/],
  ];
  for (const [name, pickle, message] of cases) test(name, () => assertRefuses(() => open(pickle), message));

  test('every opcode that is known makes what Python makes', () => {
    const fault = () => assert.fail('no name is asked for');
    const world = { global: fault, persistent: fault, call: fault, build: fault };
    const pickle = whole(
      0x95, u64(10), '(', dict({ k: 'N' }), 'q\u0000', 'K\u0003', 'M', 1, 2, 'J', 0xfe, 0xff, 0xff, 0xff, 0x88, 0x89, 'N', 0x87, 'r', 1, 0, 0, 0, 0x8a, 0, long(-5n), 0x86, 0x85, 0x94, 'h\u0000', 'j', 2, 0, 0, 0, ')',
      text('\u00e9'), short('a'), 0x8d, u64(1), 'b', '}', short('x'), 'K\u0001s', 't',
    );
    const plain = (value: PickleValue): unknown => (value instanceof PickleTuple ? value.items.map(plain) : value instanceof PickleDict ? { items: value.items.map(plain) } : value);
    const k = { items: ['k', null] };
    assert.deepEqual(plain(readPickle(pickle, world, assert.fail)), [k, 3, 513, -2, [true, false, null], [[0, -5]], k, [[0, -5]], [], '\u00e9', 'a', 'b', { items: ['x', 1] }]);
  });
});

describe('sizes', () => {
  const view = (given: Parameters<typeof tensor>[0]) => withW(tensor(given));
  const max = long(2n ** 53n - 1n);
  const cases: [string, Uint8Array, RegExp][] = [
    ['an id that is a text', withW(ops(text('storage'), 'Q')), /the id of a storage: .*, found "storage"/],
    ['an id of four', withW(ops(tuple(text('storage'), global('torch', 'FloatStorage'), text('0'), text('cpu')), 'Q')), /found a tuple of 4/],
    ['an id of another kind', withW(ops(tuple(text('module'), global('torch', 'FloatStorage'), text('0'), text('cpu'), int(4)), 'Q')), /found \("module", the name torch\.FloatStorage, "0", "cpu", 4\)/],
    ['a class that is no storage', withW(ops(tuple(text('storage'), global('collections', 'OrderedDict'), text('0'), text('cpu'), int(4)), 'Q')), /the name collections\.OrderedDict/],
    ['a class as text', withW(ops(tuple(text('storage'), text('FloatStorage'), text('0'), text('cpu'), int(4)), 'Q')), /"FloatStorage"/],
    ['a key that is a number', withW(ops(tuple(text('storage'), global('torch', 'FloatStorage'), int(0), text('cpu'), int(4)), 'Q')), /found \("storage", .*, 0, "cpu", 4\)/],
    ['a storage that is not there', view({ from: storage('7', int(4)) }), /an entry data\/7 in the archive, found none/],
    ['a key that climbs', view({ from: storage('../data.pkl', int(4)) }), /an entry data\/\.\.\/data\.pkl in the archive, found none/],
    ['a longer storage', view({ from: storage('0', int(5)) }), /4 values of F32 in the 16 bytes of data\/0, found 5/],
    ['a shorter storage', view({ from: storage('0', int(3)) }), /found 3/],
    ['a storage of 2^53', view({ from: storage('0', max) }), /found 9007199254740991/],
    ['a negative storage', view({ from: storage('0', long(-1n)) }), /found \("storage".*-1\)/],
    ['one storage in two types', withW(tuple(storage('0', int(4)), storage('0', int(8), 'HalfStorage'))), /storage "0" as before, a storage of 4 F32, found 8 F16/],
    ['a dictionary as storage', view({ from: '}' }), /a storage to rebuild a tensor from, found a dictionary of 0/],
    ['an offset beyond', view({ offset: int(1) }), /values within the storage's 4, found an end at 5 \(offset 1, strides \[1\]\)/],
    ['an offset of 2^53', view({ offset: max }), /values within the storage's 4/],
    ['a negative offset', view({ offset: long(-4n) }), /an offset into the storage, found -4/],
    ['an offset that is True', view({ offset: ops(0x88) }), /an offset into the storage, found true/],
    ['no values, far out', view({ offset: int(6), shape: [int(0)] }), /values within the storage's 4, found an end at 6/],
    ['a stride beyond', view({ shape: [int(2)], strides: [int(4)] }), /found an end at 5/],
    ['a stride of 2^53', view({ shape: [int(2), int(2)], strides: [max, max] }), /values within the storage's 4/],
    ['a negative stride', view({ strides: [long(-1n)] }), /whole numbers from 0 on as strides, found \(-1\)/],
    ['more values than stored, by a stride of zero', view({ shape: [long(2n ** 40n)], strides: [int(0)] }), /a shape of at most 4 values, as the storage has, found \[1099511627776\]/],
    ['a product of 2^106', view({ shape: [max, max], strides: [int(0), int(0)] }), /a shape of at most 4 values/],
    ['a negative size', view({ shape: [long(-4n)] }), /whole numbers from 0 on as shape/],
    ['a shape of texts', view({ shape: [text('4')] }), /as shape, found \("4"\)/],
    ['65 dimensions', view({ shape: Array.from({ length: 65 }, () => int(1)), strides: Array.from({ length: 65 }, () => int(1)) }), /at most 64 dimensions, found 65/],
    ['a stride too few', view({ shape: [int(2), int(2)], strides: [int(2)] }), /2 strides for shape \[2, 2\], found 1/],
    ['a negative bit', view({ rest: [dict({ neg: ops(0x88) })] }), /a tensor without metadata of its own, found a dictionary of 1/],
    ['eight arguments', view({ rest: ['N', 'N'] }), /6 or 7 arguments for torch\._utils\._rebuild_tensor_v2, found 8/],
    ['a parameter of a dictionary', withW(ops(global('torch._utils', '_rebuild_parameter'), tuple('}', 0x88, orderedDict), 'R')), /a tensor, a flag and no hooks for torch\._utils\._rebuild_parameter, found \(a dictionary of 0, true/],
    ['a parameter with state', withW(ops(global('torch._utils', '_rebuild_parameter'), tuple(tensor(), 0x88, orderedDict, '}'), 'R')), /no hooks for torch\._utils\._rebuild_parameter/],
  ];
  for (const [name, pickle, message] of cases) test(name, () => assertRefuses(() => open(pickle), message));

  test('a tensor of nothing, of one value, and a last argument of None are tensors', () => {
    const entries = open(whole(dict({ none: tensor({ offset: int(4), shape: [int(0), int(3)], strides: [int(3), int(1)] }), one: tensor({ offset: int(3), shape: [], strides: [], rest: ['N'] }) })));
    assert.deepEqual(entries.map(({ name, shape, byteLength }) => [name, shape, byteLength]), [['none', [0, 3], 0], ['one', [], 4]]);
  });
});

describe('bombs', () => {
  const repeat = (piece: Uint8Array, times: number) => Buffer.concat(Array.from({ length: times }, () => piece));
  const cases: [string, Uint8Array, RegExp][] = [
    ['billion laughs: each tuple holds the one before ten times', whole('N', 0x94, ...Array.from({ length: 40 }, (_, i) => ops('(', repeat(ops('h', i), 10), 't', 0x94))), /one value at the end, found 41/],
    ['billion laughs as the value of a name', whole('}', text('w'), 'N', 0x94, ...Array.from({ length: 60 }, (_, i) => ops('h', i, 'h', i, 0x86, 0x94, 0x86)), 's'), /tensor "w": expected a tensor under every name, found a tuple of 2/],
    ['a dictionary in itself', whole('}', 0x94, text('w'), 'h\u0000s'), /tensor "w": expected a tensor under every name, found a dictionary of 1/],
    ['a dictionary as its own key', whole('}', 0x94, 'h\u0000h\u0000s'), /texts as names of tensors, found a dictionary of 1/],
    ['marks without end', whole('('.repeat(pickleLimits.stack + 1)), /at most 65536 open values, found more/],
    ['values without end', whole('N'.repeat(pickleLimits.stack + 1)), /at most 65536 open values, found more/],
    ['a tuple in a tuple in a tuple', whole('N', Buffer.alloc(pickleLimits.containers + 1, 0x85)), /at most 1048576 tuples, dictionaries and tensors, found more/],
    ['dictionaries without end', whole('N', repeat(ops('}', 0x86), pickleLimits.containers)), /at most 1048576 tuples/],
    ['a memory without end', whole('N', Buffer.alloc(pickleLimits.memo + 1, 0x94)), /at most 1048576 values remembered, found more/],
    ['a pickle of 33 MB', whole(Buffer.alloc(pickleLimits.bytes, 'N')), /a data\.pkl of at most 33554432 bytes, found 33554435/],
  ];
  for (const [name, pickle, message] of cases) test(name, { timeout: 10_000 }, () => assertRefuses(() => open(pickle), message));
});

test('a pickle cut at any byte is refused', () => {
  const pickle = whole(orderedDict, '(', text('w'), tensor(), text('p'), ops(global('torch._utils', '_rebuild_parameter'), tuple(tensor(), 0x88, orderedDict), 'R'), 'u', dict({ _metadata: orderedDict }), 'b');
  assert.deepEqual(open(pickle).map(({ name }) => name), ['w', 'p']);
  for (let length = 0; length < pickle.length; length++) assertRefuses(() => open(pickle.subarray(0, length)), /data\.pkl byte/);
});

test('names from a file reach no terminal as they are', () => {
  assertRefuses(() => open(whole(global('os\u001b[2J', 'system'), ')R')), /found os\\u\{1b\}\[2J\.system/);
  assertRefuses(() => open(withW(ops(text('\u202e'.repeat(100)), ')R'))), /a text of 100 characters/);
});
