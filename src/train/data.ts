/**
 * The data of a run as an artefact: a sealed dataset, or a plain file that is sealed on the fly into the run's folder, with the licence
 * and origin that were given, else unknown. And what the licences of base and data come to: tainted data is not trained on unless it
 * is accepted with a reason.
 */
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { licenceParts, openData, type OpenedData } from '../artefacts/dataset.ts';
import type { InstructionRecord } from '../artefacts/record.ts';
import { UNKNOWN } from '../artefacts/provenance.ts';
import type { DatasetRecord } from '../artefacts/record-schema.ts';
import { rootOf, sealInto } from '../artefacts/seal.ts';
import { InputError, UsageError } from '../errors.ts';
import { createFolderAtomic } from '../formats/atomic.ts';
import { sha256File } from '../formats/hash.ts';
import { isLicence, joinLicences, parseLicence, writeLicence } from '../licence/expression.ts';
import { licenceVerdict, type LicenceVerdict, type Part } from '../licence/verdict.ts';
import { compareRecords, overlaps } from '../text/near-duplicates.ts';
import { sameSlots } from '../text/slots.ts';
import type { TrainOptions } from './options.ts';

/** Of what a run was trained on; `root` is that of its sealed records. */
export interface TrainedData {
  readonly root: string;
  /** Whether the run seals it into its own folder. */
  readonly here: boolean;
  /** Licences of the records as one expression, null where nobody gave one. */
  readonly licence: string | null;
  readonly parts: readonly Part[];
}

/** Where a run keeps what it sealed. */
export const SEALED_HERE = 'dataset';

type Given = Pick<TrainOptions, 'data' | 'licence' | 'origin'>;

/** A licence that a hub or a person gave, or unknown where it is no expression. */
const licenceGiven = ({ licence }: Given): string => (licence === undefined || !isLicence(licence) ? UNKNOWN : writeLicence(parseLicence(licence)));

function* recordsToSeal(records: readonly InstructionRecord[], options: Given): Generator<DatasetRecord> {
  const provenance = { record: { origin: options.origin ?? UNKNOWN, licence: licenceGiven(options) } } as const;
  for (const { instruction, context, response, category, turns, choices } of records) {
    yield { instruction, context, response, category, ...(turns ? { turns: [...turns] } : {}), ...(choices ? { choices: [...choices] } : {}), provenance };
  }
}

/** @throws UsageError for a licence beside a dataset that has its own */
export function trainedData({ records, sealed }: OpenedData, options: Given): TrainedData {
  if (!sealed) return { root: rootOf(recordsToSeal(records, options)), here: true, licence: options.licence ?? null, parts: [{ part: 'data', licence: options.licence ?? null }] };
  if (options.licence !== undefined || options.origin !== undefined) {
    throw new UsageError({ expected: 'no --licence and --origin beside a sealed dataset: its records say what they are', found: options.licence ?? options.origin!, where: '--data' });
  }
  const licences = joinLicences(sealed.licences.map(({ licence }) => licence));
  return { root: sealed.root, here: false, licence: licences === UNKNOWN ? null : licences, parts: licenceParts(sealed, 'data, ') };
}

export function runVerdict(base: string | null | undefined, data: readonly Part[]): LicenceVerdict {
  return licenceVerdict([...(base === undefined ? [] : [{ part: 'base', licence: base }]), ...data]);
}

/** Throws InputError for a tainted verdict that nobody accepted. */
export function refuseTaint({ verdict, blocks }: LicenceVerdict, { acceptTaint, data }: Pick<TrainOptions, 'acceptTaint' | 'data'>): void {
  if (verdict !== 'tainted' || acceptTaint !== undefined) return;
  const worst = blocks.filter(({ clause }) => clause !== 'without a licence nothing is allowed');
  const named = worst.map(({ part, licence, says, records, first }) => `${part} under ${licence}, which ${says}${records === undefined ? '' : ` (${records} ${records === 1 ? 'record' : 'records'}${first?.length ? `, first ${first[0]}` : ''})`}`);
  throw new InputError({ expected: 'base and data that a model may be made with', found: named.join('; '), where: data, remedy: 'Leave these records out, or accept it for good with --accept-taint "reason": the model stays tainted.' });
}

/** Seals a plain file into the run's folder. Throws InputError where it has changed meanwhile. */
export async function sealHere(options: TrainOptions, { root }: TrainedData): Promise<void> {
  const { records } = openData(options.data);
  const name = basename(options.data);
  const source = { name, form: 'dolly', bytes: statSync(options.data).size, sha256: await sha256File(options.data) };
  await createFolderAtomic(join(options.out, SEALED_HERE), async (folder) => {
    const sealed = sealInto(folder, { train: recordsToSeal(records, options) }, { name: name.replace(/\.jsonl$/, ''), rejected: 0, sources: [source] });
    if (sealed.root !== root) throw new InputError({ expected: 'data that does not change while a run begins', found: 'other records than a moment ago', where: options.data, remedy: 'Start again.' });
  });
}

/** Throws InputError where a held-out question or answer is nearly one that is trained on: its loss would say nothing. A passage may be shared. */
export function refuseOverlap(train: readonly InstructionRecord[], heldOut: readonly InstructionRecord[], path: string): void {
  const all = [...train, ...heldOut];
  const compared = compareRecords(all, { accept: sameSlots });
  const both = [...overlaps(compared, [...train.keys()], Array.from(heldOut, (_, i) => train.length + i))].filter(({ kind }) => kind !== 'passage');
  if (both.length === 0) return;
  const pairs = both.slice(0, 3).map(({ kind, heldOut: held, trained, score }) => `${kind} of held-out.jsonl:${all[held]!.line} and records.jsonl:${all[trained]!.line}, ${Math.floor(100 * score)} % like`).join('; ');
  throw new InputError({ expected: 'held-out records that are not trained on', found: `${both.length} that are: ${pairs}`, where: path, remedy: 'Split it anew with roslin dataset split.' });
}
