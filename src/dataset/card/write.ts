/** The four documents of a dataset, from one set of facts, into a folder: beside its records they make it ready to be published. */
import { VERSION } from '../../artefacts/version.ts';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../../formats/atomic.ts';
import { croissant } from './croissant.ts';
import { gatherFacts, type Facts, type Stated } from './facts.ts';
import { attributionTable, datasetCard } from './readme.ts';
import { spdxDocument } from './spdx.ts';

export const documentsOf = (facts: Facts): Readonly<Record<string, string>> => ({
  'README.md': datasetCard(facts), 'croissant.json': `${JSON.stringify(croissant(facts), null, 2)}\n`, 'dataset.spdx.json': `${JSON.stringify(spdxDocument(facts, VERSION), null, 2)}\n`, 'ATTRIBUTION.tsv': attributionTable(facts),
});

/** Writes them; the manifest and the records stay as they are. Throws InputError. */
export function writeCard(dataset: string, out: string, stated: Stated): { facts: Facts; files: string[] } {
  const facts = gatherFacts(dataset, stated);
  mkdirSync(out, { recursive: true });
  const files = Object.entries(documentsOf(facts)).map(([name, content]) => {
    writeFileAtomic(join(out, name), content);
    return name;
  });
  return { facts, files };
}
