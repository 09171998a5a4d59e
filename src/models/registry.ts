/** model_type -> family. */
import { InputError } from '../errors.ts';
import type { Architecture } from './architecture.ts';
import type { Json } from './config.ts';
import { gptNeox } from './gpt-neox.ts';
import { llama } from './llama.ts';

const FAMILIES: Readonly<Record<string, (config: Json, where: string) => Architecture>> = { gpt_neox: gptNeox, llama, mistral: llama };

/** @throws InputError for an architecture, activation or field that is not implemented, by name. */
export function architectureOf(config: Json, where: string): Architecture {
  const type = config['model_type'];
  const family = typeof type === 'string' && Object.hasOwn(FAMILIES, type) ? FAMILIES[type] : undefined;
  if (!family) {
    throw new InputError({ expected: `model_type to be one of ${Object.keys(FAMILIES).join(', ')}`, found: JSON.stringify(type) ?? 'nothing', where, remedy: 'Choose a base model of one of these families.' });
  }
  return family(config, where);
}
