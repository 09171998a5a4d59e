/** What the four documents of a dataset are made from: its manifest, its records' sources, and what a person states. Nothing else. */
import { openDataset, readDataset, type DatasetManifest } from '../../artefacts/dataset.ts';
import { partsOf, provenanceOf, UNKNOWN, type Origin } from '../../artefacts/provenance.ts';
import { joinLicences } from '../../licence/expression.ts';
import { licenceVerdict, type LicenceVerdict } from '../../licence/verdict.ts';

/** What no record says. */
export interface Stated {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly creator?: string | undefined;
  readonly url?: string | undefined;
  readonly version?: string | undefined;
  /** YYYY-MM-DD */
  readonly date: string;
}

/** A source that records name, with how many of them do. */
export interface Attribution {
  readonly title: string;
  readonly author: string;
  readonly url: string;
  readonly revision: string;
  readonly date: string;
  readonly licence: string;
  readonly part: string;
  readonly records: number;
}

export interface Facts {
  readonly manifest: DatasetManifest;
  readonly title: string;
  readonly description: string;
  readonly creator: string;
  readonly url: string;
  readonly version: string;
  readonly date: string;
  /** Of all records, as one SPDX expression, or unknown. */
  readonly licence: string;
  readonly licences: readonly string[];
  readonly verdict: LicenceVerdict;
  readonly attributions: readonly Attribution[];
  /** Records that have a part of such an origin. */
  readonly origins: Readonly<Partial<Record<Origin, number>>>;
  readonly checks: readonly { readonly check: string; readonly version: string; readonly records: number; readonly findings: number }[];
  readonly conversations: number;
  readonly pairs: number;
}

/** Reads the dataset through once. Throws InputError. */
export function gatherFacts(folder: string, stated: Stated): Facts {
  const manifest = openDataset(folder);
  const attributions = new Map<string, Attribution & { records: number }>();
  const origins = new Map<Origin, number>();
  const checks = new Map<string, { check: string; version: string; records: number; findings: number }>();
  let [conversations, pairs] = [0, 0];
  for (const file of manifest.files) {
    for (const { record } of readDataset(folder, file)) {
      if (record.turns) conversations++;
      if (record.rejected !== undefined) pairs++;
      const seen = new Set<Origin>();
      for (const part of partsOf(record)) {
        const { source, licence, origin } = provenanceOf(record, part);
        seen.add(origin);
        // What has neither title nor address is an identifier in another collection, and nothing to name.
        if (!source || (source.title === undefined && source.url === undefined)) continue;
        const { title = '', author = '', url = '', revision = '', date = '' } = source;
        const key = JSON.stringify([title, author, url, revision, date, licence, part]);
        const entry = attributions.get(key) ?? { title, author, url, revision, date, licence, part, records: 0 };
        attributions.set(key, { ...entry, records: entry.records + 1 });
      }
      for (const origin of seen) origins.set(origin, (origins.get(origin) ?? 0) + 1);
      for (const { check, version, verdict } of record.checks ?? []) {
        const entry = checks.get(`${check} ${version}`) ?? { check, version, records: 0, findings: 0 };
        entry.records++;
        if (verdict !== 'ok') entry.findings++;
        checks.set(`${check} ${version}`, entry);
      }
    }
  }
  const licences = [...new Set(manifest.licences.map(({ licence }) => licence))].sort();
  const byKey = <T>(map: Map<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
  return {
    manifest, title: stated.title ?? manifest.name, creator: stated.creator ?? 'not stated', version: stated.version ?? (manifest.root ?? 'not sealed').slice(0, 12), date: stated.date,
    description: stated.description ?? `${manifest.records} records of instructions and responses.`, url: stated.url ?? `urn:roslin:dataset:${manifest.root ?? manifest.name}`,
    licence: licences.length === 0 ? UNKNOWN : joinLicences(licences), licences, verdict: licenceVerdict(manifest.licences.map(({ part, licence, records, first }) => ({ part, licence, records, first }))),
    attributions: byKey(attributions), origins: Object.fromEntries(origins), checks: byKey(checks), conversations, pairs,
  };
}
