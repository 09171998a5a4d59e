/** Croissant 1.1 (mlcommons.org/croissant) with its responsible-AI vocabulary 1.0, as JSON-LD. */
import { parseLicence, licencesIn, writeSpdx } from '../../licence/expression.ts';
import type { Facts } from './facts.ts';

/** The prefixes and short names that Croissant documents use. */
const CONTEXT = {
  '@language': 'en', '@vocab': 'https://schema.org/', sc: 'https://schema.org/', cr: 'http://mlcommons.org/croissant/', rai: 'http://mlcommons.org/croissant/RAI/', dct: 'http://purl.org/dc/terms/',
  conformsTo: 'dct:conformsTo', citeAs: 'cr:citeAs', column: 'cr:column', data: { '@id': 'cr:data', '@type': '@json' }, dataType: { '@id': 'cr:dataType', '@type': '@vocab' }, equivalentProperty: 'cr:equivalentProperty',
  examples: { '@id': 'cr:examples', '@type': '@json' }, extract: 'cr:extract', field: 'cr:field', fileObject: 'cr:fileObject', fileProperty: 'cr:fileProperty', fileSet: 'cr:fileSet', format: 'cr:format',
  includes: 'cr:includes', isLiveDataset: 'cr:isLiveDataset', jsonPath: 'cr:jsonPath', key: 'cr:key', md5: 'cr:md5', parentField: 'cr:parentField', path: 'cr:path', recordSet: 'cr:recordSet', references: 'cr:references',
  regex: 'cr:regex', repeated: 'cr:repeated', replace: 'cr:replace', samplingRate: 'cr:samplingRate', separator: 'cr:separator', source: 'cr:source', subField: 'cr:subField', transform: 'cr:transform',
};

const FIELDS: readonly (readonly [string, string])[] = [
  ['instruction', 'What is asked.'], ['context', 'A passage that it is asked about, or nothing.'], ['response', 'The answer.'], ['category', 'What kind of task it is.'],
];

/** Addresses for names of SPDX's list, the names themselves for others. */
const licenceLinks = ({ licences }: Facts): string[] => [...new Set(licences.flatMap((licence) => licencesIn(parseLicence(licence))).map((id) => {
  const name = id === null ? 'unknown' : writeSpdx({ id });
  return id === null || name.startsWith('LicenseRef-') ? name : `https://spdx.org/licenses/${name}.html`;
}))];

export function croissant(facts: Facts): object {
  const { manifest } = facts;
  const languages = Object.keys(manifest.languages).filter((language) => language !== 'unknown');
  const counts = (of: Readonly<Record<string, number>>) => Object.entries(of).map(([name, count]) => `${name}: ${count}`).join('; ');
  return {
    '@context': CONTEXT, '@type': 'sc:Dataset', conformsTo: ['http://mlcommons.org/croissant/1.1', 'http://mlcommons.org/croissant/RAI/1.0'],
    name: facts.title, description: facts.description, license: licenceLinks(facts), url: facts.url, version: facts.version, datePublished: facts.date, creator: { '@type': 'sc:Organization', name: facts.creator }, citeAs: `${facts.creator}: ${facts.title}, version ${facts.version}, ${facts.date}, ${facts.url}`,
    ...(languages.length > 0 ? { inLanguage: languages } : {}), ...(manifest.root === null ? {} : { identifier: manifest.root }), isLiveDataset: false,
    ...(facts.attributions.length > 0 ? { isBasedOn: facts.attributions.slice(0, 1000).map(({ title, url }) => ({ '@type': 'sc:CreativeWork', ...(title === '' ? {} : { name: title }), ...(url === '' ? {} : { url }) })) } : {}),
    distribution: manifest.files.map(({ file, sha256, bytes }) => ({ '@type': 'cr:FileObject', '@id': file, name: file, contentUrl: file, encodingFormat: 'application/jsonlines', contentSize: `${bytes} B`, sha256 })),
    recordSet: manifest.files.map(({ split, file, records }) => ({
      '@type': 'cr:RecordSet', '@id': split, name: split, description: `${records} records${split === 'held_out' ? ', held out from training' : ''}.`,
      field: FIELDS.map(([name, description]) => ({ '@type': 'cr:Field', '@id': `${split}/${name}`, name: `${split}/${name}`, description, dataType: 'sc:Text', source: { fileObject: { '@id': file }, extract: { column: name } } })),
    })),
    'rai:dataCollection': `Records by who or what made a part of them: ${counts(facts.origins)}.`,
    'rai:dataCollectionType': Object.keys(facts.origins).map((origin) => ({ human: 'Manual Human Curator', machine: 'Machine generated', template: 'Software Collection', unknown: 'Others' })[origin]),
    'rai:dataManipulationProtocol': `Imported from ${manifest.sources.map(({ name, form }) => `${name} (${form})`).join(', ')}; ${manifest.rejected} rows could not be used and were left out.`,
    'rai:dataPreprocessingProtocol': facts.checks.length === 0 ? ['No checks are recorded.'] : facts.checks.map(({ check, version, records, findings }) => `${check} ${version}: ${records} records, ${findings} findings`),
    'rai:dataReleaseMaintenancePlan': 'Sealed versions never change; withdrawn records are missing from the next version.',
    'rai:personalSensitiveInformation': ['Not stated beyond the checks that are recorded.'], 'rai:dataBiases': ['Not stated.'], 'rai:dataLimitations': ['Not stated.'],
    'rai:dataUseCases': ['Fine-tuning and evaluation of instruction-following language models.'],
  };
}
