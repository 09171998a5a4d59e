/**
 * What licences of data and weights ask for and allow, as far as making and passing on a model and its data goes, and the clause
 * that each of these rests on. These are facts for a decision, not legal advice. Names are SPDX identifiers where SPDX has one;
 * `LicenseRef-` marks others.
 */

/** A rule and where it stands. */
export interface Clause {
  readonly says: string;
  readonly clause: string;
}

export type Owed = Clause & { readonly kind: 'attribution' | 'notice' };

export interface LicenceRule {
  readonly title: string;
  /** What forbids use for money, if anything does. */
  readonly nonCommercial?: Clause;
  /** What forbids passing it on in changed form. */
  readonly noDerivatives?: Clause;
  /** What forbids making other models with it, as a contract: `except` names bases that it allows. */
  readonly noCompete?: Clause & { readonly dataOnly?: true; readonly except?: RegExp };
  /** Limits of use that whoever passes it on must pass on as well. */
  readonly useLimits?: Clause;
  /** Changed versions of the material itself must carry such a licence. Whether that reaches a model's weights is contested. */
  readonly shareAlike?: Clause;
  /** What whoever passes it on owes. */
  readonly owed?: Owed;
  /** Licences under which a collection with changed versions of it may be passed on; absent: any, as long as what is owed is given. */
  readonly outbound?: readonly string[];
}

const notice = (clause: string, also = ''): Owed => ({ kind: 'notice', says: `keep its copyright notice and licence text${also}`, clause });
const attribution = (clause: string): Owed => ({ kind: 'attribution', says: 'name the authors and the licence, and say what was changed', clause });

const BY3 = { title: 'Creative Commons Attribution', owed: attribution('CC BY 3.0, 4(a) and 4(b)') };
const BY4 = { title: 'Creative Commons Attribution', owed: attribution('CC BY 4.0, 3(a)') };

/** Creative Commons' NonCommercial and NoDerivatives licences, whose clauses differ by version. */
function creativeCommons(elements: 'NC' | 'NC-SA' | 'ND' | 'NC-ND', version: '2.0' | '2.5' | '3.0' | '4.0'): [string, LicenceRule] {
  const name = `CC BY-${elements} ${version}`;
  const new4 = version === '4.0';
  const titles = elements.split('-').map((e) => ({ NC: 'NonCommercial', SA: 'ShareAlike', ND: 'NoDerivatives' })[e]);
  return [`CC-BY-${elements}-${version}`, {
    title: `Creative Commons Attribution-${titles.join('-')} ${version}`,
    owed: attribution(`${name}, ${new4 ? '3(a)' : 'section 4, on credit'}`),
    ...(elements.includes('NC') ? { nonCommercial: { says: 'forbids commercial use', clause: `${name}, ${new4 ? '2(a)(1) and the definition of NonCommercial in section 1' : 'section 4, on commercial advantage'}` } } : {}),
    ...(elements.includes('ND') ? { noDerivatives: { says: 'forbids passing on changed versions', clause: `${name}, ${new4 ? '2(a)(1)(B)' : 'section 3, which grants no right to adapt'}` } } : {}),
    ...(elements.includes('SA') ? { shareAlike: { says: 'changed versions keep this licence', clause: `${name}, ${new4 ? '3(b)' : 'section 4, on derivative works'}` } } : {}),
    outbound: elements === 'NC-SA' ? [`CC-BY-NC-SA-${version}`] : [],
  }];
}

/** Llama's community licences, by version. From 3.1 on what the model says may train others, under a name that begins with Llama. */
function llama(version: string): [string, LicenceRule] {
  const name = `Llama ${version} Community License`;
  const open = Number(version) >= 3.1;
  return [`LicenseRef-Llama-${version}`, {
    title: name,
    owed: { kind: 'notice', says: `pass on a copy of the agreement and its notice${Number(version) >= 3 ? '; show "Built with Llama" and let a model\'s name begin with Llama' : ''}`, clause: `${name}, 1(b)` },
    useLimits: { says: 'the acceptable use policy binds, and above 700 million monthly users a licence must be asked for', clause: `${name}, 1(b) and 2` },
    ...(open ? {} : { noCompete: { says: 'may not improve other language models, nor may its output', clause: `${name}, 1(b)(v)`, dataOnly: true as const, except: new RegExp(`^LicenseRef-Llama-${version.replace('.', '\\.')}$`) } }),
    outbound: [`LicenseRef-Llama-${version}`],
  }];
}

const openRail = (title: string): LicenceRule => ({
  title,
  owed: notice('OpenRAIL, section III, paragraph 4'),
  useLimits: { says: 'its limits of use must be passed on as terms that can be enforced', clause: 'OpenRAIL, section III, paragraphs 4 and 5, and attachment A' },
  outbound: ['LicenseRef-OpenRAIL'],
});

export const LICENCES: Readonly<Record<string, LicenceRule>> = {
  'CC0-1.0': { title: 'Creative Commons Zero' },
  'PDDL-1.0': { title: 'Public Domain Dedication and License' },
  'CC-PDDC': { title: 'Public domain' },
  Unlicense: { title: 'The Unlicense' },
  '0BSD': { title: 'BSD, no clause' },
  MIT: { title: 'MIT License', owed: notice('MIT License, second paragraph') },
  'MIT-0': { title: 'MIT No Attribution' },
  ISC: { title: 'ISC License', owed: notice('ISC License, first paragraph') },
  'BSD-2-Clause': { title: 'BSD, two clauses', owed: notice('BSD-2-Clause, conditions 1 and 2') },
  'BSD-3-Clause': { title: 'BSD, three clauses', owed: notice('BSD-3-Clause, conditions 1 to 3') },
  'Apache-2.0': { title: 'Apache License 2.0', owed: notice('Apache-2.0, section 4', ', its NOTICE file, and a mark on changed files') },
  'WordNet-3.0': { title: 'WordNet 3.0 license (Princeton University)', owed: notice('WordNet 3.0 license, first and last paragraph', ' on every copy; Princeton\'s name may not be used to advertise') },
  'ODC-By-1.0': { title: 'Open Data Commons Attribution', owed: { kind: 'attribution', says: 'name the database and its licence wherever it or what was made from it is shown', clause: 'ODC-By 1.0, 4.2 and 4.3' } },
  'ODbL-1.0': {
    title: 'Open Database License', owed: { kind: 'attribution', says: 'name the database and its licence wherever it or what was made from it is shown', clause: 'ODbL 1.0, 4.2 and 4.3' },
    shareAlike: { says: 'changed versions of the database keep this licence', clause: 'ODbL 1.0, 4.4' }, outbound: ['ODbL-1.0'],
  },
  'CC-BY-3.0': { ...BY3, title: `${BY3.title} 3.0` },
  'CC-BY-4.0': { ...BY4, title: `${BY4.title} 4.0` },
  'CC-BY-SA-3.0': {
    title: 'Creative Commons Attribution-ShareAlike 3.0', owed: attribution('CC BY-SA 3.0, 4(a) and 4(c)'),
    shareAlike: { says: 'changed versions keep this licence or a later version of it', clause: 'CC BY-SA 3.0, 4(b)' }, outbound: ['CC-BY-SA-3.0', 'CC-BY-SA-4.0'],
  },
  'CC-BY-SA-4.0': {
    title: 'Creative Commons Attribution-ShareAlike 4.0', owed: attribution('CC BY-SA 4.0, 3(a)'),
    shareAlike: { says: 'changed versions keep this licence', clause: 'CC BY-SA 4.0, 3(b), for databases 4(b)' }, outbound: ['CC-BY-SA-4.0'],
  },
  ...Object.fromEntries((['NC', 'NC-SA', 'ND', 'NC-ND'] as const).flatMap((elements) => (['2.0', '2.5', '3.0', '4.0'] as const).map((version) => creativeCommons(elements, version)))),
  ...Object.fromEntries(['2', '3', '3.1', '3.2', '3.3', '4'].map(llama)),
  'LicenseRef-Gemma': {
    title: 'Gemma Terms of Use', owed: { kind: 'notice', says: 'pass on the terms, a notice file and a mark on changed files', clause: 'Gemma Terms of Use, 3.1' },
    useLimits: { says: 'its limits of use must be passed on, also for models made from its output', clause: 'Gemma Terms of Use, 1.1(e), 3.1 and 3.2' }, outbound: ['LicenseRef-Gemma'],
  },
  'LicenseRef-OpenRAIL': openRail('Responsible AI License (OpenRAIL)'),
  'LicenseRef-Organisation': { title: 'the organisation\'s own work' },
  'LicenseRef-ToS-restricted': {
    title: 'output of a hosted model',
    noCompete: { says: 'is under terms that forbid to make competing models with it, which bind by contract whoever agreed to them', clause: 'the terms of service that it was made under' }, outbound: [],
  },
};

/** Names that hubs and files use for them, in lower case. */
const ALIASES: Readonly<Record<string, string>> = {
  llama2: 'LicenseRef-Llama-2', llama3: 'LicenseRef-Llama-3', 'llama3.1': 'LicenseRef-Llama-3.1', 'llama3.2': 'LicenseRef-Llama-3.2', 'llama3.3': 'LicenseRef-Llama-3.3', llama4: 'LicenseRef-Llama-4',
  gemma: 'LicenseRef-Gemma', openrail: 'LicenseRef-OpenRAIL', 'openrail++': 'LicenseRef-OpenRAIL', 'openrail-m': 'LicenseRef-OpenRAIL', 'creativeml-openrail-m': 'LicenseRef-OpenRAIL',
  'bigscience-openrail-m': 'LicenseRef-OpenRAIL', 'bigscience-bloom-rail-1.0': 'LicenseRef-OpenRAIL', 'bigcode-openrail-m': 'LicenseRef-OpenRAIL',
  'odc-by': 'ODC-By-1.0', odbl: 'ODbL-1.0', pddl: 'PDDL-1.0', wordnet: 'WordNet-3.0', 'licenseref-wordnet-3.0': 'WordNet-3.0',
};

const BY_LOWER_CASE = new Map([...Object.keys(LICENCES).map((id) => [id.toLowerCase(), id] as const), ...Object.entries(ALIASES)]);

/** The table's name for an identifier, whatever its case; undefined where the table has none. */
export const knownLicence = (id: string): string | undefined => BY_LOWER_CASE.get(id.toLowerCase());
