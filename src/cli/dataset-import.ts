/** `roslin dataset import`: what a file is and how it is read is shown on three records before anything is written. */
import { createInterface } from 'node:readline/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { licenceParts } from '../artefacts/dataset.ts';
import { ORIGINS, PARTS, UNKNOWN, type Origin, type Part } from '../artefacts/provenance.ts';
import type { Provenance } from '../artefacts/record-schema.ts';
import { FORMS } from '../dataset/forms/index.ts';
import { areOwn, importDataset, previewImport, REJECTS, type ImportOptions, type ImportResult, type Preview } from '../dataset/import.ts';
import { UsageError } from '../errors.ts';
import { licenceVerdict } from '../licence/verdict.ts';
import { Progress } from './progress.ts';
import { count, note, painter, print, printJson, sanitise, truncate } from './terminal.ts';
import { licenceFlag } from './train-options.ts';

interface Flags {
  readonly out: string;
  readonly licence?: string;
  readonly origin?: Origin;
  readonly part?: readonly (readonly [Part, Partial<Provenance>])[];
  readonly contributor?: string;
  readonly consent?: string;
  readonly language?: string;
  readonly sourceTitle?: string;
  readonly sourceUrl?: string;
  readonly sourceRevision?: string;
  readonly sourceDate?: string;
  readonly form?: string;
  readonly map?: string;
  readonly paths: 'best' | 'all';
  readonly turns: 'all' | 'first';
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `context:CC-BY-SA-3.0:human` */
function partFlag(text: string, before: readonly (readonly [Part, Partial<Provenance>])[] = []): readonly (readonly [Part, Partial<Provenance>])[] {
  const [part, licence, origin, ...more] = text.split(':');
  if (!PARTS.includes(part as Part) || !licence || more.length > 0 || (origin !== undefined && !ORIGINS.includes(origin as Origin))) {
    throw new InvalidArgumentError(`expected part:licence or part:licence:origin, such as context:CC-BY-SA-3.0:human, found "${text}".`);
  }
  return [...before, [part as Part, { licence: licenceFlag(licence), ...(origin === undefined ? {} : { origin: origin as Origin }) }]];
}

export function importCommand(): Command {
  return new Command('import')
    .description('files of other programs as a dataset that says where its records come from')
    .argument('<files...>', 'JSON lines, JSON, CSV, TSV or Parquet, each also gzipped')
    .requiredOption('--out <folder>', 'where the dataset goes; must be empty or new')
    .option('--licence <spdx>', 'licence of the records: an SPDX expression, or unknown', licenceFlag)
    .addOption(new Option('--origin <who>', 'who or what made them').choices([...ORIGINS]))
    .option('--part <part:licence:origin>', 'the same for one part: context:CC-BY-SA-3.0:human; may be repeated', partFlag)
    .option('--contributor <pseudonym>', 'who wrote them')
    .option('--consent <version>', 'version of the consent text that was agreed to')
    .option('--language <tag>', 'of records that do not say it themselves: en, ru, …')
    .option('--source-title <text>', 'what they were taken from')
    .option('--source-url <url>', 'where that is')
    .option('--source-revision <text>', 'which revision of it')
    .option('--source-date <date>', 'when they were taken')
    .addOption(new Option('--form <name>', 'the form, where it is recognised wrongly').choices(FORMS.map(({ name }) => name)))
    .option('--map <pairs>', 'which field is what: instruction=question,response=answer.text')
    .addOption(new Option('--paths <which>', 'of trees of answers').choices(['best', 'all']).default('best'))
    .addOption(new Option('--turns <which>', 'of conversations: all, or the first exchange').choices(['all', 'first']).default('all'))
    .option('--yes', 'do not ask before writing')
    .option('--json', 'print one JSON object')
    .action(async (files: readonly string[], flags: Flags) => {
      const asks = process.stdin.isTTY === true && process.stderr.isTTY === true && !flags.json;
      const options = await optionsOf(files, flags, asks);
      const previews = await previewImport(options);
      for (const preview of previews) note(describe(preview));
      if ((flags.licence ?? flags.origin) !== undefined && previews.some(({ form }) => form === 'roslin')) note('Records of our own keep the licence and origin that they have: --licence and --origin are for the others.');
      if (asks && !flags.yes && !(await confirm())) return note('Nothing was written.');
      using progress = new Progress();
      const result = await importDataset(options, flags.out, (records, rejected) => progress.update(`${count(records)} records, ${count(rejected)} rejected`));
      progress.finish('');
      if (flags.json) printJson({ out: flags.out, records: result.records, rejected: result.rejected, rejects: result.rejects, forms: previews.map(({ file, form, container }) => ({ file, form, container })), categories: result.manifest.categories, licences: result.manifest.licences, verdict: licenceVerdict(licenceParts(result.manifest)).verdict });
      else show(result, flags.out);
    });
}

async function optionsOf(files: readonly string[], flags: Flags, asks: boolean): Promise<ImportOptions> {
  const unsaid = flags.licence === undefined || flags.origin === undefined;
  // Records of our own say it themselves.
  const needed = unsaid && !(await areOwn(files));
  const { licence, origin } = needed ? (asks ? await ask(flags) : refuseUnsaid(flags)) : { licence: flags.licence ?? UNKNOWN, origin: flags.origin ?? UNKNOWN };
  const source = { title: flags.sourceTitle, url: flags.sourceUrl, revision: flags.sourceRevision, date: flags.sourceDate };
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined));
  return {
    files, map: flags.map, form: flags.form, paths: flags.paths, turns: flags.turns, language: flags.language, parts: Object.fromEntries(flags.part ?? []),
    provenance: {
      licence, origin, ...(flags.contributor === undefined ? {} : { contributor: flags.contributor }), ...(flags.consent === undefined ? {} : { consent: flags.consent }), ...(Object.keys(given).length > 0 ? { source: given } : {}),
    },
  };
}

function refuseUnsaid({ licence }: Flags): never {
  const flag = licence === undefined ? '--licence' : '--origin';
  throw new UsageError({ expected: `${flag}, since it is never guessed`, found: 'none', where: 'dataset import', remedy: `If nobody knows, say so: ${flag} unknown. It follows the data and every model that is trained on it.` });
}

async function ask(flags: Flags): Promise<{ licence: string; origin: Origin }> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    let { licence, origin } = flags;
    while (licence === undefined) {
      try {
        const answer = (await terminal.question('Licence of the records (an SPDX expression such as CC-BY-SA-4.0, LicenseRef-Organisation, or unknown): ')).trim();
        if (answer !== '') licence = licenceFlag(answer);
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        note(sanitise(error.message));
      }
    }
    while (origin === undefined) origin = asOrigin(await terminal.question(`Who or what made them (${ORIGINS.join(', ')}): `));
    return { licence, origin };
  } finally {
    terminal.close();
  }
}

const asOrigin = (answer: string): Origin | undefined => ORIGINS.find((name) => name === answer.trim().toLowerCase());

async function confirm(): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return !/^n/i.test((await terminal.question('Import it so? [Y/n] ')).trim());
  } finally {
    terminal.close();
  }
}

function describe({ file, container, form, mapping, records, rejects }: Preview): string {
  const paint = painter(process.stderr);
  const line = (text: string) => truncate(sanitise(text).replaceAll('\n', '⏎'), 100);
  const lines = [paint('bold', `${sanitise(file)}: ${container}, form ${form}`), ...mapping.map(([to, from]) => `  ${to} ← ${sanitise(from)}`)];
  for (const { line: number, record } of records) {
    lines.push(paint('dim', `  line ${number}`));
    for (const part of PARTS) {
      const value = record[part];
      if (typeof value === 'string' && value !== '') lines.push(`    ${part}: ${line(value)}`);
      else if (Array.isArray(value)) lines.push(`    ${part}: ${value.length} before`);
    }
  }
  for (const { line: number, reason } of rejects) lines.push(paint('yellow', `  line ${number} is rejected: ${line(reason)}`));
  return lines.join('\n');
}

function show({ records, rejected, rejects, manifest }: ImportResult, out: string): void {
  const { verdict, reasons } = licenceVerdict(licenceParts(manifest));
  print(`${sanitise(out)}: ${count(records)} records${rejected > 0 ? `, ${count(rejected)} rejected (${REJECTS})` : ''}`);
  for (const { file, line, reason } of rejects.slice(0, 5)) note(`  ${sanitise(file)} line ${line}: ${truncate(sanitise(reason), 120)}`);
  print(`licence verdict: ${verdict}`);
  for (const reason of reasons) note(`  ${sanitise(reason)}`);
  note(`Next: roslin dataset seal ${sanitise(out)} --out …`);
}
