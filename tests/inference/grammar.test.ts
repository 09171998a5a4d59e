/** JSON schemas as grammars: what they let through, what they refuse to promise, and that every text they can make is right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../src/artefacts/random.ts';
import { InputError } from '../../src/errors.ts';
import { Automaton, endlessRule, gbnf, TokenTable, type Cursor } from '../../src/inference/grammar.ts';
import { grammarOfSchema } from '../../src/inference/json-schema.ts';

function accepts(schema: unknown, text: string): boolean {
  const automaton = new Automaton(grammarOfSchema(schema));
  let cursor: Cursor | undefined = automaton.start;
  for (const byte of Buffer.from(text)) if (!(cursor = automaton.advance(cursor, byte))) return false;
  return automaton.isComplete(cursor);
}

const PERSON = { type: 'object', properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0 }, tags: { type: 'array', items: { enum: ['a', 'b'] }, maxItems: 2 } }, required: ['name'], additionalProperties: false };
const TREE = { $ref: '#/$defs/node', $defs: { node: { type: 'object', properties: { value: { type: 'number' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } }, required: ['value', 'children'] } } };

/** [schema, texts that it allows, texts that it does not] */
const CASES: Record<string, [schema: unknown, yes: readonly string[], no: readonly string[]]> = {
  'an object with properties that may be absent': [PERSON,
    ['{"name":"Otter"}', '{"name": "Ötter \\u00e9 \\n 🐑", "age": 0}', '{"name":"","tags":["a", "b"]}', '{\n  "name":"x",\n  "age": 12,\n  "tags": []\n}'],
    ['{}', '{"age":1}', '{"name":1}', '{"name":"x","age":-1}', '{"name":"x","age":01}', '{"name":"x","tags":["c"]}', '{"name":"x","tags":["a","a","b"]}', '{"name":"x","more":1}', '{"name":"x",}', '{"name":"a\nb"}', '{"age":1,"name":"x"}', '{"name":"x"} ']],
  'no property is required': [{ type: 'object', properties: { a: { type: 'null' }, b: { type: 'boolean' } } }, ['{}', '{"a":null}', '{"b":true}', '{"a":null, "b":false}'], ['{,"b":true}', '{"b":true,"a":null}']],
  'a schema that contains itself': [TREE, ['{"value":1,"children":[]}', '{"value":-1.5e3,"children":[{"value":0,"children":[{"value":2,"children":[]}]}]}'], ['{"value":1}', '{"value":1,"children":[1]}']],
  'unions, constants, several types': [{ anyOf: [{ const: { a: 1 } }, { type: ['string', 'null'] }, { type: 'integer', exclusiveMinimum: 0 }] }, ['{"a":1}', '"x"', 'null', '7'], ['{"a":2}', '0', '-1', 'true', '1.5']],
  'bounds of text': [{ type: 'string', minLength: 2, maxLength: 3 }, ['"ab"', '"é🐑\\n"'], ['"a"', '"abcd"']],
  'names to values': [{ type: 'object', additionalProperties: { type: 'integer' } }, ['{}', '{"x":1,"y":2}'], ['{"x":"1"}']],
  'names in other scripts': [{ type: 'object', properties: { 'имя "a"': { type: 'boolean' } }, required: ['имя "a"'] }, ['{"имя \\"a\\"":true}'], ['{"имя":true}']],
  'any object': [undefined, ['{}', '{"a":[1,{"b":null}], "c":"d"}'], ['[]', '1', '{"a":}']],
};
for (const [name, [schema, yes, no]] of Object.entries(CASES)) {
  test(name, () => {
    for (const text of yes) assert.ok(accepts(schema, text), text);
    for (const text of no) assert.ok(!accepts(schema, text), text);
  });
}

/** [schema, what the refusal names] */
const REFUSED: Record<string, [schema: unknown, names: RegExp]> = {
  'a pattern': [{ type: 'string', pattern: '^a' }, /"pattern"/],
  'a format': [{ type: 'object', properties: { at: { type: 'string', format: 'date' } } }, /properties\.at.*"format"/],
  'bounds that a grammar cannot keep': [{ type: 'integer', minimum: 5 }, /least integer/],
  'a fixed list by place': [{ type: 'array', prefixItems: [{}] }, /"prefixItems"/],
  'a schema that is nothing but itself': [{ $ref: '#' }, /leads back/],
  'a round of references': [{ anyOf: [{ $ref: '#/$defs/a' }], $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { anyOf: [{ $ref: '#/$defs/a' }] } } }, /leads back/],
  'a reference elsewhere': [{ $ref: 'http://example.org/x' }, /reference into the schema itself/],
  'a reference to nothing': [{ $ref: '#/$defs/none' }, /what is there/],
  'too many rules': [{ type: 'array', items: { type: 'string', maxLength: 2000 }, maxItems: 5000 }, /at most 2000/],
  'too deep': [Array.from({ length: 40 }).reduce((inner) => ({ type: 'array', items: inner }), { type: 'null' } as unknown), /32 levels/],
  'an unknown type': [{ type: 'float' }, /types out of/],
  'a required property without a schema': [{ type: 'object', properties: {}, required: ['a'] }, /"a"/],
};
for (const [name, [schema, names]] of Object.entries(REFUSED)) {
  test(`refused: ${name}`, () => assert.throws(() => grammarOfSchema(schema), (error) => error instanceof InputError && names.test(error.message)));
}

const TOKENS = ['{', '}', '[', ']', ':', ',', '"', '"name"', '":', 'true', 'false', 'null', '0', '1', '23', '-', '.', ' ', '\n', 'a', 'é', '\\', 'n', 'u', '"a"', '"}', '"value":', '"children":[', 'value', 'children', 'age', 'tags', 'b', 'e', ...'abcdefghijklmnopqrstuvwxyz'.split('')].map((t) => Buffer.from(t)).concat([Buffer.from([0xf0, 0x9f]), Buffer.from([0x90]), Buffer.from([0x91]), Buffer.alloc(0)]);

for (const [name, schema] of Object.entries({ PERSON, TREE })) {
  test(`every text that the tokens can make of ${name} is JSON of its shape`, () => {
    const automaton = new Automaton(grammarOfSchema(schema));
    const table = new TokenTable(TOKENS);
    let ended = 0;
    for (let seed = 0; seed < 60; seed++) {
      const random = new Random(seed);
      let cursor = automaton.start;
      const ids: number[] = [];
      while (ids.length < 400 && !automaton.isFinal(cursor) && !(automaton.isComplete(cursor) && random.next() < 0.5)) {
        const allowed = [...table.allowed(automaton, cursor).entries()].filter(([, yes]) => yes).map(([id]) => id);
        assert.ok(allowed.length > 0, 'never without a way on');
        for (const id of TOKENS.keys()) assert.equal(table.follow(automaton, cursor, id) !== undefined, allowed.includes(id), String(TOKENS[id]));
        const id = allowed[Math.floor(random.next() * allowed.length)]!;
        ids.push(id);
        cursor = table.follow(automaton, cursor, id)!;
      }
      if (!automaton.isComplete(cursor)) continue;
      ended++;
      const value = JSON.parse(Buffer.concat(ids.map((id) => TOKENS[id]!)).toString()) as Record<string, unknown>;
      if (name === 'PERSON') assert.equal(typeof value['name'], 'string');
      else assert.ok(typeof value['value'] === 'number' && Array.isArray(value['children']));
    }
    assert.ok(ended > 5, `${ended} ended`);
  });
}

test('bytes that are no UTF-8 never pass, nor do halves of surrogates', () => {
  const automaton = new Automaton(grammarOfSchema({ type: 'string' }));
  const read = (bytes: readonly number[]) => bytes.reduce<Cursor | undefined>((at, byte) => at && automaton.advance(at, byte), automaton.start);
  for (const bytes of [[0x22, 0x80], [0x22, 0xc0, 0x80], [0x22, 0xe0, 0x80], [0x22, 0xed, 0xa0], [0x22, 0xf4, 0x90], [0x22, 0xff]]) assert.equal(read(bytes), undefined, bytes.join());
  assert.ok(read([0x22, 0xf0, 0x9f, 0x90, 0x91, 0x22]));
});

test('as llama.cpp writes grammars', () => {
  assert.equal(gbnf({ rules: [[[{ ranges: [[97, 97]] }, { rule: 1 }], []], [[{ ranges: [[48, 57], [0x1f411, 0x1f411]] }]]] }), 'root ::= [\\U00000061] r1 | ""\nr1 ::= [\\U00000030-\\U00000039\\U0001F411]\n');
  assert.equal(endlessRule({ rules: [[[{ rule: 1 }]], [[], [{ rule: 0 }]]] }), 0);
});
