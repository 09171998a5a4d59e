/** GGUF files, true and false: counts, lengths, types, alignment, dimensions and offsets each may lie. */
import type { Random } from '../../src/artefacts/random.ts';
import { blockLayouts } from '../../src/formats/ggml.ts';
import { Forge, damage } from './forge.ts';

const KEYS = ['general.architecture', 'general.alignment', 'split.count', 'tokenizer.ggml.tokens', 'tokenizer.ggml.scores', 'a', 'llama.context_length', 'tokenizer.chat_template'];
const TEXTS = ['', 'llama', 'gpt2', 'a b', 'é🐑', '\u0000', 'x'.repeat(70)];
const LAYOUTS = Object.values(blockLayouts);

export function makeGguf(random: Random): Buffer {
  const forge = new Forge(random, [0, 0, 0.01, 0.04, 0.15][Math.floor(random.next() * 5)]!);
  const tensors = forge.below(5);
  const pairs = forge.below(7);
  forge.raw(forge.chance(0.01) ? 'GGML' : 'GGUF');
  forge.u32(forge.pick([2, 3, 3]));
  forge.u64(tensors);
  forge.u64(pairs);
  let alignment = 32;
  for (let i = 0; i < pairs; i++) {
    const key = forge.chance(0.7) ? `k${i}.${forge.pick(KEYS)}` : forge.pick(KEYS);
    forge.text(key);
    if (key === 'general.alignment') {
      alignment = forge.pick([8, 32, 64]);
      forge.u32(4);
      forge.u32(alignment);
    } else {
      const type = forge.below(13);
      forge.u32(type);
      value(forge, type, 0);
    }
  }
  const sizes: number[] = [];
  let offset = 0;
  for (let i = 0; i < tensors; i++) {
    forge.text(forge.chance(0.9) ? `blk.${i}.weight` : 'twice');
    const { id, values, bytes } = forge.pick(LAYOUTS);
    const dimensions = [values * (1 + forge.below(2)), ...Array.from({ length: forge.below(4) }, () => 1 + forge.below(3))];
    forge.u32(dimensions.length);
    for (const size of dimensions) forge.u64(size);
    forge.u32(id);
    forge.u64(offset);
    const length = (dimensions.reduce((x, y) => x * y, 1) / values) * bytes;
    sizes.push(length);
    offset = Math.ceil((offset + length) / alignment) * alignment;
  }
  forge.zeros((alignment - (forge.length % alignment)) % alignment);
  for (const size of sizes) forge.zeros(Math.ceil(size / alignment) * alignment);
  const bytes = forge.bytes();
  return forge.chance(0.4) ? damage(bytes, random) : bytes;
}

function value(forge: Forge, type: number, depth: number): void {
  if (type === 8) return forge.text(forge.pick(TEXTS));
  if (type === 9) {
    const entry = forge.chance(0.3) && depth < 5 ? 9 : forge.pick([0, 4, 6, 7, 8, 10]);
    const count = forge.below(forge.chance(0.1) ? 200 : 5);
    forge.u32(entry);
    forge.u64(count);
    for (let i = 0; i < count && forge.length < 2 ** 16; i++) value(forge, entry, depth + 1);
    return;
  }
  if ([0, 1, 7].includes(type)) forge.u8(forge.below(2));
  else if ([2, 3].includes(type)) forge.raw(Buffer.of(forge.below(256), forge.below(256)));
  else if ([4, 5, 6].includes(type)) forge.u32(forge.below(2 ** 16));
  else forge.u64(forge.below(2 ** 32));
}
