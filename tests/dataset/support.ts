/** Temporary folders, files of records and arbitrary records for tests of datasets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { DatasetRecord, Provenance } from '../../src/artefacts/record-schema.ts';
import type { ImportOptions } from '../../src/dataset/import.ts';

export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'roslin-dataset-'));
  #next = 0;

  join(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  /** A name that is not used yet. */
  fresh(ending = ''): string {
    return this.join(`${this.#next++}${ending}`);
  }

  write(name: string, content: string | Uint8Array): string {
    const path = this.join(name);
    writeFileSync(path, content);
    return path;
  }

  lines(name: string, values: readonly unknown[]): string {
    return this.write(name, `${values.map((value) => JSON.stringify(value)).join('\n')}\n`);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export const PROVENANCE: Provenance = { origin: 'human', licence: 'CC-BY-SA-4.0' };

export const importing = (files: readonly string[], more: Partial<ImportOptions> = {}): ImportOptions => ({ files, provenance: PROVENANCE, parts: {}, paths: 'best', turns: 'all', ...more });

/** Text of all kinds of characters, with those that forms find hard more often than chance has them. */
const text = fc.array(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 6 }), fc.constantFrom('"', ',', '\n', '\r\n', '\t', "'", '=1+1', '+', '-', '@', ';', '\\', '\ufeff', '[12]', '</script>', '\u2028', 'Привет', '{"a":1}')), { maxLength: 6 })
  .map((parts) => parts.join('')).filter((value) => value.isWellFormed());
export const filledText = text.filter((value) => value.trim() !== '');

const provenance: fc.Arbitrary<Provenance> = fc.record({
  origin: fc.constantFrom('human', 'machine', 'template', 'unknown'), licence: fc.constantFrom('CC-BY-SA-3.0', 'CC0-1.0', 'LicenseRef-Organisation', 'unknown', 'MIT OR Apache-2.0'),
  contributor: fc.stringMatching(/^[a-z]{1,8}$/), consent: fc.constantFrom('v1', 'v2'), source: fc.record({ title: fc.stringMatching(/^[A-Za-z ]{1,12}$/), url: fc.constant('https://example.org/a'), date: fc.constant('2026-11-25') }, { noNullPrototype: true }),
}, { requiredKeys: ['origin', 'licence'], noNullPrototype: true });

export const arbitraryRecord: fc.Arbitrary<DatasetRecord> = fc.record({
  instruction: filledText, context: text, response: filledText, category: fc.constantFrom('open_qa', 'closed_qa', 'uncategorised', 'кухня'), language: fc.constantFrom('en', 'ru', 'pt-BR'),
  turns: fc.array(fc.record({ role: fc.constantFrom('system', 'user', 'assistant'), text: filledText }, { noNullPrototype: true }), { minLength: 1, maxLength: 3 }), rejected: filledText, choices: fc.uniqueArray(text, { minLength: 2, maxLength: 3 }),
  provenance: fc.record({ record: provenance, context: provenance, response: provenance }, { requiredKeys: ['record'], noNullPrototype: true }),
  checks: fc.array(fc.record({ check: fc.constantFrom('pii', 'near-duplicate'), version: fc.constant('1'), verdict: fc.constantFrom('ok', 'warn', 'block') }, { noNullPrototype: true }), { minLength: 1, maxLength: 2 }),
}, { requiredKeys: ['instruction', 'context', 'response', 'category', 'provenance'], noNullPrototype: true });

/** A record without its earlier turns: some forms have no place for them. */
export function withoutTurns<T extends object>(record: T): Omit<T, 'turns'> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== 'turns')) as Omit<T, 'turns'>;
}
