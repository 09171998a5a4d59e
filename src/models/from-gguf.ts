/**
 * A GGUF file as a base: its metadata as a Hugging Face config, its tensors under their published names and in their
 * published order of rows (docs/numbers.md 2). llama's q and k rows are stored for rotation of neighbouring pairs and
 * are put back; gptneox's fused rows are stored as all q, all k, all v and are put back head by head; qwen2's and qwen3's
 * rows lie as published. Keys and orders: llama.cpp's converter.
 */
import { InputError } from '../errors.ts';
import type { TensorReader } from '../formats/tensors.ts';
import type { Json } from './config.ts';
import type { WeightSource } from './weights.ts';

type Metadata = ReadonlyMap<string, unknown>;

interface Family {
  config(meta: Fields): Json;
  /** Published name -> name in the file. */
  rename(name: string): string;
  /** Row of the file that holds row `row` of the published tensor, where the order differs. */
  rowOf?(name: string, config: Json): ((row: number) => number) | undefined;
}

class Fields {
  readonly #metadata: Metadata;
  readonly #architecture: string;
  readonly #where: string;

  constructor(metadata: Metadata, architecture: string, where: string) {
    this.#metadata = metadata;
    this.#architecture = architecture;
    this.#where = where;
  }

  number(key: string, fallback?: number): number {
    const full = `${this.#architecture}.${key}`;
    const value = this.#metadata.get(full) ?? fallback;
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new InputError({ expected: `a number under ${full}`, found: value === undefined ? 'nothing' : typeof value, where: this.#where, remedy: 'The file lacks what a model needs to be computed; convert it again.' });
    }
    return value;
  }

  flag(key: string, fallback: boolean): boolean {
    return (this.#metadata.get(`${this.#architecture}.${key}`) ?? fallback) === true;
  }

  vocabulary(): number {
    const tokens = this.#metadata.get('tokenizer.ggml.tokens');
    return this.number('vocab_size', Array.isArray(tokens) ? tokens.length : undefined);
  }

  /** A key that may be absent, and may say nothing but `value`. */
  only(key: string, value: number | boolean): void {
    const full = `${this.#architecture}.${key}`;
    const found = this.#metadata.get(full) ?? value;
    const shown = ['number', 'bigint', 'boolean'].includes(typeof found) ? String(found as number) : `a value of type ${typeof found}`;
    if (found !== value) throw new InputError({ expected: `${full} = ${value}, or nothing`, found: shown, where: this.#where, remedy: 'Use a base without it; this kind is not implemented.' });
  }

  /** Every scaling of positions changes what the model computes. */
  refuseScaling(): void {
    for (const key of this.#metadata.keys()) {
      if (key.startsWith(`${this.#architecture}.rope.scaling`) && this.#metadata.get(key) !== 'none') {
        throw new InputError({ expected: 'no rope scaling', found: `${key} = ${String(this.#metadata.get(key))}`, where: this.#where, remedy: 'Use a base without it; no scaling kind is implemented.' });
      }
    }
  }
}

/** float32 of a decimal constant reads back as the constant: 9.999999747378752e-6 as 1e-5. */
const decimal = (x: number) => Number(x.toPrecision(7));

const shared = (name: string, rules: readonly (readonly [RegExp, string])[]): string => {
  for (const [pattern, replacement] of rules) if (pattern.test(name)) return name.replace(pattern, replacement);
  return name;
};

/** What Llama and its descendants have in common. */
const llamaConfig = (m: Fields): Json => ({
  hidden_size: m.number('embedding_length'), num_hidden_layers: m.number('block_count'), num_attention_heads: m.number('attention.head_count'),
  num_key_value_heads: m.number('attention.head_count_kv', m.number('attention.head_count')), intermediate_size: m.number('feed_forward_length'),
  max_position_embeddings: m.number('context_length'), rms_norm_eps: decimal(m.number('attention.layer_norm_rms_epsilon')), rope_theta: decimal(m.number('rope.freq_base', 10000)),
  vocab_size: m.vocabulary(), hidden_act: 'silu',
});

const llamaName = (name: string): string => shared(name, [
  [/^model\.embed_tokens\./, 'token_embd.'], [/^model\.norm\./, 'output_norm.'], [/^lm_head\./, 'output.'],
  [/^model\.layers\.(\d+)\.input_layernorm\./, 'blk.$1.attn_norm.'], [/^model\.layers\.(\d+)\.post_attention_layernorm\./, 'blk.$1.ffn_norm.'],
  [/^model\.layers\.(\d+)\.self_attn\.([qkv])_proj\./, 'blk.$1.attn_$2.'], [/^model\.layers\.(\d+)\.self_attn\.([qk])_norm\./, 'blk.$1.attn_$2_norm.'],
  [/^model\.layers\.(\d+)\.self_attn\.o_proj\./, 'blk.$1.attn_output.'], [/^model\.layers\.(\d+)\.mlp\.(gate|up|down)_proj\./, 'blk.$1.ffn_$2.'],
]);

const headSize = (m: Fields): number => m.number('embedding_length') / m.number('attention.head_count');

const qwen = (type: 'qwen2' | 'qwen3'): Family => ({
  config: (m) => {
    const headDim = m.number('attention.key_length', headSize(m));
    for (const key of ['attention.value_length', 'rope.dimension_count']) m.only(key, headDim);
    const window = m.number('attention.sliding_window', 0);
    // Which layers a window is for, the file does not say: the config refuses one that would hide something.
    return { ...llamaConfig(m), model_type: type, head_dim: headDim, ...(window > 0 ? { use_sliding_window: true, sliding_window: window, max_window_layers: 0 } : {}) };
  },
  rename: llamaName,
});

const FAMILIES: Readonly<Record<string, Family>> = {
  llama: {
    config: (m) => ({ ...llamaConfig(m), model_type: 'llama', head_dim: m.number('rope.dimension_count', headSize(m)) }),
    rename: llamaName,
    rowOf: (name, config) => {
      if (!/\.self_attn\.[qk]_proj\./.test(name)) return undefined;
      const d = config['head_dim'] as number;
      // Published rows of a head: two halves; in the file: pairs of one row from each half.
      return (row) => row - (row % d) + ((row % d) % (d / 2)) * 2 + (row % d >= d / 2 ? 1 : 0);
    },
  },
  qwen2: qwen('qwen2'),
  qwen3: qwen('qwen3'),
  gptneox: {
    config: (m) => {
      const d = headSize(m);
      return {
        model_type: 'gpt_neox', hidden_size: m.number('embedding_length'), num_hidden_layers: m.number('block_count'), num_attention_heads: m.number('attention.head_count'),
        intermediate_size: m.number('feed_forward_length'), max_position_embeddings: m.number('context_length'), layer_norm_eps: decimal(m.number('attention.layer_norm_epsilon')),
        rotary_pct: m.number('rope.dimension_count', d) / d, rotary_emb_base: decimal(m.number('rope.freq_base', 10000)), use_parallel_residual: m.flag('use_parallel_residual', true),
        vocab_size: m.vocabulary(), hidden_act: 'gelu',
      };
    },
    rename: (name) => shared(name, [
      [/^gpt_neox\.embed_in\./, 'token_embd.'], [/^gpt_neox\.final_layer_norm\./, 'output_norm.'], [/^embed_out\./, 'output.'],
      [/^gpt_neox\.layers\.(\d+)\.input_layernorm\./, 'blk.$1.attn_norm.'], [/^gpt_neox\.layers\.(\d+)\.post_attention_layernorm\./, 'blk.$1.ffn_norm.'],
      [/^gpt_neox\.layers\.(\d+)\.attention\.query_key_value\./, 'blk.$1.attn_qkv.'], [/^gpt_neox\.layers\.(\d+)\.attention\.dense\./, 'blk.$1.attn_output.'],
      [/^gpt_neox\.layers\.(\d+)\.mlp\.dense_h_to_4h\./, 'blk.$1.ffn_up.'], [/^gpt_neox\.layers\.(\d+)\.mlp\.dense_4h_to_h\./, 'blk.$1.ffn_down.'],
    ]),
    rowOf: (name, config) => {
      if (!name.includes('.query_key_value.')) return undefined;
      const heads = config['num_attention_heads'] as number;
      const d = (config['hidden_size'] as number) / heads;
      return (row) => {
        const head = Math.floor(row / (3 * d));
        const part = Math.floor(row / d) % 3;
        return part * heads * d + head * d + (row % d);
      };
    },
  },
};

/** Families that are known elsewhere but not in this format, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  gptj: 'llama.cpp has the name but no such model, so nothing settles what a file of it holds: use the folder with config.json and safetensors.',
};

/** How a family's tensors are called in a GGUF, and in which order their rows lie: read here, and written by src/export. */
export interface GgufNaming {
  readonly rename: (name: string) => string;
  /** Row of the file that holds row `row` of the published tensor, where the order differs. */
  readonly rowOf: (name: string, config: Json) => ((row: number) => number) | undefined;
}

/** By `general.architecture`. Undefined where no such models are known here. */
export function ggufNaming(architecture: string): GgufNaming | undefined {
  const family = Object.hasOwn(FAMILIES, architecture) ? FAMILIES[architecture] : undefined;
  return family && { rename: (name) => family.rename(name), rowOf: (name, config) => family.rowOf?.(name, config) };
}

export interface GgufModel {
  readonly config: Json;
  /** Reads tensors by published name. */
  readonly source: WeightSource;
}

/**
 * @param publishedNames names that a model of this config has, so that the file's tensors can be listed by them
 * @throws InputError for an architecture or a scaling kind that is not implemented
 */
export function modelFromGguf(reader: TensorReader & { readonly metadata: Metadata }, publishedNames: (config: Json) => Iterable<string>): GgufModel {
  const where = reader.path;
  const architecture = reader.metadata.get('general.architecture');
  const family = typeof architecture === 'string' && Object.hasOwn(FAMILIES, architecture) ? FAMILIES[architecture] : undefined;
  if (!family) {
    const reason = typeof architecture === 'string' && Object.hasOwn(REFUSED, architecture) ? REFUSED[architecture]! : 'Choose a base of one of these families.';
    throw new InputError({ expected: `general.architecture to be one of ${Object.keys(FAMILIES).join(', ')}`, found: JSON.stringify(architecture) ?? 'nothing', where, remedy: reason });
  }
  const fields = new Fields(reader.metadata, architecture as string, where);
  fields.only('attention.causal', true);
  fields.refuseScaling();
  if (reader.tensors.has('rope_freqs.weight')) throw new InputError({ expected: 'no rope_freqs tensor', found: 'one: a scaling of positions', where, remedy: 'Use a base without rope scaling; no kind is implemented.' });
  const has = (name: string) => reader.tensors.has(name);
  // Biases are told by their tensors alone: no key names them.
  const biases = architecture === 'llama' ? { attention_bias: has('blk.0.attn_q.bias'), mlp_bias: has('blk.0.ffn_up.bias') } : {};
  const config = { ...family.config(fields), ...biases, tie_word_embeddings: !has('output.weight') };

  const published = new Map([...publishedNames(config)].map((name) => [family.rename(name), name]));
  const fileName = new Map([...published].map(([file, name]) => [name, file]));
  return {
    config,
    source: {
      path: reader.path,
      names: () => [...reader.tensors.keys()].map((name) => published.get(name) ?? name),
      shape: (name) => reader.tensors.get(fileName.get(name) ?? name)?.shape,
      read: (name, out) => {
        reader.readFloat32(fileName.get(name) ?? name, out);
        const rowOf = family.rowOf?.(name, config);
        if (rowOf) reorder(out, reader.tensors.get(fileName.get(name)!)!.shape[0]!, rowOf);
      },
    },
  };
}

function reorder(data: Float32Array, rows: number, rowOf: (row: number) => number): void {
  const width = data.length / rows;
  const stored = data.slice();
  for (let row = 0; row < rows; row++) data.set(stored.subarray(rowOf(row) * width, (rowOf(row) + 1) * width), row * width);
}
