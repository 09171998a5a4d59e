/** `roslin dataset seal | split | diff | lineage`: versions of a dataset, and the models that came of them. */
import { Command, InvalidArgumentError } from 'commander';
import { lineageOf } from '../dataset/lineage.ts';
import { diffDatasets, sealDataset, type Changed } from '../dataset/seal.ts';
import { splitDataset } from '../dataset/split.ts';
import { count, note, print, printJson, sanitise, table, truncate } from './terminal.ts';
import { share, wholeNumber } from './train-options.ts';

const several = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** Something must be left on the other side. */
function heldOutFlag(text: string): number {
  const value = share(text);
  if (value === 1) throw new InvalidArgumentError(`expected a share below 1, found "${text}".`);
  return value;
}

export function sealCommand(): Command {
  return new Command('seal')
    .description('records in canonical order under one root: the same on any machine, and never changed again')
    .argument('<datasets...>', 'datasets, imported or sealed')
    .requiredOption('--out <folder>', 'where the sealed one goes; must be empty or new')
    .option('--name <name>', 'what it is called (default: as the first)')
    .option('--without-contributor <pseudonym>', 'leave out what a person wrote; may be repeated', several)
    .option('--without-record <hash>', 'leave out a record; may be repeated', several)
    .option('--json', 'print one JSON object')
    .action(async (datasets: readonly string[], flags: { out: string; name?: string; withoutContributor?: readonly string[]; withoutRecord?: readonly string[]; json?: boolean }) => {
      const sealed = await sealDataset({ datasets, out: flags.out, name: flags.name, withoutContributors: flags.withoutContributor, withoutRecords: flags.withoutRecord });
      if (flags.json) return printJson({ out: flags.out, ...sealed });
      print(`${sanitise(flags.out)}: ${count(sealed.records)} records, root ${sealed.root}`);
      for (const { root, withdrawn } of sealed.previous ?? []) note(`  earlier version ${root}: ${count(withdrawn)} records withdrawn since`);
    });
}

export function splitCommand(): Command {
  return new Command('split')
    .description('hold records out by hash, what is nearly the same on one side, a share of each category')
    .argument('<dataset>', 'a dataset that is not split yet')
    .requiredOption('--out <folder>', 'where the split and sealed one goes; must be empty or new')
    .option('--held-out <share>', 'share of the records, such as 5%', heldOutFlag, 0.05)
    .option('--seed <n>', 'another seed is another choice', wholeNumber(0), 42)
    .option('--json', 'print one JSON object')
    .action(async (dataset: string, flags: { out: string; heldOut: number; seed: number; json?: boolean }) => {
      const sealed = await splitDataset({ dataset, out: flags.out, share: flags.heldOut, seed: flags.seed });
      if (flags.json) return printJson({ out: flags.out, ...sealed });
      print(`${sanitise(flags.out)}: ${sealed.files.map(({ split, records }) => `${count(records)} ${split === 'train' ? 'to train on' : 'held out'}`).join(', ')}; root ${sealed.root}`);
    });
}

const SHOWN = 10;

export function diffCommand(): Command {
  return new Command('diff')
    .description('what one dataset has and another has not')
    .argument('<a>')
    .argument('<b>')
    .option('--json', 'print one JSON object')
    .action((a: string, b: string, flags: { json?: boolean }) => {
      const difference = diffDatasets(a, b);
      if (flags.json) return printJson({ ...difference, counts: { added: difference.added.length, removed: difference.removed.length, changed: difference.changed.length, same: difference.same } });
      print(`${count(difference.added.length)} added, ${count(difference.removed.length)} removed, ${count(difference.changed.length)} changed, ${count(difference.same)} the same`);
      const show = (sign: string, list: readonly (Changed & { readonly fields?: readonly string[] })[]) => {
        for (const { where, instruction, fields } of list.slice(0, SHOWN)) print(`${sign} ${where}  ${truncate(sanitise(instruction).replaceAll('\n', '⏎'), 90)}${fields ? `  (${fields.join(', ')})` : ''}`);
        if (list.length > SHOWN) print(`${sign} … ${count(list.length - SHOWN)} more`);
      };
      show('+', difference.added);
      show('-', difference.removed);
      show('~', difference.changed);
    });
}

export function lineageCommand(): Command {
  return new Command('lineage')
    .description('models that were trained on a dataset or on an earlier version of it')
    .argument('<dataset>', 'a sealed dataset')
    .option('--runs <folders...>', 'where to look for runs (default: .roslin/runs and runs)')
    .option('--json', 'print one JSON object')
    .action((dataset: string, { runs = ['.roslin/runs', 'runs'], ...flags }: { runs?: readonly string[]; json?: boolean }) => {
      const lineage = lineageOf(dataset, runs);
      if (flags.json) return printJson(lineage);
      print(`root ${lineage.root}`);
      for (const { root, withdrawn } of lineage.previous) print(`  earlier version ${root}: ${count(withdrawn)} records withdrawn since`);
      if (lineage.models.length === 0) return note(`No model in ${runs.map(sanitise).join(', ')} was trained on it; --runs names other folders.`);
      print(table([{ title: 'model' }, { title: 'version' }, { title: 'verdict' }, { title: 'withdrawn records in it', align: 'right' }], lineage.models.map(({ run, root, verdict, withdrawn }) => [sanitise(run), root.slice(0, 12), sanitise(verdict), count(withdrawn)])));
      if (lineage.models.some(({ withdrawn }) => withdrawn > 0)) note('A model that was trained with withdrawn records keeps what it learnt from them: only training anew takes it out.');
    });
}
