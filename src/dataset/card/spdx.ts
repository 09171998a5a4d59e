/** SPDX 3.0.1 as JSON-LD: the dataset as a DatasetPackage, its files with their hashes, and its declared licence. */
import { parseLicence, writeSpdx } from '../../licence/expression.ts';
import type { Facts } from './facts.ts';

export function spdxDocument(facts: Facts, roslin: string): object {
  const { manifest } = facts;
  const base = `urn:roslin:spdx:${manifest.root ?? manifest.name.replace(/[^\w.-]/g, '-')}:`;
  const id = (name: string) => `${base}${name}`;
  const time = `${facts.date}T00:00:00Z`;
  const element = (type: string, name: string, fields: object) => ({ type, spdxId: id(name), creationInfo: '_:creationinfo', ...fields });
  const hash = (value: string) => [{ type: 'Hash', algorithm: 'sha256', hashValue: value }];
  const relation = (name: string, from: string, relationshipType: string, to: readonly string[]) => element('Relationship', name, { from: id(from), relationshipType, to: to.map(id) });
  const files = manifest.files.map(({ file }) => `file-${file}`);
  const elements = [
    element('Organization', 'creator', { name: facts.creator }),
    element('SoftwareAgent', 'roslin', { name: `Roslin ${roslin}` }),
    element('dataset_DatasetPackage', 'dataset', {
      name: facts.title, description: facts.description, software_packageVersion: facts.version, software_downloadLocation: facts.url, software_primaryPurpose: 'data', originatedBy: [id('creator')], builtTime: time, releaseTime: time,
      ...(manifest.root === null ? {} : { verifiedUsing: hash(manifest.root) }),
      dataset_datasetType: ['text'], dataset_datasetSize: manifest.records, dataset_intendedUse: 'Fine-tuning and evaluation of instruction-following language models.',
      dataset_dataCollectionProcess: `Records by who or what made a part of them: ${Object.entries(facts.origins).map(([origin, count]) => `${origin} ${count}`).join(', ')}.`,
      dataset_dataPreprocessing: [`Imported from ${manifest.sources.map(({ name, form }) => `${name} (${form})`).join(', ')}; ${manifest.rejected} rows left out.`, ...facts.checks.map(({ check, version, findings }) => `check ${check} ${version}: ${findings} findings`)],
      dataset_hasSensitivePersonalInformation: 'noAssertion',
    }),
    ...manifest.files.map(({ file, sha256 }) => element('software_File', `file-${file}`, { name: file, software_primaryPurpose: 'data', verifiedUsing: hash(sha256) })),
    element('simplelicensing_LicenseExpression', 'licence', { simplelicensing_licenseExpression: writeSpdx(parseLicence(facts.licence)) }),
    relation('contains', 'dataset', 'contains', files),
    relation('declared-licence', 'dataset', 'hasDeclaredLicense', ['licence']),
  ];
  return {
    '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld',
    '@graph': [
      { type: 'CreationInfo', '@id': '_:creationinfo', specVersion: '3.0.1', created: time, createdBy: [id('roslin')] },
      ...elements,
      element('SpdxDocument', 'document', { name: facts.title, rootElement: [id('dataset')], element: elements.map(({ spdxId }) => spdxId), profileConformance: ['core', 'software', 'dataset', 'simpleLicensing'] }),
    ],
  };
}
