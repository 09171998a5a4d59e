/** README.md of a dataset, with the YAML that Hugging Face's hub reads, and ATTRIBUTION.tsv. */
import { NOT_ADVICE } from '../../licence/verdict.ts';
import type { Facts } from './facts.ts';

/** Names and licences come from files that people chose: they must not become markup. */
const plain = (text: string) => text.replace(/[\p{Cc}<>`|[\]*_\\#!]/gu, (character) => (character === '\n' ? ' ' : `&#${character.codePointAt(0)};`));

/** A string of YAML: JSON's strings are YAML's. */
const quoted = (text: string) => JSON.stringify(text);

/** Names of the hub's own list, by SPDX's. */
const hubLicence = (id: string): string => ({ 'ODC-By-1.0': 'odc-by', 'ODbL-1.0': 'odbl', 'PDDL-1.0': 'pddl' })[id] ?? (/^(CC0?-|MIT$|Apache-|BSD-|ISC$|Unlicense$)/.test(id) ? id.toLowerCase() : id === 'unknown' ? id : 'other');

const SIZES: readonly (readonly [number, string])[] = [[1e3, 'n<1K'], [1e4, '1K<n<10K'], [1e5, '10K<n<100K'], [1e6, '100K<n<1M'], [1e7, '1M<n<10M']];
const sizeOf = (records: number): string => SIZES.find(([limit]) => records < limit)?.[1] ?? 'n>10M';

/** Who made the texts, in the hub's words. */
function creators({ origins }: Facts): string[] {
  const words = { human: 'crowdsourced', machine: 'machine-generated', template: 'machine-generated', unknown: 'other' } as const;
  return [...new Set(Object.keys(origins).map((origin) => words[origin as keyof typeof words]))];
}

function front(facts: Facts): string {
  const { manifest, licences, title } = facts;
  const ids = [...new Set(licences.flatMap((licence) => licence.split(/ (?:AND|OR) |[()]/)).filter((id) => id !== '').map(hubLicence))];
  const languages = Object.keys(manifest.languages).filter((language) => language !== 'unknown');
  const list = (name: string, values: readonly string[]) => (values.length === 0 ? [] : [`${name}:`, ...values.map((value) => `  - ${quoted(value)}`)]);
  return [
    '---', `pretty_name: ${quoted(title)}`, ...list('license', ids), ...(ids.includes('other') ? [`license_name: ${quoted(facts.licence)}`] : []), ...list('language', languages), ...list('task_categories', ['text-generation', 'question-answering']),
    ...list('annotations_creators', creators(facts)), ...list('language_creators', creators(facts)), ...list('size_categories', [sizeOf(manifest.records)]),
    'configs:', '  - config_name: "default"', '    data_files:', ...manifest.files.flatMap(({ split, file }) => [`      - split: ${quoted(split === 'train' ? 'train' : 'test')}`, `        path: ${quoted(file)}`]), '---',
  ].join('\n');
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...rows.map((row) => `| ${row.map(plain).join(' | ')} |`)].join('\n');

export function datasetCard(facts: Facts): string {
  const { manifest, verdict, attributions, checks } = facts;
  const { redistribution: { allowed, under } } = verdict;
  const may = !allowed ? 'no' : under === null ? 'yes, with what is owed' : under.length > 0 ? `yes, together under ${under.join(' or ')}` : 'yes, each part under its own licence';
  const findings = [...verdict.owed, ...verdict.share_alike, ...verdict.limits, ...verdict.blocks];
  const split = manifest.split;
  return `${front(facts)}

# ${plain(facts.title)}

${plain(facts.description)}

${table(['', ''], [
    ['Records', String(manifest.records)], ['Creator', facts.creator], ['Version', facts.version], ['Root', manifest.root ?? 'not sealed'],
    ...manifest.files.map(({ split: name, file, records, sha256 }) => [name === 'train' ? 'Training records' : 'Held-out records', `${records} in ${file}, sha256 ${sha256}`]),
    ['Conversations', String(facts.conversations)], ['Preference pairs', String(facts.pairs)], ['Left out at import', `${manifest.rejected} rows`],
  ])}

## What the records are

${table(['category', 'records'], Object.entries(manifest.categories).map(([name, count]) => [name, String(count)]))}

${table(['language', 'records'], Object.entries(manifest.languages).map(([name, count]) => [name, String(count)]))}

## Who made them, and under which licence

${table(['part', 'made by', 'licence', 'records'], manifest.licences.map(({ part, origin, licence, records }) => [part, origin, licence, String(records)]))}

Verdict: **${verdict.verdict}**. May be passed on: ${plain(may)}. ${NOT_ADVICE}

${findings.length === 0 ? 'Nothing is owed.' : table(['part', 'licence', 'says', 'rests on'], findings.map(({ part, licence, says, clause }) => [part, licence, says, clause]))}

${attributions.length === 0 ? 'The records name no sources.' : `The records name ${attributions.length} sources: ATTRIBUTION.tsv lists each with its address, revision and licence.`}

## How it was made

${table(['file', 'form', 'sha256'], manifest.sources.map(({ name, form, sha256 }) => [name, form, sha256]))}

${split ? `Held out by hash (seed ${split.seed}, ${(100 * split.share).toFixed(1)} % of each ${split.strata}); what is nearly the same is on one side (${plain(split.groups)}).` : 'Nothing is held out.'}
${(manifest.previous ?? []).map(({ root, withdrawn }) => `Earlier version: ${root}, ${withdrawn} records withdrawn since.`).join('\n')}

## What was checked

${checks.length === 0 ? 'No checks are recorded.' : table(['check', 'version', 'records', 'findings'], checks.map(({ check, version, records, findings: n }) => [check, version, String(records), String(n)]))}

## Limits

What is not stated here is not known: bias, personal data beyond the checks above, and whether a text was copied from somewhere that no record names.
`;
}

/** A cell that no spreadsheet takes for a formula, on one line. */
const cell = (text: string) => text.replace(/[\t\r\n]+/g, ' ').replace(/^(?=[=+\-@])/, "'");

/** Sources to name, a line each: a general notice is not enough where a licence asks for attribution. */
export function attributionTable({ attributions }: Facts): string {
  const rows = attributions.map(({ title, author, url, revision, date, licence, part, records }) => [title, author, url, revision, date, licence, part, String(records)]);
  return `${[['title', 'author', 'url', 'revision', 'retrieved', 'licence', 'part', 'records'], ...rows].map((row) => row.map(cell).join('\t')).join('\n')}\n`;
}
