/** What pre-training begins with: a GPT-NeoX of random weights and a tokenizer trained on the text, or a base that learns more; and the text as rows. */
import { readDocuments, type TextDocument } from '../artefacts/document.ts';
import { Random } from '../artefacts/random.ts';
import { InputError, UsageError } from '../errors.ts';
import { openModel, type OpenedModel } from '../inference/open-model.ts';
import { initialWeights } from '../models/initial-weights.ts';
import { architectureOf } from '../models/registry.ts';
import { encodeDocuments, END_OF_TEXT, textTemplate } from '../tokenizer/text.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts';
import { trainBpe } from '../tokenizer/train-bpe.ts';
import type { FreshModel, TrainOptions } from './options.ts';
import { holdOut, type Rows } from './rows.ts';

/** Share of an attention head's dimensions that turn with the position. */
const ROTARY = 0.25;

/** Said in the words of the command line, before the tokenizer is trained. @throws UsageError */
function checkSizes({ hidden, heads }: FreshModel): void {
  const where = '--hidden and --heads';
  if (hidden % heads !== 0) throw new UsageError({ expected: 'a width that is a multiple of the attention heads', found: `${hidden} and ${heads}`, where });
  const rotary = Math.trunc((hidden / heads) * ROTARY);
  if (rotary === 0 || rotary % 2 !== 0) {
    throw new UsageError({ expected: 'a width a head with an even quarter, such as 8, 16 or 64', found: `${hidden / heads} (${hidden} over ${heads} heads)`, where });
  }
}

/** config.json of a GPT-NeoX; proportions as Pythia has them, but one table for embedding and head: in a small model the vocabulary is much of its weights. */
const configOf = ({ hidden, layers, heads, context }: FreshModel, vocabSize: number) => ({
  model_type: 'gpt_neox', vocab_size: vocabSize, hidden_size: hidden, num_hidden_layers: layers, num_attention_heads: heads, intermediate_size: 4 * hidden,
  max_position_embeddings: context, hidden_act: 'gelu', layer_norm_eps: 1e-5, use_parallel_residual: true, tie_word_embeddings: true, attention_bias: true,
  rotary_pct: ROTARY, rotary_emb_base: 10000, hidden_dropout: 0, attention_dropout: 0, bos_token_id: 0, eos_token_id: 0,
});

/** @throws InputError for text that cannot be read, UsageError for sizes that do not fit together */
export function freshModel(options: TrainOptions, fresh: FreshModel): { model: OpenedModel; rows: Rows } {
  checkSizes(fresh);
  const [train, heldOut] = holdOut(readDocuments(options.data), options);
  const tokenizer = loadTokenizer(trainBpe(train.map(({ text }) => text), { vocabSize: fresh.vocabSize, specialTokens: [END_OF_TEXT] }), options.data);
  const config = configOf(fresh, tokenizer.size);
  const architecture = architectureOf(config, 'the options');
  const weights = () => initialWeights(architecture, new Random(options.seed).bits());
  return {
    model: {
      path: options.data, kind: 'fresh', config, architecture, tokenizer, template: textTemplate, lora: undefined, run: undefined, licence: null,
      text: { bosToken: END_OF_TEXT, eosToken: END_OF_TEXT, addBos: false },
      weights,
      openWeights: () => {
        const all = weights();
        return { read: (name) => all.get(name)!.data, close: () => {} };
      },
    },
    rows: rowsOf(train, heldOut, tokenizer, Math.min(options.maxLength ?? fresh.context, fresh.context)),
  };
}

/** A base as it is, and text to pre-train it on further. @throws InputError for a base that cannot be, or that has no token for the end of a text */
export async function continuedModel(options: TrainOptions): Promise<{ model: OpenedModel; rows: Rows }> {
  const model = await openModel(options.base, { asItIs: true });
  if (model.kind === 'adapter') throw new InputError({ expected: 'a base model', found: 'a LoRA adapter', where: options.base, remedy: 'Merge it first: roslin export --to safetensors.' });
  if (model.tokenizer.specialId(END_OF_TEXT) === undefined) {
    throw new InputError({ expected: `a tokenizer with the token ${END_OF_TEXT}, which ends a text`, found: 'none', where: options.base, remedy: 'GPT-NeoX, SmolLM2 and Qwen have it.' });
  }
  const { contextLength } = model.architecture;
  const [train, heldOut] = holdOut(readDocuments(options.data), options);
  return { model: { ...model, template: textTemplate }, rows: rowsOf(train, heldOut, model.tokenizer, Math.min(options.maxLength ?? contextLength, contextLength)) };
}

function rowsOf(train: readonly TextDocument[], heldOut: readonly TextDocument[], tokenizer: Tokenizer, longest: number): Rows {
  const [toTrain, toHold] = [train, heldOut].map((documents) => encodeDocuments(documents, tokenizer, longest));
  return { records: train.length + heldOut.length, train: toTrain!, heldOut: toHold!, dropped: [], cut: [] };
}
