/** The files that lie beside weights in a model folder of Hugging Face's layout, as text: config, tokenizer, how to generate. */
import { publishedClass } from '../models/registry.ts';
import type { OpenedModel } from './open-model.ts';

const TORCH_TYPES = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** By name. `dtype`: of the weights. `chat`: the chat template, where it is not the base's own. */
export function folderFiles(model: OpenedModel, dtype: keyof typeof TORCH_TYPES, chat = model.text.chatTemplate): Record<string, string> {
  const stop = model.tokenizer.specialId(model.template.stopToken)!;
  const { bosToken, eosToken, addBos } = model.text;
  return {
    'config.json': json({ ...model.config, architectures: [publishedClass(model.architecture)], torch_dtype: TORCH_TYPES[dtype], eos_token_id: stop }),
    'tokenizer.json': model.tokenizer.toJson(),
    'tokenizer_config.json': json({
      tokenizer_class: 'PreTrainedTokenizerFast', model_max_length: model.architecture.contextLength, clean_up_tokenization_spaces: false, add_bos_token: addBos,
      bos_token: bosToken ?? null, eos_token: model.template.name === 'dolly' ? model.template.stopToken : (eosToken ?? model.template.stopToken), pad_token: eosToken ?? model.template.stopToken,
      ...(chat === undefined ? {} : { chat_template: chat }),
    }),
    'generation_config.json': json({ eos_token_id: stop, do_sample: true, top_p: 0.92, top_k: 0, temperature: 1, max_new_tokens: 256 }),
  };
}
