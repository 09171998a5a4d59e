/** Lineage: which models were trained on a dataset or on an earlier version of it, by the root in their run.json. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest } from '../artefacts/dataset.ts';
import { RUN_SCHEMA, type RunManifest } from '../artefacts/run.ts';
import { InputError } from '../errors.ts';

export interface Descendant {
  readonly run: string;
  readonly root: string;
  readonly verdict: string;
  /** Records that it was trained with and that were withdrawn since: only training anew takes them out. */
  readonly withdrawn: number;
}

export interface Lineage {
  readonly root: string;
  readonly previous: readonly { readonly root: string; readonly withdrawn: number }[];
  readonly models: readonly Descendant[];
}

/** Folders below a place are searched this deep. */
const DEPTH = 3;

/** @param places folders to look for runs in. Throws InputError for a dataset that is not sealed. */
export function lineageOf(dataset: string, places: readonly string[]): Lineage {
  const { root, previous = [] } = readManifest(dataset);
  if (root === null) throw new InputError({ expected: 'a sealed dataset', found: 'one that is not: no model can name it', where: dataset, remedy: 'Seal it with roslin dataset seal.' });
  const withdrawn = new Map([[root, 0], ...previous.map((old) => [old.root, old.withdrawn] as const)]);
  const models = places.flatMap((place) => [...runsBelow(place, DEPTH)]).flatMap(({ path, run }) => {
    const trained = run.data.dataset?.root;
    return trained !== undefined && withdrawn.has(trained) ? [{ run: path, root: trained, verdict: run.verdict, withdrawn: withdrawn.get(trained)! }] : [];
  });
  return { root, previous, models: [...new Map(models.map((model) => [model.run, model])).values()] };
}

function* runsBelow(folder: string, depth: number): Generator<{ path: string; run: RunManifest }> {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  const file = [join(folder, 'run.json'), join(folder, '.training', 'run.json')].find((path) => existsSync(path));
  if (file !== undefined) {
    try {
      const run = JSON.parse(readFileSync(file, 'utf8')) as RunManifest;
      if (run.schema === RUN_SCHEMA) yield { path: folder, run };
    } catch {
      // Another program's run.json.
    }
    return;
  }
  if (depth === 0) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules') yield* runsBelow(join(folder, entry.name), depth - 1);
}
