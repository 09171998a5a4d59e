/** Tiny models to export: bases, and LoRA runs of a few updates on them. Not a test. */
import { openGguf } from '../../src/formats/gguf.ts';
import { readWeights, type Weights } from '../../src/models/weights.ts';
import { architectureOf } from '../../src/models/registry.ts';
import { modelFromGguf } from '../../src/models/from-gguf.ts';
import { parametersOf } from '../../src/models/architecture.ts';
import { completeOptions } from '../../src/train/options.ts';
import { train } from '../../src/train/trainer.ts';
import { all, writeRecords, type CONFIGS, type Scratch, writeBase } from '../train/tiny-base.ts';

/** A LoRA run whose matrices are no longer zero. `chat` adds no tokens, `dolly` three. */
export async function loraRun(scratch: Scratch, type: keyof typeof CONFIGS, template: 'chat' | 'dolly'): Promise<string> {
  const base = await writeBase(scratch.join('base'), type);
  const out = scratch.join('run');
  const data = writeRecords(scratch.join('train.jsonl'), 24);
  await all(train(completeOptions({ base, data, out, method: 'lora', template, rate: 1e-2, epochs: 1, batchTokens: 400, testSize: 4, threads: 1, licence: 'CC-BY-SA-3.0', baseLicence: 'Apache-2.0' })));
  return out;
}

/** All weights of a GGUF by their published names. */
export function weightsOfGguf(path: string): Weights {
  const reader = openGguf(path);
  const { config, source } = modelFromGguf(reader, (c) => parametersOf(architectureOf(c, path)).keys());
  const weights = readWeights(architectureOf(config, path), source);
  reader.close();
  return weights;
}
