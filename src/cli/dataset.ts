/** `roslin dataset …`: today `inspect`. */
import { Command, Option } from 'commander';
import { readRecordFile } from '../artefacts/record.ts';
import { inspectDataset } from '../dataset/inspect.ts';
import { openModel } from '../inference/open-model.ts';
import { renderInspection } from './dataset-inspect.ts';
import { resolve } from './resolve.ts';
import { note, print, printJson, sanitise, wantsColour } from './terminal.ts';
import { templateOption, wholeNumber } from './train-options.ts';

interface Flags {
  readonly base: string;
  readonly template?: 'dolly' | 'chat';
  readonly maxLength?: number;
  readonly overlong: 'drop' | 'cut-context';
  readonly preview: number;
  readonly offline?: boolean;
  readonly json?: boolean;
}

export function command(): Command {
  const inspect = new Command('inspect')
    .description('counts, lengths, label share, and rows as the trainer sees them')
    .argument('<file>', 'records: a .jsonl file or a hub id')
    .requiredOption('--base <model>', 'base model whose tokenizer and context count')
    .addOption(templateOption())
    .option('--max-length <n>', 'longest row in tokens (default: the context of the base)', wholeNumber(2))
    .addOption(new Option('--overlong <how>', 'longer rows: leave out, or shorten their context').choices(['drop', 'cut-context']).default('drop'))
    .option('--preview <n>', 'rows to show', wholeNumber(0), 3)
    .option('--offline', 'use only what is already here')
    .option('--json', 'print one JSON object')
    .action(async (file: string, flags: Flags) => {
      const [data, base] = [await resolve(file, 'dataset', flags), await resolve(flags.base, 'model', flags)];
      const model = await openModel(base.path, { template: flags.template });
      const { records, extraFields } = readRecordFile(data.path);
      const result = inspectDataset(records, model.tokenizer, model.template, { maxLength: Math.min(flags.maxLength ?? Infinity, model.architecture.contextLength), overlong: flags.overlong, preview: flags.preview });
      if (flags.json) return printJson({ ...result, extra_fields: extraFields });
      print(renderInspection(result, { color: wantsColour(process.stdout) }));
      for (const [field, n] of Object.entries(extraFields)) note(`${n} records have a field ${sanitise(field)}, which is not used`);
    });
  return new Command().addCommand(inspect);
}
