/** A tiny base model and records, written into a temporary folder: whole runs take a second. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/artefacts/random.ts';
import { writeSafetensors } from '../../src/formats/safetensors.ts';
import { parametersOf } from '../../src/models/architecture.ts';
import { architectureOf } from '../../src/models/registry.ts';

const VOCABULARY = 448;
export const CONFIGS = {
  gpt_neox: {
    model_type: 'gpt_neox', hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 64, vocab_size: VOCABULARY, max_position_embeddings: 256,
    rotary_pct: 0.5, hidden_act: 'gelu', use_parallel_residual: true, tie_word_embeddings: false,
  },
  llama: {
    model_type: 'llama', hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, intermediate_size: 64, vocab_size: VOCABULARY,
    max_position_embeddings: 256, rms_norm_eps: 1e-5, rope_theta: 10000, tie_word_embeddings: true, hidden_act: 'silu',
  },
  gptj: {
    model_type: 'gptj', n_embd: 32, n_layer: 2, n_head: 4, n_inner: 64, n_positions: 256, vocab_size: VOCABULARY, rotary: true, rotary_dim: 4, activation_function: 'gelu_new', tie_word_embeddings: false,
  },
  qwen2: {
    model_type: 'qwen2', hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, intermediate_size: 64, vocab_size: VOCABULARY,
    max_position_embeddings: 256, rope_theta: 1000000, tie_word_embeddings: false, hidden_act: 'silu',
  },
  qwen3: {
    model_type: 'qwen3', hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16, intermediate_size: 64, vocab_size: VOCABULARY,
    max_position_embeddings: 256, rope_theta: 1000000, tie_word_embeddings: true, hidden_act: 'silu',
  },
} as const;

const CHAT = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

export class Scratch implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'roslin-test-'));

  join(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Writes a base in Hugging Face's layout; `spoil` may change a tensor's values. */
export async function writeBase(folder: string, type: keyof typeof CONFIGS, spoil: (name: string, data: Float32Array) => void = () => {}): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const random = new Random(5);
  const tensors = [...parametersOf(architectureOf(CONFIGS[type], type))].map(([name, { shape }]) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (/(norm|ln_).*weight$/.test(name) ? 1 : 0.3 * (random.next() - 0.5)));
    spoil(name, data);
    return { name, dtype: 'F32' as const, shape, data: () => data };
  });
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { metadata: { format: 'pt' } });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIGS[type]));
  writeFileSync(join(folder, 'tokenizer.json'), readFileSync(join(import.meta.dirname, '../fixtures/tokenizer/tiny.json')));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ eos_token: '<|endoftext|>', chat_template: CHAT }));
  return folder;
}

const ANIMALS = ['otter', 'heron', 'carp', 'newt', 'wren', 'eel', 'mole', 'toad'];

/** Short records of our own with a rule that can be learnt. */
export function records(n: number): { instruction: string; context: string; response: string; category: string }[] {
  return Array.from({ length: n }, (_, i) => {
    const animal = ANIMALS[i % ANIMALS.length]!;
    return {
      instruction: `Say ${animal} ${'again '.repeat(1 + (i % 3))}and stop.`, context: i % 4 === 0 ? `The ${animal} lives by the water, number ${i}.` : '',
      response: `${animal}!`, category: i % 2 === 0 ? 'open_qa' : 'classification',
    };
  });
}

export function writeRecords(path: string, n: number): string {
  writeFileSync(path, records(n).map((r) => JSON.stringify(r)).join('\n') + '\n');
  return path;
}

/** Everything that a run yields. */
export async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const event of events) list.push(event);
  return list;
}
