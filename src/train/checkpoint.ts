/** Checkpoints: trained parameters and both moments of Adam in one safetensors file, and where the run was. Appear whole or not at all. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AdamW, Device, DeviceArray } from '../engine/index.ts';
import { InputError } from '../errors.ts';
import { createFolderAtomic, writeFileAtomic } from '../formats/atomic.ts';
import { openSafetensors, writeSafetensors } from '../formats/safetensors.ts';
import type { Trained } from '../models/network.ts';

export interface CheckpointState {
  /** Updates made. */
  readonly step: number;
  readonly logSizes: Readonly<Record<string, number>>;
  /** Held-out loss before the first update. */
  readonly before: number | null;
  readonly trainedTokens: number;
  readonly seconds: number;
}

const name = (step: number) => `step-${String(step).padStart(8, '0')}`;
const PATTERN = /^step-\d{8}$/;

/** Every array of a checkpoint by its name in the file. */
function arrays(trained: readonly Trained[], optimizer: AdamW): Map<string, DeviceArray> {
  return new Map([
    ...trained.map((t) => [`value.${t.name}`, t.value] as const),
    ...optimizer.moments().flatMap((t) => [[`m.${t.name}`, t.m], [`v.${t.name}`, t.v]] as const),
  ]);
}

export function checkpointBytes(trained: readonly Trained[]): number {
  return trained.reduce((n, t) => n + 12 * t.value.shape.reduce((a, b) => a * b, 1), 0);
}

/** Writes a checkpoint, then removes those before it. */
export async function saveCheckpoint(folder: string, device: Device, trained: readonly Trained[], optimizer: AdamW, state: CheckpointState): Promise<void> {
  await createFolderAtomic(join(folder, name(state.step)), async (temporary) => {
    const tensors = [...arrays(trained, optimizer)].map(([key, array]) => ({ name: key, dtype: 'F32' as const, shape: array.shape, data: async () => (await device.read(array)) as Float32Array }));
    await writeSafetensors(join(temporary, 'state.safetensors'), tensors);
    writeFileAtomic(join(temporary, 'state.json'), JSON.stringify(state));
  });
  for (const other of readdirSync(folder)) if (PATTERN.test(other) && other < name(state.step)) rmSync(join(folder, other), { recursive: true, force: true });
}

/** Loads the newest checkpoint into the parameters and the optimizer; undefined where there is none. */
export async function loadCheckpoint(folder: string, device: Device, trained: readonly Trained[], optimizer: AdamW): Promise<CheckpointState | undefined> {
  const newest = existsSync(folder) ? readdirSync(folder).filter((f) => PATTERN.test(f)).sort().at(-1) : undefined;
  if (newest === undefined) return undefined;
  const path = join(folder, newest);
  const state = JSON.parse(readFileSync(join(path, 'state.json'), 'utf8')) as CheckpointState;
  const reader = openSafetensors(join(path, 'state.safetensors'));
  try {
    for (const [key, array] of arrays(trained, optimizer)) {
      if (reader.tensors.get(key)?.shape.join() !== array.shape.join()) throw new InputError({ expected: `${key} as [${array.shape.join(', ')}]`, found: 'another shape or nothing', where: path, remedy: 'The checkpoint belongs to another run.' });
      const data = new Float32Array(array.shape.reduce((a, b) => a * b, 1));
      reader.readFloat32(key, data);
      await array.copyFrom(device.upload(data, array.shape));
    }
  } finally {
    reader.close();
  }
  await optimizer.restore(device, state.step);
  return state;
}
