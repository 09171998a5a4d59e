/** `roslin dataset export | card`: a dataset for other programs, and the documents that go with it. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { writeCard } from '../dataset/card/write.ts';
import { exportDataset } from '../dataset/export.ts';
import { TARGETS, type Target } from '../dataset/write-forms.ts';
import { bytes, count, note, print, printJson, sanitise } from './terminal.ts';

interface ExportFlags {
  readonly to: Target;
  readonly out: string;
  readonly split: 'train' | 'held-out' | 'all';
  readonly withoutThirdParty?: boolean;
  readonly acceptTaint?: string;
  readonly acceptUnknown?: boolean;
  readonly json?: boolean;
}

export function exportCommand(): Command {
  return new Command('export')
    .description('records in a form of other programs')
    .argument('<dataset>')
    .addOption(new Option('--to <form>', 'csv, parquet and roslin hold everything; the others what they have a place for').choices([...TARGETS]).makeOptionMandatory())
    .requiredOption('--out <file>', 'where they go')
    .addOption(new Option('--split <name>', 'which records').choices(['train', 'held-out', 'all']).default('all'))
    .option('--without-third-party', 'leave out records that rest on a passage that the organisation did not write')
    .option('--accept-taint <reason>', 'export what a licence forbids to pass on')
    .option('--accept-unknown', 'export records whose licence nobody gave')
    .option('--json', 'print one JSON object')
    .action(async (dataset: string, flags: ExportFlags) => {
      const result = await exportDataset({ dataset, ...flags, split: flags.split === 'held-out' ? 'held_out' : flags.split });
      if (flags.json) return printJson(result);
      print(`${sanitise(result.file)}: ${count(result.records)} records, ${bytes(result.bytes)}; licence verdict ${result.verdict}`);
      if (result.left_out.third_party > 0) note(`${count(result.left_out.third_party)} records rest on a third party's passage and were left out`);
      if (result.left_out.no_pair > 0) note(`${count(result.left_out.no_pair)} records are no preference pairs and were left out`);
      if (result.lost.length > 0) note(`${flags.to} has no place for: ${result.lost.join(', ')}`);
    });
}

function dateFlag(text: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(Date.parse(text))) throw new InvalidArgumentError(`expected a date such as 2026-11-25, found "${text}".`);
  return text;
}

export function cardCommand(): Command {
  return new Command('card')
    .description('README, Croissant, SPDX and attributions, all from one manifest')
    .argument('<dataset>')
    .option('--out <folder>', 'where they go (default: beside the records)')
    .option('--title <text>')
    .option('--description <text>')
    .option('--creator <name>', 'who publishes it')
    .option('--url <url>', 'where it can be had')
    .option('--release <text>', 'default: the beginning of its root')
    .option('--date <date>', 'of publication (default: today)', dateFlag)
    .option('--json', 'print one JSON object')
    .action((dataset: string, flags: { out?: string; title?: string; description?: string; creator?: string; url?: string; release?: string; date?: string; json?: boolean }) => {
      const out = flags.out ?? dataset;
      const { facts, files } = writeCard(dataset, out, { ...flags, version: flags.release, date: flags.date ?? new Date().toISOString().slice(0, 10) });
      if (flags.json) return printJson({ out, files, licence: facts.licence, verdict: facts.verdict.verdict, sources: facts.attributions.length });
      print(`${sanitise(out)}: ${files.join(', ')}`);
      for (const name of (['creator', 'url', 'description'] as const).filter((name) => flags[name] === undefined)) note(`not stated: --${name}`);
    });
}
