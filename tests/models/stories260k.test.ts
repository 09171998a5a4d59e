/** A real trained model: stories260K (llama2.c's format, converted here) must tell the story that llama2.c tells, greedily, 200 steps. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CpuDevice } from '../../src/engine/index.ts';
import { generate } from '../../src/inference/generate.ts';
import { GREEDY } from '../../src/inference/sample.ts';
import { Network } from '../../src/models/network.ts';
import { architectureOf } from '../../src/models/registry.ts';
import { readWeights, uploadWeights } from '../../src/models/weights.ts';

const FOLDER = join(import.meta.dirname, '../../../shared/data/stories260K');

/** llama2.c's version 0 file: seven counts, then fp32 tensors layer after layer. Rotation is of neighbouring pairs. */
function read(path: string) {
  const bytes = readFileSync(path);
  const [dim, hidden, layers, heads, kvHeads, vocab, context] = Array.from({ length: 7 }, (_, i) => bytes.readInt32LE(4 * i)) as [number, number, number, number, number, number, number];
  let at = 28;
  const take = (n: number) => new Float32Array(bytes.buffer.slice(bytes.byteOffset + at, bytes.byteOffset + (at += 4 * n)));
  const kv = (dim / heads) * kvHeads;
  const embedding = take(vocab * dim);
  const each = (n: number) => Array.from({ length: layers }, () => take(n));
  const [attentionNorm, wq, wk, wv, wo, ffnNorm, w1, w2, w3] = [each(dim), each(dim * dim), each(kv * dim), each(kv * dim), each(dim * dim), each(dim), each(hidden * dim), each(hidden * dim), each(hidden * dim)];
  const finalNorm = take(dim);
  const halves = (w: Float32Array) => {
    // Rows of a head from pairs to halves, as published Llama files have them.
    const d = dim / heads;
    const out = new Float32Array(w.length);
    for (let row = 0; row < w.length / dim; row++) {
      const i = row % d;
      const from = row - i + (i % (d / 2)) * 2 + (i >= d / 2 ? 1 : 0);
      out.set(w.subarray(from * dim, (from + 1) * dim), row * dim);
    }
    return out;
  };
  const config = {
    model_type: 'llama', hidden_size: dim, intermediate_size: hidden, num_hidden_layers: layers, num_attention_heads: heads, num_key_value_heads: kvHeads, vocab_size: Math.abs(vocab),
    max_position_embeddings: context, rms_norm_eps: 1e-5, rope_theta: 10000, tie_word_embeddings: vocab > 0, hidden_act: 'silu',
  };
  const tensors = new Map<string, Float32Array>([['model.embed_tokens.weight', embedding], ['model.norm.weight', finalNorm]]);
  for (let l = 0; l < layers; l++) {
    for (const [name, data] of Object.entries({
      input_layernorm: attentionNorm![l]!, 'self_attn.q_proj': halves(wq![l]!), 'self_attn.k_proj': halves(wk![l]!), 'self_attn.v_proj': wv![l]!, 'self_attn.o_proj': wo![l]!,
      post_attention_layernorm: ffnNorm![l]!, 'mlp.gate_proj': w1![l]!, 'mlp.down_proj': w2![l]!, 'mlp.up_proj': w3![l]!,
    })) tensors.set(`model.layers.${l}.${name}.weight`, data);
  }
  return { config, tensors };
}

/** Pieces of the vocabulary as text: llama2.c's tokenizer file is a length, then score, length and bytes of each piece. */
function pieces(path: string): Buffer[] {
  const bytes = readFileSync(path);
  const all: Buffer[] = [];
  for (let at = 4; at < bytes.length; ) {
    const length = bytes.readInt32LE(at + 4);
    const piece = bytes.subarray(at + 8, at + 8 + length);
    const byte = /^<0x([0-9A-F]{2})>$/.exec(piece.toString('latin1'));
    all.push(byte ? Buffer.from([Number.parseInt(byte[1]!, 16)]) : piece);
    at += 8 + length;
  }
  return all;
}

test('stories260K: 200 greedy steps', { skip: existsSync(FOLDER) ? false : 'needs ../shared/data/stories260K' }, async () => {
  const { config, tensors } = read(join(FOLDER, 'stories260K.bin'));
  const architecture = architectureOf(config, 'stories260K');
  const device = new CpuDevice({ threads: 1 });
  const shapes = new Map([...tensors].map(([name, data]) => [name, name.includes('norm') ? [data.length] : name.includes('down_proj') ? [64, 172] : [data.length / 64, 64]]));
  const weights = readWeights(architecture, { path: 'stories260K.bin', names: () => tensors.keys(), shape: (name) => shapes.get(name), read: (name, out) => out.set(tensors.get(name)!) });
  const network = new Network(architecture, { device, weights: uploadWeights(weights, device) });
  const ids: number[] = [];
  for await (const event of generate(network, [Int32Array.of(1)], { sampling: GREEDY, maxNewTokens: 200, stopIds: [1], seed: 0, vocabulary: 512 })) {
    if (event.type === 'token') ids.push(event.id);
  }
  await device.release();
  const vocabulary = pieces(join(FOLDER, 'tok512.bin'));
  const expected = readFileSync(join(FOLDER, 'expected-greedy-output.txt'), 'utf8').split('\n---\n')[1]!;
  // llama2.c drops the space of the first piece.
  assert.equal(Buffer.concat(ids.map((id) => vocabulary[id]!)).toString('utf8').trimStart(), expected.replace(/\n$/, ''));
});
