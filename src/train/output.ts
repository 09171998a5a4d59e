/** What a finished run leaves: a Hugging Face model folder, or a PEFT adapter with all that is needed to use it. run.json comes last. */
import { join } from 'node:path';
import type { RunManifest } from '../artefacts/run.ts';
import type { Device } from '../engine/index.ts';
import { writeFileAtomic } from '../formats/atomic.ts';
import { writeSafetensors, writeShardedSafetensors } from '../formats/safetensors.ts';
import { folderFiles } from '../inference/model-folder.ts';
import type { OpenedModel } from '../inference/open-model.ts';
import { adapterConfig, peftName, type LoraSpec } from '../models/adapter.ts';
import type { Network } from '../models/network.ts';
import { modelCard } from './model-card.ts';

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

export async function writeOutput(folder: string, model: OpenedModel, network: Network, lora: LoraSpec | undefined, type: 'f32' | 'bf16', manifest: RunManifest): Promise<void> {
  const device: Device = network.device;
  // Adapters are small, and PEFT's are in single precision.
  const dtype = type === 'bf16' && !lora ? 'BF16' : 'F32';
  const tensors = network.trained.map(({ name, value }) => ({ name, dtype: dtype as 'F32' | 'BF16', shape: value.shape, data: async () => (await device.read(value)) as Float32Array }));
  if (lora) {
    await writeSafetensors(join(folder, 'adapter_model.safetensors'), tensors.map((t) => ({ ...t, name: peftName(t.name) })), { metadata: { format: 'pt' } });
    writeFileAtomic(join(folder, 'adapter_config.json'), json(adapterConfig(model.architecture, lora, model.path)));
  } else {
    await writeShardedSafetensors(folder, tensors, { metadata: { format: 'pt' } });
  }
  for (const [name, content] of Object.entries(folderFiles(model, dtype))) writeFileAtomic(join(folder, name), content);
  writeFileAtomic(join(folder, 'README.md'), modelCard(manifest, model));
  writeFileAtomic(join(folder, 'run.json'), json(manifest));
}
