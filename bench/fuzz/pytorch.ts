/** Files of torch.save, true and false: numbers in the pickle, its opcodes, and every field of the archive may lie. */
import type { Random } from '../../src/artefacts/random.ts';
import { archive, dict, global, int, long, ops, orderedDict, storage, tensor, text, tuple, whole, zip, type ZipPart } from '../../tests/formats/torch-writer.ts';
import { Forge, damage } from './forge.ts';

const STORAGES: readonly (readonly [type: string, bytes: number])[] = [['FloatStorage', 4], ['HalfStorage', 2], ['BFloat16Storage', 2], ['DoubleStorage', 8], ['LongStorage', 8], ['BoolStorage', 1], ['ByteStorage', 1]];
const STRAY = [
  '(', 't', 'u', 's', 'b', 'R', 'Q', 'N', ')', '}', '.', 'q\x00', 'h\x00', 'q\x01', 'h\x01', '\x85', '\x86', '\x87', '\x88', '\x89', '\x93', '\x94', '0', '2', ']', 'e', '\x81', 'K\x00', 'K\x04', 'r\xff\xff\xff\x7f', 'j\xff\xff\xff\xff', '\x8a\xff', '\x8b\xff\xff\xff\x7f', 'X\xff\xff\xff\x7f', '\x8d\xff\xff\xff\xff\xff\xff\xff\xff', '\x95\x00\x00\x00\x00\x00\x00\x00\x80',
].map((piece) => ops(piece));
const CALLS = [global('os', 'system'), global('torch._utils', '_rebuild_tensor_v2'), global('torch', 'FloatStorage'), global('builtins', 'eval'), global('collections', 'OrderedDict'), orderedDict, tuple(int(1)), text('storage')];

export function makePytorch(random: Random): Buffer {
  const forge = new Forge(random, [0, 0, 0.02, 0.06, 0.2][Math.floor(random.next() * 5)]!);
  const number = (value: number): Buffer => {
    const stated = forge.lie(value);
    return stated >= 0n && stated < 256n ? int(Number(stated)) : long(stated);
  };
  const storages: Record<string, Buffer> = {};
  const values = Object.fromEntries(Array.from({ length: forge.below(4) }, (_, i) => {
    const [type, bytes] = forge.pick(STORAGES);
    const shape = Array.from({ length: forge.below(4) }, () => 1 + forge.below(4));
    const strides = shape.map((_, k) => shape.slice(k + 1).reduce((x, y) => x * y, 1));
    const offset = forge.below(3);
    const count = offset + shape.reduce((x, y) => x * y, 1);
    storages[i] = Buffer.alloc(forge.chance(forge.rate) ? forge.below(100) : count * bytes);
    return [`w${forge.chance(forge.rate) ? 0 : i}`, tensor({ from: storage(forge.chance(forge.rate) ? '9' : String(i), number(count), type), offset: number(offset), shape: shape.map(number), strides: strides.map(number) })];
  }));
  let pickle = whole(dict(values));
  for (let n = forge.chance(0.3) ? 1 + forge.below(4) : 0; n > 0; n--) {
    const at = 2 + forge.below(pickle.length - 1);
    pickle = Buffer.concat([pickle.subarray(0, at), forge.chance(0.7) ? forge.pick(STRAY) : forge.pick(CALLS), pickle.subarray(at + forge.below(3))]);
  }
  if (forge.chance(0.25)) pickle = damage(pickle, random);
  const bytes = forge.chance(0.5) ? archive(pickle, storages) : forged(forge, pickle, storages);
  return forge.chance(0.25) ? damage(bytes, random) : bytes;
}

function forged(forge: Forge, pickle: Buffer, storages: Readonly<Record<string, Buffer>>): Buffer {
  const names = ['model/data.pkl', 'model/byteorder', 'model/version', ...Object.keys(storages).map((key) => `model/data/${key}`)];
  const contents = [pickle, Buffer.from(forge.chance(forge.rate) ? 'big' : 'little'), Buffer.from(forge.pick(['3\n', '3', '10'])), ...Object.values(storages)];
  const field = (value: number): number => Number(BigInt.asUintN(32, forge.lie(value)));
  const parts = names.map((name, i): ZipPart => {
    const data = contents[i]!;
    const lies: { -readonly [K in keyof ZipPart]?: ZipPart[K] } = {};
    if (forge.chance(forge.rate)) lies.size = field(data.length);
    if (forge.chance(forge.rate)) lies.packed = field(data.length);
    if (forge.chance(forge.rate)) lies.header = field(0);
    if (forge.chance(forge.rate)) lies.flags = forge.pick([0, 1, 8, 0x801, 0x808]);
    if (forge.chance(forge.rate)) lies.method = 8;
    if (forge.chance(forge.rate)) lies.sizeInHeader = field(data.length);
    if (forge.chance(forge.rate)) lies.nameInHeader = 'model/other';
    if (forge.chance(forge.rate)) lies.extra = Buffer.from(Array.from({ length: forge.below(30) }, () => forge.below(256)));
    return { name: forge.chance(forge.rate) ? forge.pick(['../x', 'model/data.pkl', 'C:\\x', 'model/code/a.py', 'other/x', '']) : name, data, ...lies };
  });
  const options: { zip64?: boolean; comment?: string; count?: number; offset?: number; gap?: number } = { zip64: forge.chance(0.7) };
  if (forge.chance(forge.rate)) options.count = forge.below(70_000) % 65_536;
  if (forge.chance(forge.rate)) options.offset = field(0);
  if (forge.chance(forge.rate)) options.gap = forge.below(40);
  if (forge.chance(0.1)) options.comment = 'x'.repeat(forge.below(100));
  return zip(parts, options);
}
