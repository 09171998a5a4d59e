/** Texts of evaluation sets, to hold records against: what is asked, not the choices. Any form of rows; a sealed dataset too. */
import { basename, join } from 'node:path';
import { isDataset, openDataset, readDataset } from '../artefacts/dataset.ts';
import { InputError } from '../errors.ts';
import { readRows, recogniseContainer } from '../formats/rows.ts';
import type { EvaluationText } from './checks/duplicates.ts';

/** Fields that hold what is asked, the first that is there; LAMBADA's context is the text itself. */
const FIELDS = ['query', 'question', 'instruction', 'prompt', 'text', 'context', 'sentence'] as const;
/** Wording of the task around a question. */
const AROUND = /^\s{0,20}(?:question|q|frage|вопрос)\s?:\s{0,20}|\s{0,20}(?:answer|a|antwort|ответ)\s?:\s{0,20}$/giu;

/** Throws InputError where a file has no text that can be compared. */
export async function readEvaluationTexts(paths: readonly string[]): Promise<EvaluationText[]> {
  const texts: EvaluationText[] = [];
  for (const path of paths) {
    const before = texts.length;
    for await (const { line, value, file } of rowsOf(path)) {
      const field = FIELDS.find((name) => typeof value[name] === 'string' && value[name].trim() !== '');
      if (field) texts.push({ file, line, split: 'evaluation', text: (value[field] as string).replace(AROUND, '') });
    }
    if (texts.length === before) throw new InputError({ expected: `rows with one of ${FIELDS.join(', ')}`, found: 'none', where: path, remedy: 'Name a file of evaluation questions.' });
  }
  return texts;
}

async function* rowsOf(path: string): AsyncGenerator<{ line: number; value: Readonly<Record<string, unknown>>; file: string }> {
  if (isDataset(path)) {
    for (const file of openDataset(path).files) for (const { line, record } of readDataset(path, file)) yield { line, value: record, file: join(basename(path), file.file) };
    return;
  }
  for await (const row of readRows(await recogniseContainer(path))) {
    if ('fault' in row) throw row.fault;
    yield { ...row, file: basename(path) };
  }
}
