/**
 * Export of a dataset in a form of other programs. Tainted records, and those whose licence nobody gave, are not exported unless that is
 * accepted. Without third-party passages, records that rest on one are left out: an answer taken from a passage is made from it.
 */
import { openDataset, readDataset, type DatasetManifest, type SplitName } from '../artefacts/dataset.ts';
import { provenanceOf } from '../artefacts/provenance.ts';
import type { DatasetRecord } from '../artefacts/record-schema.ts';
import { InputError } from '../errors.ts';
import { licenceVerdict, type Part, type Verdict } from '../licence/verdict.ts';
import { WRITERS, type Target } from './write-forms.ts';

export interface DatasetExportOptions {
  readonly dataset: string;
  readonly to: Target;
  readonly out: string;
  readonly split?: SplitName | 'all' | undefined;
  readonly withoutThirdParty?: boolean | undefined;
  readonly acceptTaint?: string | undefined;
  readonly acceptUnknown?: boolean | undefined;
}

export interface DatasetExport {
  readonly file: string;
  readonly form: Target;
  readonly records: number;
  readonly bytes: number;
  readonly verdict: Verdict;
  readonly accepted: string | null;
  /** Records that were left out, and why. */
  readonly left_out: { readonly third_party: number; readonly no_pair: number };
  /** What the records have and the form does not hold. */
  readonly lost: readonly string[];
}

/** A passage that the organisation did not write itself. */
const isThirdParty = (record: DatasetRecord): boolean => record.context !== '' && provenanceOf(record, 'context').licence !== 'LicenseRef-Organisation';

/** Parts as a verdict takes them, of some records. */
function partsOf(manifest: DatasetManifest, withoutThirdParty: boolean): Part[] {
  return manifest.licences.filter(({ part, licence }) => !withoutThirdParty || part !== 'context' || licence === 'LicenseRef-Organisation').map(({ part, licence, records, first }) => ({ part, licence, records, first }));
}

/** Throws InputError for what may not be passed on, or cannot be written in this form; then nothing is left. */
export async function exportDataset(options: DatasetExportOptions): Promise<DatasetExport> {
  const { dataset, to, out, split = 'all', withoutThirdParty = false } = options;
  const manifest = openDataset(dataset);
  const { verdict, reasons } = licenceVerdict(partsOf(manifest, withoutThirdParty));
  const accepted = accept(verdict, reasons, options);
  const left = { third_party: 0, no_pair: 0 };
  const present = new Set<string>();
  const records = function* (): Generator<DatasetRecord> {
    for (const file of manifest.files) {
      if (split !== 'all' && split !== file.split) continue;
      for (const { record } of readDataset(dataset, file)) {
        if (withoutThirdParty && isThirdParty(record)) left.third_party++;
        else if (to === 'preference' && record.rejected === undefined) left.no_pair++;
        else {
          for (const field of Object.keys(record)) present.add(field);
          if (record.context !== '') present.add('context apart from the question');
          yield record;
        }
      }
    }
  };
  const written = await WRITERS[to].write(out, refuseNone(records(), options, left));
  return { file: out, form: to, ...written, verdict, accepted, left_out: left, lost: WRITERS[to].lacks.filter((field) => present.has(field)) };
}

function* refuseNone(records: Iterable<DatasetRecord>, { dataset, to, split = 'all' }: DatasetExportOptions, left: { third_party: number; no_pair: number }): Generator<DatasetRecord> {
  let count = 0;
  for (const record of records) {
    count++;
    yield record;
  }
  if (count > 0) return;
  const found = left.no_pair > 0 ? `${left.no_pair} records without a rejected answer` : left.third_party > 0 ? `${left.third_party} records that rest on a third party's passage` : `none in ${split}`;
  throw new InputError({ expected: `records for ${to}`, found, where: dataset, remedy: 'Choose another form, or leave out a flag.' });
}

function accept(verdict: Verdict, reasons: readonly string[], { acceptTaint, acceptUnknown, dataset }: DatasetExportOptions): string | null {
  if (verdict === 'tainted' && acceptTaint === undefined) {
    throw new InputError({ expected: 'records that may be passed on', found: `tainted ones: ${reasons.join('; ')}`, where: dataset, remedy: 'Leave them out, or accept it with --accept-taint "reason".' });
  }
  if (verdict === 'unknown' && !acceptUnknown) {
    throw new InputError({ expected: 'records whose licence is known', found: reasons.join('; '), where: dataset, remedy: 'Import them with --licence, or accept it with --accept-unknown.' });
  }
  return verdict === 'tainted' ? `tainted: ${acceptTaint!}` : verdict === 'unknown' ? 'unknown licences' : null;
}
