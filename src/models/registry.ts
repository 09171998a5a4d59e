/** model_type -> family, and the name that transformers has for its class. */
import { InputError } from '../errors.ts';
import type { Architecture } from './architecture.ts';
import type { Json } from './config.ts';
import { gptJ } from './gpt-j.ts';
import { gptNeox } from './gpt-neox.ts';
import { llama } from './llama.ts';
import { qwen } from './qwen.ts';

interface Family {
  read(config: Json, where: string): Architecture;
  readonly publishedClass: string;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  gpt_neox: { read: gptNeox, publishedClass: 'GPTNeoXForCausalLM' },
  gptj: { read: gptJ, publishedClass: 'GPTJForCausalLM' },
  llama: { read: llama, publishedClass: 'LlamaForCausalLM' },
  mistral: { read: llama, publishedClass: 'MistralForCausalLM' },
  qwen2: { read: qwen, publishedClass: 'Qwen2ForCausalLM' },
  qwen3: { read: qwen, publishedClass: 'Qwen3ForCausalLM' },
};

/** @throws InputError for an architecture, activation or field that is not implemented, by name. */
export function architectureOf(config: Json, where: string): Architecture {
  const type = config['model_type'];
  const family = typeof type === 'string' && Object.hasOwn(FAMILIES, type) ? FAMILIES[type] : undefined;
  if (!family) {
    throw new InputError({ expected: `model_type to be one of ${Object.keys(FAMILIES).join(', ')}`, found: JSON.stringify(type) ?? 'nothing', where, remedy: 'Choose a base model of one of these families.' });
  }
  return family.read(config, where);
}

/** What `architectures` of a config.json says of an architecture. */
export const publishedClass = (a: Architecture): string => FAMILIES[a.type]!.publishedClass;
