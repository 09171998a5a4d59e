/** What pre-training begins with: a GPT-NeoX of random weights, a tokenizer trained on the text, and the text as rows. */
import { readDocuments } from '../artefacts/document.ts';
import { Random } from '../artefacts/random.ts';
import { UsageError } from '../errors.ts';
import type { OpenedModel } from '../inference/open-model.ts';
import { initialWeights } from '../models/initial-weights.ts';
import { architectureOf } from '../models/registry.ts';
import { encodeDocuments, END_OF_TEXT, textTemplate } from '../tokenizer/text.ts';
import { loadTokenizer } from '../tokenizer/tokenizer.ts';
import { trainBpe } from '../tokenizer/train-bpe.ts';
import type { FreshModel, TrainOptions } from './options.ts';
import { heldOutMask, type Rows } from './rows.ts';

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
  const documents = readDocuments(options.data);
  const isTest = heldOutMask(documents.length, options);
  const kept = (held: 0 | 1) => documents.filter((_, i) => isTest[i] === held);
  const tokenizer = loadTokenizer(trainBpe(kept(0).map(({ text }) => text), { vocabSize: fresh.vocabSize, specialTokens: [END_OF_TEXT] }), options.data);
  const config = configOf(fresh, tokenizer.size);
  const architecture = architectureOf(config, 'the options');
  const rows = (held: 0 | 1) => encodeDocuments(kept(held), tokenizer, Math.min(options.maxLength ?? fresh.context, fresh.context));
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
    rows: { records: documents.length, train: rows(0), heldOut: rows(1), dropped: [], cut: [] },
  };
}
