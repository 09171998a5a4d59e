/** `roslin licences`: the table, or what licences of a base and of data come to together. */
import { existsSync, statSync } from 'node:fs';
import { Command } from 'commander';
import { isDataset, licenceParts, readManifest } from '../artefacts/dataset.ts';
import { LICENCES } from '../licence/table.ts';
import { licenceVerdict, NOT_ADVICE, type Part } from '../licence/verdict.ts';
import { renderVerdict } from './licence-text.ts';
import { note, print, printJson, sanitise, table } from './terminal.ts';

interface Flags {
  readonly base?: string;
  readonly data?: readonly string[];
  readonly json?: boolean;
}

export function command(): Command {
  return new Command()
    .argument('[licence]', 'explain one licence or expression')
    .option('--base <licence>', 'licence of a base, or a model')
    .option('--data <licence...>', 'licences of data, or datasets')
    .option('--json', 'print one JSON object')
    .action(async (licence: string | undefined, flags: Flags) => {
      const parts = [...(licence === undefined ? [] : [{ part: 'material', licence }]), ...(flags.base === undefined ? [] : [await baseOf(flags.base)]), ...(flags.data ?? []).flatMap(dataOf)];
      if (parts.length === 0) return showTable(flags);
      const verdict = licenceVerdict(parts);
      if (flags.json) printJson({ ...verdict, note: NOT_ADVICE });
      else print(renderVerdict(verdict));
    });
}

/** A model is opened only where the name is one's. */
async function baseOf(named: string): Promise<Part> {
  if (!existsSync(named)) return { part: 'base', licence: named };
  const { openModel } = await import('../inference/open-model.ts');
  return { part: 'base', licence: (await openModel(named, { asItIs: true })).licence };
}

function dataOf(named: string): Part[] {
  if (isDataset(named)) return licenceParts(readManifest(named), 'data, ');
  return [{ part: 'data', licence: existsSync(named) && statSync(named).isFile() ? null : named }];
}

function showTable({ json }: Flags): void {
  if (json) return printJson({ licences: LICENCES, note: NOT_ADVICE });
  const rows = Object.keys(LICENCES).map((id) => {
    const { verdict, owed, blocks, limits, share_alike: alike } = licenceVerdict([{ part: 'data', licence: id }]);
    const [first] = [...blocks, ...limits, ...alike, ...owed];
    return [id, verdict, first ? `${first.says} (${first.clause})` : 'nothing is owed'].map(sanitise);
  });
  print(table([{ title: 'licence' }, { title: 'verdict' }, { title: 'what it rests on' }], rows));
  note(`What they come to together: roslin licences --base Apache-2.0 --data CC-BY-SA-3.0\n${NOT_ADVICE}`);
}
