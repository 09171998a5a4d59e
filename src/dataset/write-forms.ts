/** Records in the forms of other programs. What a form cannot hold is said by its name in `lacks`. */
import { canonicalJson } from '../artefacts/canonical.ts';
import type { DatasetRecord, Turn } from '../artefacts/record-schema.ts';
import { InputError } from '../errors.ts';
import { AtomicFile } from '../formats/atomic.ts';
import { LineWriter } from '../formats/line-writer.ts';
import { JSON_FIELDS, QUOTED, TEXT_FIELDS } from './forms/own.ts';

export const TARGETS = ['roslin', 'dolly', 'alpaca', 'messages', 'preference', 'csv', 'parquet'] as const;
export type Target = (typeof TARGETS)[number];

export interface Written {
  readonly records: number;
  readonly bytes: number;
}

type Writer = (path: string, records: Iterable<DatasetRecord>) => Promise<Written>;

/** Rows in which a form has no place for earlier turns are refused, not cut. Throws InputError. */
function refuseTurns({ turns, instruction }: DatasetRecord, form: string): void {
  if (turns) throw new InputError({ expected: `records that ${form} can hold: one question and its answer`, found: `a conversation: ${JSON.stringify(instruction.slice(0, 60))}`, remedy: 'Export to messages, csv or parquet, or import with --turns first.' });
}

/** Lines of text, made one by one. */
const lines = (line: (record: DatasetRecord, first: boolean) => string, begin = '', end = ''): Writer => async (path, records) => {
  const out = new LineWriter(path);
  try {
    out.write(begin);
    let count = 0;
    for (const record of records) out.write(line(record, count++ === 0));
    out.write(end);
    return { records: count, bytes: out.commit().bytes };
  } catch (error) {
    out.abort();
    throw error;
  }
};

/** The question with its context as one message, as templates join them. */
const question = ({ instruction, context }: DatasetRecord): string => (context === '' ? instruction : `${instruction}\n\nInput:\n${context}`);

const asMessages = (turns: readonly Turn[]) => turns.map(({ role, text }) => ({ role, content: text }));

const dolly = (record: DatasetRecord): string => {
  refuseTurns(record, 'Dolly\'s form');
  const { instruction, context, response, category, choices } = record;
  return `${JSON.stringify({ instruction, context, response, category, ...(choices ? { choices } : {}) })}\n`;
};

const alpaca = (record: DatasetRecord, first: boolean): string => {
  refuseTurns(record, 'Alpaca\'s form');
  const { instruction, context, response, category } = record;
  return `${first ? '' : ',\n'}${JSON.stringify({ instruction, input: context, output: response, category })}`;
};

const messages = (record: DatasetRecord): string => {
  const { turns = [], response, category } = record;
  return `${JSON.stringify({ messages: asMessages([...turns, { role: 'user', text: question(record) }, { role: 'assistant', text: response }]), category })}\n`;
};

const preference = (record: DatasetRecord): string => {
  const { turns = [], response, rejected, category } = record;
  const answer = (text: string) => asMessages([{ role: 'assistant', text }]);
  return `${JSON.stringify({ prompt: asMessages([...turns, { role: 'user', text: question(record) }]), chosen: answer(response), rejected: answer(rejected!), category })}\n`;
};

/** Begins as a formula in a spreadsheet, in narrow or full-width writing. */
const FORMULA = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;

/** RFC 4180. Quoted where it must be. */
const cell = (text: string): string => (/[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text);

const COLUMNS = [...TEXT_FIELDS, ...JSON_FIELDS];

const cells = (record: DatasetRecord): (string | null)[] => COLUMNS.map((name) => {
  const value = record[name];
  return value === undefined ? null : typeof value === 'string' ? value : canonicalJson(value);
});

const csv = (record: DatasetRecord): string => {
  const values = cells(record).map((value) => value ?? '');
  const quoted = COLUMNS.filter((_, i) => FORMULA.test(values[i]!));
  return `${[...values.map((value) => (FORMULA.test(value) ? `'${value}` : value)), quoted.join(' ')].map(cell).join(',')}\r\n`;
};

/** Rows of a row group. */
const GROUP = 10_000;

const parquet: Writer = async (path, records) => {
  const { ParquetWriter, ByteWriter } = await import('hyparquet-writer');
  const file = new AtomicFile(path);
  const buffer = new ByteWriter();
  const nullable = new Set<string>(['language', 'rejected', 'turns', 'choices', 'checks']);
  const writer = new ParquetWriter({
    writer: buffer,
    schema: [{ name: 'root', num_children: COLUMNS.length }, ...COLUMNS.map((name) => ({ name, type: 'BYTE_ARRAY' as const, converted_type: 'UTF8' as const, repetition_type: nullable.has(name) ? ('OPTIONAL' as const) : ('REQUIRED' as const) }))],
  });
  let count = 0;
  let held: (string | null)[][] = [];
  const group = async () => {
    await writer.write({ columnData: COLUMNS.map((name, i) => ({ name, data: held.map((row) => row[i]!) })), rowGroupSize: GROUP });
    held = [];
  };
  /** Out of memory with what the writer has made since it was last asked. */
  const drain = () => {
    file.write(buffer.getBytes());
    buffer.index = 0;
  };
  try {
    for (const record of records) {
      count++;
      if (held.push(cells(record)) === GROUP) {
        await group();
        drain();
      }
    }
    if (held.length > 0) await group();
    await writer.finish();
    drain();
    file.commit();
    return { records: count, bytes: file.bytes };
  } catch (error) {
    file.abort();
    throw error;
  }
};

export const WRITERS: Readonly<Record<Target, { readonly write: Writer; /** Parts and facts that the form has no place for. */ readonly lacks: readonly string[] }>> = {
  roslin: { write: lines((record) => `${canonicalJson(record)}\n`), lacks: [] },
  dolly: { write: lines(dolly), lacks: ['language', 'rejected', 'provenance'] },
  alpaca: { write: lines(alpaca, '[\n', '\n]\n'), lacks: ['language', 'rejected', 'choices', 'provenance'] },
  messages: { write: lines(messages), lacks: ['context apart from the question', 'language', 'rejected', 'choices', 'provenance'] },
  preference: { write: lines(preference), lacks: ['context apart from the question', 'language', 'choices', 'provenance'] },
  csv: { write: lines(csv, `${[...COLUMNS, QUOTED].join(',')}\r\n`), lacks: [] },
  parquet: { write: parquet, lacks: [] },
};
