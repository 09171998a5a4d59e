/** Pages of Parquet whose counts are not borne out by the footer or by their bytes: refused before they are decoded. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ColumnMetaData, SchemaElement } from 'hyparquet';
import { getSchemaPath } from 'hyparquet/src/schema.js';
import { checkPages } from '../../src/formats/row-parquet-pages.ts';

const ENCODINGS = { PLAIN: 0, RLE: 3, DELTA_BINARY_PACKED: 5, DELTA_BYTE_ARRAY: 7, RLE_DICTIONARY: 8 } as const;
type Encoding = keyof typeof ENCODINGS;

/** An unsigned number in groups of seven bits, as Parquet's thrift writes it. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 127n) | 128);
  }
}

/** Field after the one before it, a whole number. */
const field = (value: number): number[] => [0x15, ...varint(value >= 0 ? value * 2 : -value * 2 - 1)];

interface Page {
  readonly count: number;
  readonly encoding: Encoding;
  readonly body: readonly number[];
  readonly size?: number;
}

const page = ({ count, encoding, body, size = body.length }: Page): number[] =>
  [...field(0), ...field(size), ...field(size), 0x2c, ...field(count), ...field(ENCODINGS[encoding]), ...field(ENCODINGS.RLE), ...field(ENCODINGS.RLE), 0, 0, ...body];

const pageV2 = ({ count, encoding, body }: Page, nulls: number, levels: number): number[] =>
  [...field(3), ...field(body.length), ...field(body.length), 0x5c, ...field(count), ...field(nulls), ...field(count), ...field(ENCODINGS[encoding]), ...field(levels), ...field(0), 0, 0, ...body];

/** One run of `count` values, before it how long it is. */
const levels = (count: number, value = 1): number[] => {
  const run = [...varint(count * 2), value];
  return [run.length, 0, 0, 0, ...run];
};

const TEXT = [1, 0, 0, 0, 97];

/** `values` as the footer has them, for three rows. */
function check(bytes: readonly number[], { type = 'BYTE_ARRAY', repetition = 'OPTIONAL', values = 3 }: { type?: ColumnMetaData['type']; repetition?: SchemaElement['repetition_type']; values?: number } = {}): void {
  const schema: SchemaElement[] = [{ name: 'schema', num_children: 1 }, { name: 'a', type, repetition_type: repetition }];
  const chunk: ColumnMetaData = { type, encodings: [], path_in_schema: ['a'], codec: 'UNCOMPRESSED', num_values: BigInt(values), total_uncompressed_size: BigInt(bytes.length), total_compressed_size: BigInt(bytes.length), data_page_offset: 4n };
  checkPages(Uint8Array.from(bytes), chunk, getSchemaPath(schema, ['a']), 3, {});
}

const right: Page = { count: 3, encoding: 'PLAIN', body: [...levels(3), ...TEXT, ...TEXT, ...TEXT] };
const indices: Page = { count: 3, encoding: 'RLE_DICTIONARY', body: [...levels(3), 1, ...varint(6), 0] };
const deltas: Page = { count: 3, encoding: 'DELTA_BINARY_PACKED', body: [...varint(128), 4, 3, 0, 0, 0, 0, 0, 0] };

describe('pages of Parquet', () => {
  test('that are right pass', () => {
    check(page(right));
    check([...page({ ...right, count: 1, body: [...levels(1), ...TEXT] }), ...page({ ...right, count: 2, body: [...levels(2, 0)] })]);
    check(page(indices));
    check(page({ ...indices, body: [...levels(3), 1, 3, 0b101] })); // one group of eight
    check(page({ ...indices, body: [...levels(3), 0] })); // a dictionary of one value
    check(page({ ...indices, body: [...levels(3, 0), 0] }));
    check(page(deltas), { type: 'INT32', repetition: 'REQUIRED' });
    check(page({ count: 3, encoding: 'RLE', body: [...levels(3), ...levels(3)] }), { type: 'BOOLEAN' });
    check(pageV2({ ...indices, body: [...varint(6), 1, 1, ...varint(6), 0] }, 0, 2));
  });

  for (const [what, bytes, message, of] of [
    ['two billion values', page({ ...right, count: 2 ** 31 - 1 }), /a page of 2147483647 values in a column of 3/, {}],
    ['fewer than none', page({ ...right, count: -3 }), /a page of -3 values/, {}],
    ['more pages than values', [...page({ ...right, count: 2 }), ...page({ ...right, count: 2 })], /a page of 2 values in a column of 3/, {}],
    ['values for other rows', page(right), /a column of 4 values in a row group of 3 rows/, { values: 4 }],
    ['a size below nothing', page({ ...right, size: -20 }), /a page of -20 bytes/, {}],
    ['a size beyond the column', page({ ...right, size: 4000 }), /a page of 4000 bytes/, {}],
    ['a run of a billion levels', page({ ...right, body: [...levels(2 ** 30), ...TEXT] }), /a run of 1073741824 values in a page of 3/, {}],
    ['a run of a billion indices', page({ ...indices, body: [...levels(3), 1, ...varint(2 ** 31), 0] }), /a run of 1073741824 values/, {}],
    ['a billion groups of eight', page({ ...indices, body: [...levels(3), 1, ...varint(2 ** 31 + 1), 0] }), /a run of 8589934592 values/, {}],
    ['a group of none', page({ ...indices, body: [...levels(3), 1, 1, 0] }), /a run of 0 values/, {}],
    ['indices of 200 bits', page({ ...indices, body: [...levels(3), 200, 6, 0] }), /indices of 200 bits/, {}],
    ['a run of a billion in a repeated column', page({ ...right, body: [...levels(2 ** 30), ...levels(3), ...TEXT] }), /a run of 1073741824 values/, { repetition: 'REPEATED' }],
    ['blocks in no parts', page({ ...deltas, body: [128, 1, 0, 3, 0, 0] }), /blocks of 128 values in 0 parts/, { type: 'INT32', repetition: 'REQUIRED' }],
    ['blocks in less than no parts', page({ ...deltas, body: [128, 1, ...varint(2 ** 32 - 1), 3, 0, 0] }), /blocks of 128 values in -1 parts/, { type: 'INT32', repetition: 'REQUIRED' }],
    ['a second list of blocks in no parts', page({ count: 3, encoding: 'DELTA_BYTE_ARRAY', body: [...deltas.body, 128, 1, 0, 3, 0] }), /in 0 parts/, { repetition: 'REQUIRED' }],
    ['levels larger than their page', pageV2({ ...indices, body: [6, 1] }, 0, 400), /levels of 0 and 400 bytes in a page of 2/, {}],
    ['more empty values than values', pageV2({ ...indices, body: [6, 1, 1, 6, 0] }, 9, 2), /9 empty values in a page of 3/, {}],
    ['a run of a billion levels, second version', pageV2({ ...indices, body: [...varint(2 ** 31), 1, 1, 6, 0] }, 0, 6), /a run of 1073741824 values/, {}],
    ['another type of page', [...field(1), ...field(0), ...field(0), 0, 0, 0], /a page of type INDEX_PAGE/, {}],
  ] as const) {
    test(`${what}: refused`, { timeout: 60_000 }, () => assert.throws(() => check(bytes, of), message));
  }
});
