/** Identity of a base model: one hash over the files that decide what it computes. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceFile } from '../artefacts/run.ts';
import { adapterFileOf, weightsFormatOf } from '../formats/folder.ts';
import { sha256File } from '../formats/hash.ts';
import { pytorchFormat } from '../formats/pytorch.ts';

const DECIDES = /^(config\.json|tokenizer\.json|.*\.safetensors|adapter_config\.json)$/;
/** Counted only where they are what is opened: beside safetensors they decide nothing. */
const PYTORCH = /^pytorch_model.*\.bin$/;
const PYTORCH_ADAPTER = 'adapter_model.bin';

export async function identify(path: string): Promise<SourceFile> {
  const stat = statSync(path);
  if (stat.isFile()) return { path, hash: await sha256File(path), bytes: stat.size };
  const hash = createHash('sha256');
  let bytes = 0;
  const isPytorch = weightsFormatOf(path) === pytorchFormat;
  const isPytorchAdapter = adapterFileOf(path)?.format === pytorchFormat;
  const decides = (name: string) => DECIDES.test(name) || (isPytorch && PYTORCH.test(name)) || (isPytorchAdapter && name === PYTORCH_ADAPTER);
  for (const name of readdirSync(path).filter(decides).sort()) {
    hash.update(`${name} ${await sha256File(join(path, name))}\n`);
    bytes += statSync(join(path, name)).size;
  }
  return { path, hash: hash.digest('hex'), bytes };
}
