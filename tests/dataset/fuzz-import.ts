/** Inputs for the fuzz of all importers: files that are right in each form, spoilt at random from a seed. Used by its test and by `npm run proof:fuzz-import`. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Random } from '../../src/artefacts/random.ts';
import { importRecords } from '../../src/dataset/import.ts';
import { WRITERS } from '../../src/dataset/write-forms.ts';
import { InputError } from '../../src/errors.ts';
import { importing, PROVENANCE, withoutTurns } from './support.ts';

const records = Array.from({ length: 6 }, (_, i) => ({
  instruction: `Ask, "${i}"\nin two lines`, context: i === 1 ? 'A passage.[1]' : '', response: `Answer ${i} \u00e9\u{1f411}`, category: 'open_qa', ...(i === 2 ? { turns: [{ role: 'user' as const, text: 'Hello' }] } : {}), rejected: 'worse', provenance: { record: PROVENANCE },
}));

const tree = { message_tree_id: 't', prompt: { text: 'q', role: 'prompter', lang: 'en', replies: [{ text: 'a', role: 'assistant', rank: 0, replies: [{ text: 'q2', role: 'prompter', replies: [{ text: 'a2', role: 'assistant', replies: [] }] }] }] } };

/** A right file: its name, its bytes, and whether it is gzipped. */
export interface Seed {
  readonly name: string;
  readonly bytes: Buffer;
  readonly gzip: boolean;
}

export async function seeds(folder: string): Promise<Seed[]> {
  const found: Omit<Seed, 'gzip'>[] = [];
  const flat = records.map((record) => withoutTurns(record));
  for (const [target, name] of [['dolly', 'a.jsonl'], ['alpaca', 'b.json'], ['messages', 'c.jsonl'], ['preference', 'd.jsonl'], ['csv', 'e.csv'], ['parquet', 'f.parquet'], ['roslin', 'g.jsonl']] as const) {
    const path = join(folder, name);
    await WRITERS[target].write(path, target === 'dolly' || target === 'alpaca' ? flat : records);
    found.push({ name, bytes: readFileSync(path) });
    rmSync(path);
  }
  const lines = (...values: object[]) => Buffer.from(values.map((value) => JSON.stringify(value)).join('\n'));
  found.push(
    { name: 'h.jsonl', bytes: lines(tree, tree) }, { name: 'i.jsonl', bytes: lines({ conversations: [{ from: 'human', value: 'q' }, { from: 'gpt', value: 'a' }] }) }, { name: 'j.jsonl', bytes: lines({ prompt: 'q', completion: 'a' }, { prompt: 'q', completion: 'b' }) },
    { name: 'k.jsonl', bytes: lines({ id: 's', instruction: 'i', instances: [{ input: '', output: 'o' }], is_classification: false }) }, { name: 'l.tsv', bytes: Buffer.from('instruction\tinput\toutput\ni\tc\to\n"j"\t\tp\n') },
  );
  return [...found.map((file) => ({ ...file, gzip: false })), ...found.map(({ name, bytes }) => ({ name: `${name}.gz`, bytes, gzip: true }))];
}

const PIECES = ['"', '{', '}', '[', ']', ',', '\n', '\r', '\t', '\\', '\\u', '\\ud83d', ':', 'null', '1e999', '-', '{"', '"}', '[[', '\0', '\ufeff', '\u2028', 'PAR1', '\x1f\x8b', '__proto__', '"instruction":', '"replies":[', '"role":"system"', 'é'].map((text) => Buffer.from(text));

/** The file's bytes, spoilt; gzipped ones mostly before they are packed, since little of what is spoilt after can be unpacked. */
function spoiltFile({ bytes, gzip }: Seed, random: Random): Buffer {
  if (!gzip) return spoil(bytes, random);
  return random.next() < 0.2 ? spoil(gzipSync(bytes), random) : gzipSync(spoil(bytes, random), { level: 1 });
}

/** Input `index` of a seed: each can be made by itself. */
export function spoiltInput(files: readonly Seed[], seed: number, index: number): { readonly name: string; readonly bytes: Buffer } {
  const file = files[index % files.length]!;
  return { name: file.name, bytes: spoiltFile(file, new Random(Math.imul(seed, 0x9e3779b1) ^ index)) };
}

export const wholeFile = ({ bytes, gzip }: Seed): Buffer => (gzip ? gzipSync(bytes) : bytes);

/** `bytes` with one to four changes: bits, bytes, pieces put in, ranges taken out, doubled or swapped in from elsewhere, cut ends. */
function spoil(bytes: Buffer, random: Random): Buffer {
  let spoilt: Buffer = Buffer.from(bytes);
  const below = (n: number) => Math.floor(random.next() * n);
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(spoilt.length + 1);
    const end = Math.min(spoilt.length, at + 1 + below(1 + below(40)));
    switch (below(7)) {
      case 0:
        if (at < spoilt.length) spoilt[at]! ^= 1 << below(8);
        break;
      case 1:
        if (at < spoilt.length) spoilt[at] = below(256);
        break;
      case 2:
        spoilt = Buffer.concat([spoilt.subarray(0, at), PIECES[below(PIECES.length)]!, spoilt.subarray(at)]);
        break;
      case 3:
        spoilt = Buffer.concat([spoilt.subarray(0, at), spoilt.subarray(end)]);
        break;
      case 4:
        spoilt = Buffer.concat([spoilt.subarray(0, end), spoilt.subarray(at, end), spoilt.subarray(end)]);
        break;
      case 5:
        spoilt = Buffer.from(spoilt.subarray(0, at));
        break;
      default: {
        const from = below(spoilt.length + 1);
        spoilt = Buffer.concat([spoilt.subarray(0, at), spoilt.subarray(from, from + (end - at)), spoilt.subarray(end)]);
      }
    }
  }
  return spoilt;
}

export interface Outcome {
  readonly records: number;
  /** Reasons with their lines: of rows, and of the rest of a file. */
  readonly rejects: number;
  readonly refused: boolean;
}

/** Imports a file. Throws where anything but a refusal with a line comes out. */
export async function attempt(folder: string, name: string, bytes: Buffer): Promise<Outcome> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  let [found, rejects] = [0, 0];
  try {
    for await (const row of importRecords(importing([path], { paths: 'all' }))) {
      if ('reason' in row) {
        if (!(Number.isInteger(row.line) && row.line >= 1) || row.reason === '') throw new Error(`a reject without a line: ${JSON.stringify(row)}`);
        rejects++;
      } else found += row.records.length;
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (!/ line \d+/.test(error.parts.where ?? '')) throw new Error(`a refusal without a line: ${error.message}`, { cause: error });
    return { records: found, rejects, refused: true };
  }
  return { records: found, rejects, refused: false };
}
