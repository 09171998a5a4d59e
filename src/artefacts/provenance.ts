/** Names that a record's provenance is told in, and which provenance a part has. Without the schema, so that reading loads no more than it needs. */
import type { DatasetRecord, Provenance } from './record-schema.ts';

/** Dolly's eight; any other name is allowed. */
export const CATEGORIES = ['open_qa', 'closed_qa', 'general_qa', 'information_extraction', 'summarization', 'brainstorming', 'classification', 'creative_writing'] as const;

/** Parts of a record that may have an origin and a licence of their own. */
export const PARTS = ['instruction', 'context', 'response', 'turns', 'rejected'] as const;
export type Part = (typeof PARTS)[number];

export const ORIGINS = ['human', 'machine', 'template', 'unknown'] as const;
export type Origin = (typeof ORIGINS)[number];

/** A licence that nobody gave: a value like any other, which follows the data. */
export const UNKNOWN = 'unknown';

/** Parts that a record has, in the order above. */
export const partsOf = (record: DatasetRecord): Part[] => PARTS.filter((part) => {
  const value = record[part];
  return value !== undefined && value !== '';
});

/** Where a part comes from. */
export const provenanceOf = ({ provenance }: DatasetRecord, part: Part): Provenance => provenance[part] ?? provenance.record;
