/**
 * A JSON schema as a grammar (grammar.ts): the answers that it allows, written in one order and with bounded white space. The subset
 * that a grammar can keep; every other keyword is refused by name, since an answer that only looks as if it had been checked is worse.
 * Closed: an object has the properties that its schema names and no others. Pure.
 */
import { InputError } from '../errors.ts';
import { endlessRule, type Element, type Grammar, type Range } from './grammar.ts';

type Schema = Readonly<Record<string, unknown>>;

const LIMITS = { characters: 64 * 1024, depth: 32, rules: 20_000, length: 2000 } as const;

/** Keywords that say nothing about which values are right. */
const REMARKS = new Set(['$schema', '$id', '$comment', '$defs', 'definitions', 'title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly']);
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  number: ['minimum'],
  boolean: [],
  null: [],
};
/** Integers have at most 15 digits, which every reader of JSON keeps exactly. */
const DIGITS = 15;
const LARGEST = 10 ** DIGITS - 1;

/** The grammar of a schema; of any object where there is none. Throws InputError. */
export function grammarOfSchema(schema: unknown, where = 'the schema'): Grammar {
  if (lengthOf(schema ?? {}) > LIMITS.characters) refuse(`a schema of at most ${LIMITS.characters} characters`, 'a longer one', where);
  const builder = new Builder(schema, where);
  const grammar = builder.build();
  if (endlessRule(grammar) !== undefined) refuse('references with something between them', 'one that leads back to itself', where);
  return grammar;
}

/** One that is nested too deeply to be written counts as too long. */
function lengthOf(schema: unknown): number {
  try {
    return JSON.stringify(schema).length;
  } catch {
    return Infinity;
  }
}

class Builder {
  readonly #root: unknown;
  readonly #where: string;
  readonly #rules: Element[][][] = [[]];
  readonly #shared = new Map<string, number>();

  constructor(root: unknown, where: string) {
    this.#root = root;
    this.#where = where;
  }

  build(): Grammar {
    this.#rules[0] = [this.#root === undefined ? [this.#anyObject()] : [this.#value(this.#root, this.#where, 0)]];
    return { rules: this.#rules };
  }

  #rule(alternatives: Element[][]): Element {
    if (this.#rules.length >= LIMITS.rules) refuse('a schema that makes a grammar of reasonable size', `more than ${LIMITS.rules} rules`, this.#where);
    this.#rules.push(alternatives);
    return { rule: this.#rules.length - 1 };
  }

  /** A rule that is made once; known by its name while it is made, so that it can contain itself. */
  #once(name: string, alternatives: () => Element[][]): Element {
    const known = this.#shared.get(name);
    if (known !== undefined) return { rule: known };
    const { rule } = this.#rule([]) as { rule: number };
    this.#shared.set(name, rule);
    this.#rules[rule] = alternatives();
    return { rule };
  }

  /** Between `least` and `most` times, `most` undefined for any number. */
  #repeat(what: Element[], least: number, most: number | undefined): Element[] {
    if (Math.max(least, most ?? 0) > LIMITS.length) refuse(`bounds of at most ${LIMITS.length}`, String(Math.max(least, most ?? 0)), this.#where);
    if (most !== undefined && most < least) refuse('a greatest number that is not below the least', `${most} and ${least}`, this.#where);
    let rest: Element | undefined;
    if (most === undefined) {
      rest = this.#rule([]);
      this.#rules[(rest as { rule: number }).rule] = [[], [...what, rest]];
    } else for (let n = least; n < most; n++) rest = this.#rule([[], rest ? [...what, rest] : what]);
    return [...Array.from({ length: least }, () => what).flat(), ...(rest ? [rest] : [])];
  }

  #space(): Element {
    return this.#once('space', () => [[], text(' '), [...text('\n'), ...this.#repeat(text(' '), 0, 20)]]);
  }

  #digits(least: number, most: number): Element[] {
    return this.#repeat([one([48, 57])], least, most);
  }

  #string(least = 0, most?: number): Element {
    return this.#once(`string ${least} ${most ?? ''}`, () => [[...text('"'), ...this.#repeat([this.#character()], least, most), ...text('"')]]);
  }

  #character(): Element {
    const hex = one([48, 57], [65, 70], [97, 102]);
    return this.#once('character', () => [
      [one([0x20, 0x21], [0x23, 0x5b], [0x5d, 0x7e], [0x80, 0xd7ff], [0xe000, 0x10ffff])],
      [...text('\\'), this.#rule([[one(...Array.from('"\\/bfnrt', (c): Range => [c.charCodeAt(0), c.charCodeAt(0)]))], [...text('u'), hex, hex, hex, hex]])],
    ]);
  }

  #integer(sign: boolean, zero: boolean): Element {
    return this.#once(`integer ${sign} ${zero}`, () => {
      const natural = [one([49, 57]), ...this.#digits(0, DIGITS - 1)];
      return [natural, ...(zero ? [text('0')] : []), ...(sign ? [[...text('-'), ...natural]] : [])];
    });
  }

  #number(sign: boolean): Element {
    return this.#once(`number ${sign}`, () => {
      const fraction = this.#rule([[], [...text('.'), ...this.#digits(1, DIGITS)]]);
      const exponent = this.#rule([[], [one([69, 69], [101, 101]), this.#rule([[], text('+'), text('-')]), ...this.#digits(1, 2)]]);
      return [[this.#integer(sign, true), fraction, exponent], ...(sign ? [[...text('-0'), fraction, exponent]] : [])];
    });
  }

  #boolean(): Element {
    return this.#once('boolean', () => [text('true'), text('false')]);
  }

  #any(): Element {
    return this.#once('any', () => [[this.#anyObject()], [this.#array(() => this.#any(), 0, undefined)], [this.#string()], [this.#number(true)], [this.#boolean()], text('null')]);
  }

  #anyObject(): Element {
    return this.#once('object', () => [[this.#map(() => this.#any())]]);
  }

  /** An object of any names whose values are `value`. */
  #map(value: () => Element): Element {
    const space = this.#space();
    const pair = () => [this.#string(), ...text(':'), space, value()];
    const pairs = pair();
    return this.#rule([[...text('{'), space, ...text('}')], [...text('{'), space, ...pairs, ...this.#repeat([...text(','), space, ...pair()], 0, undefined), space, ...text('}')]]);
  }

  #array(item: () => Element, least: number, most: number | undefined): Element {
    const space = this.#space();
    const empty = [...text('['), space, ...text(']')];
    if (most === 0) return this.#rule([empty]);
    const element = item();
    const more = this.#repeat([...text(','), space, element], Math.max(0, least - 1), most === undefined ? undefined : most - 1);
    return this.#rule([...(least === 0 ? [empty] : []), [...text('['), space, element, ...more, space, ...text(']')]]);
  }

  /** Pairs in the order of the schema; those that are not required may be absent. */
  #object(schema: Schema, where: string, depth: number): Element {
    const properties = Object.entries(record(schema['properties'] ?? {}, `${where}.properties`));
    const required = new Set(strings(schema['required'] ?? [], `${where}.required`));
    const rest = schema['additionalProperties'];
    const missing = [...required].find((name) => !properties.some(([known]) => known === name));
    if (missing !== undefined) refuse('required properties that the schema describes', JSON.stringify(missing), where);
    if (properties.length === 0) {
      if (rest === false) return this.#rule([[...text('{'), this.#space(), ...text('}')]]);
      return rest === undefined || rest === true ? this.#anyObject() : this.#map(() => this.#value(rest, `${where}.additionalProperties`, depth + 1));
    }
    if (typeof rest === 'object') refuse('either properties or additionalProperties', 'both', where);
    const space = this.#space();
    // From the last to the first: what follows where nothing stands before, and where a comma is needed.
    let first: Element[] = [];
    let later: Element[] = [];
    for (const [name, value] of properties.reverse()) {
      const pair = [...text(`${JSON.stringify(name)}:`), space, this.#value(value, `${where}.properties.${name}`, depth + 1), ...later];
      const mayBeAbsent = !required.has(name);
      first = [this.#rule(mayBeAbsent ? [pair, first] : [pair])];
      const withComma = [...text(','), space, ...pair];
      later = [this.#rule(mayBeAbsent ? [withComma, later] : [withComma])];
    }
    return this.#rule([[...text('{'), space, ...first, space, ...text('}')]]);
  }

  #value(schema: unknown, where: string, depth: number): Element {
    if (depth > LIMITS.depth) refuse(`at most ${LIMITS.depth} levels`, 'more', where);
    if (schema === true) return this.#any();
    const s = record(schema, where);
    const unions = ['anyOf', 'oneOf'].filter((name) => s[name] !== undefined);
    if (s['$ref'] !== undefined) return only(s, ['$ref'], where, () => this.#reference(s['$ref'], where, depth));
    if (s['const'] !== undefined || 'const' in s) return only(s, ['const', 'type'], where, () => this.#rule([text(JSON.stringify(s['const']))]));
    if (s['enum'] !== undefined) return only(s, ['enum', 'type'], where, () => this.#rule(list(s['enum'], `${where}.enum`).map((value) => text(JSON.stringify(value)))));
    if (unions.length > 0) {
      const name = unions[0]!;
      return only(s, [name], where, () => this.#rule(list(s[name], `${where}.${name}`).map((part, i) => [this.#value(part, `${where}.${name}[${i}]`, depth + 1)])));
    }
    if (s['allOf'] !== undefined) {
      const parts = list(s['allOf'], `${where}.allOf`);
      if (parts.length !== 1) refuse('allOf of one schema', `${parts.length}`, where);
      return only(s, ['allOf'], where, () => this.#value(parts[0], `${where}.allOf[0]`, depth + 1));
    }
    const types = s['type'] === undefined ? (s['properties'] === undefined ? undefined : ['object']) : Array.isArray(s['type']) ? s['type'] : [s['type']];
    if (types === undefined) return only(s, [], where, () => this.#any());
    const known = types.flatMap((type) => (typeof type === 'string' ? KNOWN[type] : undefined) ?? refuse(`types out of ${Object.keys(KNOWN).join(', ')}`, JSON.stringify(type), where));
    return only(s, ['type', ...known], where, () => (types.length === 1 ? this.#typed(types[0] as string, s, where, depth) : this.#rule(types.map((type) => [this.#typed(type as string, s, where, depth)]))));
  }

  #typed(type: string, s: Schema, where: string, depth: number): Element {
    const count = (name: string) => (s[name] === undefined ? undefined : whole(s[name], `${where}.${name}`));
    switch (type) {
      case 'object':
        return this.#object(s, where, depth);
      case 'array':
        return this.#array(() => (s['items'] === undefined ? this.#any() : this.#value(s['items'], `${where}.items`, depth + 1)), count('minItems') ?? 0, count('maxItems'));
      case 'string':
        return this.#string(count('minLength') ?? 0, count('maxLength'));
      case 'integer': {
        const least = s['exclusiveMinimum'] === undefined ? (s['minimum'] ?? -LARGEST) : (s['exclusiveMinimum'] as number) + 1;
        const most = s['exclusiveMaximum'] === undefined ? (s['maximum'] ?? LARGEST) : (s['exclusiveMaximum'] as number) - 1;
        if (typeof most !== 'number' || most < LARGEST) refuse(`no greatest integer, or one of at least ${LARGEST}`, JSON.stringify(most), where);
        if (typeof least !== 'number' || !(least <= -LARGEST || least === 0 || least === 1)) refuse('a least integer of 0 or 1, or none', JSON.stringify(least), where);
        return this.#integer(least < 0, least < 1);
      }
      case 'number': {
        const least = s['minimum'];
        if (least !== undefined && least !== 0) refuse('a least number of 0, or none', JSON.stringify(least), where);
        return this.#number(least === undefined);
      }
      case 'boolean':
        return this.#boolean();
      default:
        return this.#once('null', () => [text('null')]);
    }
  }

  #reference(ref: unknown, where: string, depth: number): Element {
    if (typeof ref !== 'string' || !/^#(\/[^/]+)*$/.test(ref)) refuse('a reference into the schema itself, such as "#/$defs/name"', JSON.stringify(ref), where);
    let target = this.#root;
    for (const part of ref.split('/').slice(1)) {
      const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      target = typeof target === 'object' && target !== null && Object.hasOwn(target, name) ? (target as Schema)[name] : undefined;
    }
    if (target === undefined) refuse('a reference to what is there', ref, where);
    return this.#once(`$ref ${ref}`, () => [[this.#value(target, ref, depth + 1)]]);
  }
}

const one = (...ranges: Range[]): Element => ({ ranges });
const text = (characters: string): Element[] => Array.from(characters, (c) => one([c.codePointAt(0)!, c.codePointAt(0)!]));

function only<T>(schema: Schema, names: readonly string[], where: string, then: () => T): T {
  const unknown = Object.keys(schema).find((name) => !names.includes(name) && !REMARKS.has(name));
  if (unknown !== undefined) refuse('keywords that a grammar can keep', JSON.stringify(unknown), where);
  return then();
}

function record(value: unknown, where: string): Schema {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse('an object', JSON.stringify(value) ?? 'nothing', where);
  return value as Schema;
}

function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 500) refuse('a list of 1 to 500', Array.isArray(value) ? `${value.length}` : JSON.stringify(value), where);
  return value;
}

function strings(value: unknown, where: string): string[] {
  if (!Array.isArray(value) || value.some((v) => typeof v !== 'string')) refuse('a list of names', JSON.stringify(value), where);
  return value as string[];
}

function whole(value: unknown, where: string): number {
  if (!Number.isInteger(value) || (value as number) < 0) refuse('a whole number', JSON.stringify(value), where);
  return value as number;
}

function refuse(expected: string, found: string, where: string): never {
  throw new InputError({ expected, found, where, remedy: 'Leave it out, or check that part of the answer yourself.' });
}
