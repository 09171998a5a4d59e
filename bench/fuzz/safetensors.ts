/** Safetensors files, true and false: the header's length, its JSON, types, shapes and ranges each may lie. */
import type { Random } from '../../src/artefacts/random.ts';
import { safetensorsBits } from '../../src/formats/safetensors-header.ts';
import { Forge, damage } from './forge.ts';

const TYPES = Object.keys(safetensorsBits);
const NO_NUMBERS = ['-1', '1.5', '1e3', '1e400', '-0', '0x10', '01', '"3"', 'null', 'true', '[]', '{}', '9007199254740993', '18446744073709551615', '9'.repeat(400), 'NaN', ''];
const NAMES = ['a', 'b.weight', 'é🐑', '__proto__', 'constructor', '', '\\u0061', '\\ud800', '\\"', 'a'];
const PIECES = ['{', '}', '[', ']', ',', ':', '"', '\\', 'null', ' ', '\n', '\u0000', '__metadata__', '"dtype":', '"shape":[', '1e9'];

export function makeSafetensors(random: Random): Buffer {
  const forge = new Forge(random, [0, 0, 0.02, 0.06, 0.2][Math.floor(random.next() * 5)]!);
  const number = (value: number): string => (forge.chance(forge.rate) ? (forge.chance(0.5) ? String(forge.lie(value)) : forge.pick(NO_NUMBERS)) : String(value));
  let at = 0;
  const entries = Array.from({ length: forge.below(5) }, (_, i) => {
    const dtype = forge.chance(0.7) ? forge.pick(['F32', 'F16', 'BF16']) : forge.pick(TYPES);
    const shape = Array.from({ length: forge.below(4) }, () => forge.below(5));
    const bytes = Math.ceil((shape.reduce((x, y) => x * y, 1) * safetensorsBits[dtype]!) / 8);
    const name = forge.chance(forge.rate) ? forge.pick(NAMES) : `t${i}`;
    const type = forge.chance(forge.rate) ? forge.pick(['f32', '', 'Q8_0', '__proto__']) : dtype;
    const fields = [`"dtype":"${type}"`, `"shape":[${shape.map(number).join()}]`, `"data_offsets":[${number(at)},${number(at + bytes)}]`];
    if (forge.chance(forge.rate)) fields.splice(forge.below(4), forge.below(2), forge.pick(['"dtype":"F16"', '"more":1', '"shape":7']));
    at += bytes;
    return `"${name}":{${fields.join()}}`;
  });
  if (forge.chance(0.3)) entries.unshift(forge.chance(forge.rate) ? '"__metadata__":{"a":{"b":1}}' : '"__metadata__":{"format":"pt"}');
  let json = `{${entries.join()}}`;
  if (forge.chance(forge.rate / 4)) json = forge.pick(['[', '{"a":'])!.repeat(1 + forge.below(20_000));
  for (let n = forge.chance(0.15) ? 1 + forge.below(3) : 0; n > 0; n--) {
    const place = forge.below(json.length + 1);
    json = json.slice(0, place) + forge.pick(PIECES) + json.slice(place + forge.below(3));
  }
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  forge.u64(header.length);
  forge.raw(header);
  forge.zeros(Number(forge.lie(at) & 0xfffn));
  const bytes = forge.bytes();
  return forge.chance(0.25) ? damage(bytes, random) : bytes;
}
