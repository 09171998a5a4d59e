/**
 * Records to training examples: token ids and the loss mask made together, segment by segment. Texts are tokenised
 * apart where trained meets untrained, so the boundary is exact by construction. Not batching: packing and padding
 * are the trainer's.
 */
import type { InstructionRecord } from '../artefacts/record.ts';
import { InputError } from '../errors.ts';
import type { ChatMessage } from './jinja.ts';
import type { PromptFields, PromptTemplate, Segment } from './template.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface Example {
  readonly ids: Int32Array;
  /** For each id: 1 = a target of the loss. */
  readonly trained: Uint8Array;
  readonly line: number;
  readonly category: string;
  /** Hash of the record. */
  readonly hash: string;
  /** UTF-8 bytes of the response. */
  readonly responseBytes: number;
  /** The row ends before its text does: no stop token at its end. */
  readonly open?: true;
}

/** A record that was too long, with the tokens it would have had. */
export interface OverlongRow {
  readonly line: number;
  readonly tokens: number;
}

export interface EncodeOptions {
  /** Most tokens of an example; one of exactly this length is kept. */
  readonly maxLength: number;
  /** `cut-context` shortens the context from its end, keeping instruction and answer whole; what still does not fit is dropped. */
  readonly overlong: 'drop' | 'cut-context';
}

export interface EncodedRecords {
  readonly examples: Example[];
  readonly dropped: OverlongRow[];
  readonly cut: OverlongRow[];
}

/** Records encoded at once: bounds the memory of a batch. */
const BATCH = 512;

/**
 * Examples of `records` in order. `tokenizer` must already have the template's added tokens.
 * Throws InputError with the record's line where a text cannot be tokenised, or an example would have no trained
 * token or no stop token at its end.
 */
export function encodeExamples(
  records: readonly InstructionRecord[],
  tokenizer: Tokenizer,
  template: PromptTemplate,
  { maxLength, overlong }: EncodeOptions,
): EncodedRecords {
  const stopId = requireSpecial(tokenizer, template.stopToken);
  const result: EncodedRecords = { examples: [], dropped: [], cut: [] };
  for (let from = 0; from < records.length; from += BATCH) {
    const batch = records.slice(from, from + BATCH);
    for (const record of batch) refuseTurns(record);
    const tokenised = encodeBatch(batch, tokenizer, template);
    batch.forEach((record, i) => {
      let row = tokenised[i] as TokenisedRow;
      const tokens = row.ids.length;
      if (tokens > maxLength) {
        const shortened = overlong === 'cut-context' ? cutContext(record, tokenizer, template, maxLength) : undefined;
        (shortened === undefined ? result.dropped : result.cut).push({ line: record.line, tokens });
        if (shortened === undefined) return;
        row = shortened;
      }
      checkRow(row, stopId, template, tokenizer, record);
      result.examples.push({
        ids: Int32Array.from(row.ids),
        trained: Uint8Array.from(row.trained),
        line: record.line,
        category: record.category,
        hash: record.hash,
        responseBytes: Buffer.byteLength(record.response, 'utf8'),
      });
    });
  }
  return result;
}

/** Ids of everything before the answer, to generate from. Throws InputError. */
export function encodePrompt(record: PromptFields, tokenizer: Tokenizer, template: PromptTemplate): Int32Array {
  return Int32Array.from(encodeRows([template.prompt(record)], tokenizer)[0]?.ids ?? []);
}

/** The same for the next answer of a conversation, under a template that knows such. Throws InputError. */
export function encodeConversation(messages: readonly ChatMessage[], tokenizer: Tokenizer, template: PromptTemplate): Int32Array {
  if (!template.conversation) throw new InputError({ expected: 'a template that knows conversations', found: template.name, where: 'template', remedy: 'Ask one question at a time.' });
  return Int32Array.from(encodeRows([template.conversation(messages)], tokenizer)[0]?.ids ?? []);
}

interface TokenisedRow {
  readonly ids: number[];
  readonly trained: number[];
}

function encodeBatch(records: readonly InstructionRecord[], tokenizer: Tokenizer, template: PromptTemplate): TokenisedRow[] {
  try {
    return encodeRows(records.map((record) => template.example(record)), tokenizer);
  } catch (error) {
    if (!(error instanceof InputError) || records.length === 1) throw onLine(error, records[0]?.line);
    // One record of the batch is at fault: one by one, the error names its line.
    return records.flatMap((record) => encodeBatch([record], tokenizer, template));
  }
}

function onLine(error: unknown, line: number | undefined): unknown {
  if (!(error instanceof InputError) || line === undefined) return error;
  const { where } = error.parts;
  return new InputError({ ...error.parts, where: `record of line ${line}${where ? ` (${where})` : ''}` }, { cause: error });
}

/** One row of ids and mask for each list of segments. */
function encodeRows(rows: readonly (readonly Segment[])[], tokenizer: Tokenizer): TokenisedRow[] {
  const first: string[] = [];
  const continuing: string[] = [];
  for (const row of rows) {
    row.forEach((segment, i) => {
      if (segment.text !== undefined) (continues(row, i) ? continuing : first).push(segment.text);
    });
  }
  const firstIds = tokenizer.encodeTexts(first);
  const continuingIds = tokenizer.encodeTexts(continuing, { continues: true });
  let [nextFirst, nextContinuing] = [0, 0];
  return rows.map((row) => {
    const ids: number[] = [];
    const trained: number[] = [];
    row.forEach((segment, i) => {
      let part: number[];
      if (segment.special !== undefined) part = [requireSpecial(tokenizer, segment.special)];
      else if (continues(row, i)) part = continuingIds[nextContinuing++] as number[];
      else part = firstIds[nextFirst++] as number[];
      for (const id of part) {
        ids.push(id);
        trained.push(segment.trained ? 1 : 0);
      }
    });
    return { ids, trained };
  });
}

/** Whether a text goes on from a text, rather than beginning the row or following a special token. */
function continues(row: readonly Segment[], i: number): boolean {
  return i > 0 && row[i - 1]?.text !== undefined;
}

/** The longest context that fits, cut between words where that costs little; `undefined` where none helps. */
function cutContext(
  record: InstructionRecord,
  tokenizer: Tokenizer,
  template: PromptTemplate,
  maxLength: number,
): TokenisedRow | undefined {
  const characters = [...record.context];
  const attempt = (kept: number): TokenisedRow => {
    const context = characters.slice(0, kept).join('').trimEnd();
    return encodeBatch([{ ...record, context }], tokenizer, template)[0] as TokenisedRow;
  };
  let best = attempt(0);
  if (characters.length === 0 || best.ids.length > maxLength) return undefined;
  let [fits, tooLong] = [0, characters.length];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >>> 1;
    const row = attempt(middle);
    if (row.ids.length <= maxLength) [fits, best] = [middle, row];
    else tooLong = middle;
  }
  let word = fits;
  while (word > 0 && fits - word < 32 && !/\s/.test(characters[word] as string)) word--;
  if (word === fits || word === 0 || !/\s/.test(characters[word] as string)) return best;
  const whole = attempt(word);
  return whole.ids.length <= maxLength ? whole : best;
}

/** Leaving out what was said before would teach answers to questions that nobody asked. */
function refuseTurns({ turns, line }: InstructionRecord): void {
  if (!turns) return;
  throw new InputError({
    expected: 'a record of one question and its answer', found: `one with ${turns.length} earlier turns`, where: `record of line ${line}`,
    remedy: 'Conversations are not trained on yet: import them with --turns first to keep the first exchange of each.',
  });
}

function checkRow(
  row: TokenisedRow,
  stopId: number,
  template: PromptTemplate,
  tokenizer: Tokenizer,
  record: InstructionRecord,
): void {
  const refuse = (expected: string, found: string): never => {
    throw new InputError({
      expected,
      found,
      where: `record of line ${record.line}`,
      remedy: 'Check the record and the template: training on this row would teach nothing, or not to stop.',
    });
  };
  const answer = row.trained.reduce((sum, flag) => sum + flag, 0);
  if (answer === 0) refuse('at least one trained token', 'none');
  if (row.trained[0] === 1) refuse('a prompt before the first trained token', 'none');
  if (row.ids.at(-1) !== stopId || row.trained.at(-1) !== 1) {
    refuse(`a trained stop token ${JSON.stringify(template.stopToken)} at the end`, `id ${row.ids.at(-1)}`);
  }
  const outside = row.ids.find((id) => id < 0 || id >= tokenizer.size);
  if (outside !== undefined) refuse(`ids below ${tokenizer.size}`, String(outside));
}

function requireSpecial(tokenizer: Tokenizer, content: string): number {
  const id = tokenizer.specialId(content);
  if (id === undefined) {
    throw new InputError({
      expected: `a tokenizer with the special token ${JSON.stringify(content)}`,
      found: 'one without it',
      where: 'template and tokenizer',
      remedy: 'Add the template\'s tokens to the tokenizer first (withSpecialTokens(template.addedTokens)).',
    });
  }
  return id;
}
