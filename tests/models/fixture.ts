/** A parity fixture: a tiny model, a batch, and what Hugging Face transformers, peft and PyTorch made of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device, DeviceArray } from '../../src/engine/index.ts';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import { loraFromConfig, peftName, type LoraSpec } from '../../src/models/adapter.ts';
import type { Architecture } from '../../src/models/architecture.ts';
import type { Sequence } from '../../src/models/batch.ts';
import { architectureOf } from '../../src/models/registry.ts';
import { readWeights, sourceOf, uploadWeights, type Weights } from '../../src/models/weights.ts';
import { loraBlock } from '../../src/models/adapter.ts';

export const FIXTURES = join(import.meta.dirname, '../fixtures/parity');

export interface Fixture {
  readonly architecture: Architecture;
  readonly lora: LoraSpec | undefined;
  readonly sequences: Sequence[];
  readonly expected: { loss: number; count: number; losses: number[]; lrs: number[]; grad_norms: number[]; greedy: number[]; undetermined: Record<string, number[]> };
  weights(device: Device): Map<string, DeviceArray>;
  hostWeights(): Weights;
  tensor(name: string): Float32Array;
  has(name: string): boolean;
}

const json = (...path: string[]) => JSON.parse(readFileSync(join(FIXTURES, ...path), 'utf8'));

export function loadFixture(name: string): Fixture {
  const architecture = architectureOf(json(name, 'config.json'), name);
  const isLora = name.includes('lora');
  const lora = isLora ? loraFromConfig(architecture, json(name, 'adapter', 'adapter_config.json'), name) : undefined;
  const reader = openSafetensors(join(FIXTURES, name, 'expected.safetensors'));
  const tensor = (key: string) => {
    const info = reader.tensors.get(key);
    if (!info) throw new Error(`${name}: no tensor ${key}`);
    const out = new Float32Array(info.shape.reduce((a, b) => a * b, 1));
    reader.readFloat32(key, out);
    return out;
  };
  return {
    architecture, lora, tensor,
    has: (key) => reader.tensors.has(key),
    sequences: json(name, 'batch.json').sequences.map((s: { ids: number[]; trained: number[] }) => ({ ids: Int32Array.from(s.ids), trained: Uint8Array.from(s.trained) })),
    expected: json(name, 'expected.json'),
    weights: (device) => uploadWeights(hostWeights(), device),
    hostWeights,
  };

  function hostWeights(): Weights {
      const base = openSafetensors(join(FIXTURES, name, 'model.safetensors'));
      const weights = readWeights(architecture, sourceOf(base));
      base.close();
      if (lora) {
        const adapter = openSafetensors(join(FIXTURES, name, 'adapter', 'adapter_model.safetensors'));
        for (let l = 0; l < architecture.layers; l++) {
          for (const [local, { shape }] of Object.entries(loraBlock(architecture, lora))) {
            const data = new Float32Array(shape[0]! * shape[1]!);
            adapter.readFloat32(peftName(architecture.names.block(l) + local), data);
            weights.set(architecture.names.block(l) + local, { shape, data });
          }
        }
        if (lora.tokenRows) {
          const [first, end] = lora.tokenRows.map((row) => row * architecture.hidden);
          for (const name of new Set([architecture.names.embedding, architecture.names.head])) adapter.readFloat32(peftName(name), weights.get(name)!.data.subarray(first, end));
        }
        adapter.close();
      }
      return weights;
  }
}
