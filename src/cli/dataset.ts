/** `roslin dataset …`: in the order in which a dataset is made. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Filter } from '../dataset/filter.ts';
import type { Inspection } from '../dataset/inspect.ts';
import { checkCommand } from './dataset-check.ts';
import { cardCommand, exportCommand } from './dataset-export.ts';
import { importCommand } from './dataset-import.ts';
import { diffCommand, lineageCommand, sealCommand, splitCommand } from './dataset-seal.ts';
import { resolve } from './resolve.ts';
import { note, print, printJson, sanitise, wantsColour } from './terminal.ts';
import { templateOption, wholeNumber } from './train-options.ts';

interface Flags {
  readonly base: string;
  readonly template?: 'dolly' | 'chat';
  readonly maxLength?: number;
  readonly overlong: 'drop' | 'cut-context';
  readonly preview: number;
  readonly category?: readonly string[];
  readonly search?: string;
  readonly lines?: readonly [number, number];
  readonly context?: 'with' | 'without';
  readonly split: 'train' | 'held-out';
  readonly html?: string;
  readonly offline?: boolean;
  readonly json?: boolean;
}

/** `12` or `10-20` */
function linesFlag(text: string): readonly [number, number] {
  const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (from === undefined || Number(to) < Number(from)) throw new InvalidArgumentError(`expected a line or lines such as 10-20, found "${text}".`);
  return [Number(from), Number(to)];
}

export function command(): Command {
  return new Command().addCommand(inspectCommand()).addCommand(importCommand()).addCommand(checkCommand()).addCommand(sealCommand()).addCommand(splitCommand()).addCommand(diffCommand()).addCommand(lineageCommand()).addCommand(exportCommand()).addCommand(cardCommand());
}

function inspectCommand(): Command {
  return new Command('inspect')
    .description('counts, lengths, label share, and rows as the trainer sees them')
    .argument('<data>', 'records: a sealed dataset, a .jsonl file or a hub id')
    .requiredOption('--base <model>', 'base model whose tokenizer and context count')
    .addOption(templateOption())
    .option('--max-length <n>', 'longest row in tokens (default: the context of the base)', wholeNumber(2))
    .addOption(new Option('--overlong <how>', 'longer rows: leave out, or shorten their context').choices(['drop', 'cut-context']).default('drop'))
    .option('--preview <n>', 'rows to show', wholeNumber(0), 3)
    .option('--category <a,b>', 'records of these categories only', (text) => text.split(','))
    .option('--search <text>', 'records with this text in a part, whatever its case')
    .option('--lines <n-m>', 'records of these lines only', linesFlag)
    .addOption(new Option('--context <which>', 'records with a context only, or without').choices(['with', 'without']))
    .addOption(new Option('--split <name>', 'of a split dataset').choices(['train', 'held-out']).default('train'))
    .option('--html <file>', 'write the rows to show as a page with their tokens coloured')
    .option('--offline', 'use only what is already here')
    .option('--json', 'print one JSON object')
    .action(inspect);
}

async function inspect(named: string, flags: Flags): Promise<void> {
  // Loaded here: the other verbs need no model.
  const [{ openData }, { filterRecords }, { inspectDataset }, { openModel }, { renderInspection }] = await Promise.all([
    import('../artefacts/dataset.ts'), import('../dataset/filter.ts'), import('../dataset/inspect.ts'), import('../inference/open-model.ts'), import('./dataset-inspect.ts'),
  ]);
  const [data, base] = [await resolve(named, 'dataset', flags), await resolve(flags.base, 'model', flags)];
  const model = await openModel(base.path, { template: flags.template });
  const { records: train, heldOut, extraFields } = openData(data.path);
  const all = flags.split === 'held-out' ? heldOut ?? [] : train;
  const filter: Filter = { categories: flags.category, search: flags.search, lines: flags.lines, context: flags.context };
  const records = filterRecords(all, filter);
  if (records.length === 0) return nothingFound(all.length, flags);
  const result = inspectDataset(records, model.tokenizer, model.template, { maxLength: Math.min(flags.maxLength ?? Infinity, model.architecture.contextLength), overlong: flags.overlong, preview: flags.preview });
  if (flags.html !== undefined) await writePage(flags.html, result, named);
  if (flags.json) return printJson({ ...result, of: all.length, extra_fields: extraFields });
  if (records.length < all.length) note(`${records.length} of ${all.length} records`);
  print(renderInspection(result, { color: wantsColour(process.stdout) }));
  for (const [field, n] of Object.entries(extraFields)) note(`${n} records have a field ${sanitise(field)}, which is not used`);
}

function nothingFound(of: number, flags: Flags): void {
  if (flags.json) return printJson({ records: 0, of });
  print(`No record of ${of} is so.`);
}

async function writePage(path: string, result: Inspection, title: string): Promise<void> {
  const [{ inspectionPage }, { writeFileAtomic }] = await Promise.all([import('../dataset/page.ts'), import('../formats/atomic.ts')]);
  writeFileAtomic(path, inspectionPage(result, title));
  note(`${sanitise(path)}: ${result.preview.length} rows`);
}
