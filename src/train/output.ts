/** What a finished run leaves: a Hugging Face model folder, or a PEFT adapter with all that is needed to use it. run.json comes last. */
import { join } from 'node:path';
import type { RunManifest } from '../artefacts/run.ts';
import type { Device } from '../engine/index.ts';
import { writeFileAtomic } from '../formats/atomic.ts';
import { writeSafetensors, writeShardedSafetensors } from '../formats/safetensors.ts';
import type { OpenedModel } from '../inference/open-model.ts';
import { adapterConfig, peftName, type LoraSpec } from '../models/adapter.ts';
import type { Network } from '../models/network.ts';
import { publishedClass } from '../models/registry.ts';
import { modelCard } from './model-card.ts';

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

export async function writeOutput(folder: string, model: OpenedModel, network: Network, lora: LoraSpec | undefined, type: 'f32' | 'bf16', manifest: RunManifest): Promise<void> {
  const device: Device = network.device;
  const stop = model.tokenizer.specialId(model.template.stopToken)!;
  const { bosToken, eosToken, chatTemplate, addBos } = model.text;
  // Adapters are small, and PEFT's are in single precision.
  const dtype = type === 'bf16' && !lora ? 'BF16' : 'F32';
  const config = { ...model.config, architectures: [publishedClass(model.architecture)], torch_dtype: dtype === 'BF16' ? 'bfloat16' : 'float32', eos_token_id: stop };
  const tensors = network.trained.map(({ name, value }) => ({ name, dtype: dtype as 'F32' | 'BF16', shape: value.shape, data: async () => (await device.read(value)) as Float32Array }));
  if (lora) {
    await writeSafetensors(join(folder, 'adapter_model.safetensors'), tensors.map((t) => ({ ...t, name: peftName(t.name) })), { metadata: { format: 'pt' } });
    writeFileAtomic(join(folder, 'adapter_config.json'), json(adapterConfig(model.architecture, lora, model.path)));
  } else {
    await writeShardedSafetensors(folder, tensors, { metadata: { format: 'pt' } });
  }
  writeFileAtomic(join(folder, 'config.json'), json(config));
  writeFileAtomic(join(folder, 'tokenizer.json'), model.tokenizer.toJson());
  writeFileAtomic(join(folder, 'tokenizer_config.json'), json({
    tokenizer_class: 'PreTrainedTokenizerFast', model_max_length: model.architecture.contextLength, clean_up_tokenization_spaces: false, add_bos_token: addBos,
    bos_token: bosToken ?? null, eos_token: model.template.name === 'dolly' ? model.template.stopToken : (eosToken ?? model.template.stopToken), pad_token: eosToken ?? model.template.stopToken,
    ...(chatTemplate === undefined ? {} : { chat_template: chatTemplate }),
  }));
  writeFileAtomic(join(folder, 'generation_config.json'), json({ eos_token_id: stop, do_sample: true, top_p: 0.92, top_k: 0, temperature: 1, max_new_tokens: 256 }));
  writeFileAtomic(join(folder, 'README.md'), modelCard(manifest, model));
  writeFileAtomic(join(folder, 'run.json'), json(manifest));
}
