/**
 * Renders a chat template, which comes out of a model file and so is not trusted: bounded in source, time and output,
 * without a clock (a date in a prompt would make two runs differ), and with `range` bounded. Otherwise as transformers
 * does it: trim_blocks, lstrip_blocks, one newline at the very end of the source dropped, and `strip`, `lstrip` and
 * `rstrip` as Python has them: the library's own ignore which characters they are given.
 */
import { runInNewContext } from 'node:vm';
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { InputError } from '../errors.ts';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

const MAX_SOURCE_UNITS = 256 * 1024;
const MAX_OUTPUT_UNITS = 1024 * 1024;
const MAX_RANGE = 10_000;
const TIMEOUT_MS = 2_000;

export class JinjaTemplate {
  readonly #program: ReturnType<typeof parse>;
  readonly #where: string;

  /** Throws InputError where `source` is not a template. */
  constructor(source: string, where: string) {
    this.#where = where;
    if (source.length > MAX_SOURCE_UNITS) {
      this.#refuse(`a chat template of at most ${MAX_SOURCE_UNITS} characters`, String(source.length));
    }
    this.#program = this.#guard(() => {
      const program = parse(tokenize(source, { trim_blocks: true, lstrip_blocks: true }));
      replaceStrips(program);
      return program;
    });
  }

  /** Throws InputError where the template raises, runs too long or writes too much. */
  render(variables: Readonly<Record<string, unknown>> & { readonly messages: readonly ChatMessage[] }): string {
    const text = this.#guard(() => {
      const environment = new Environment();
      for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
      return String((new Interpreter(environment).run(this.#program) as { value: unknown }).value);
    });
    if (text.length > MAX_OUTPUT_UNITS) this.#refuse(`at most ${MAX_OUTPUT_UNITS} characters of output`, String(text.length));
    return text;
  }

  #guard<T>(work: () => T): T {
    try {
      // A context only for its timeout, which stops work of this context too; it is no sandbox and need not be one.
      return runInNewContext('work()', { work }, { timeout: TIMEOUT_MS }) as T;
    } catch (cause) {
      return this.#refuse('a chat template that renders', `"${(cause as Error).message.slice(0, 300)}"`, cause);
    }
  }

  #refuse(expected: string, found: string, cause?: unknown): never {
    throw new InputError(
      { expected, found, where: this.#where, remedy: 'Use another template (--template dolly works with every base).' },
      { cause },
    );
  }
}

export type StripMethod = 'strip' | 'lstrip' | 'rstrip';

/** What str.isspace() says yes to. */
const PYTHON_SPACE = new Set('\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000');

/** Python's `text.strip(chars)` and its two halves: `chars` is a set of characters; without it, white space. */
export function pythonStrip(method: StripMethod, text: string, chars?: string): string {
  const set = chars === undefined ? PYTHON_SPACE : new Set(chars);
  const characters = [...text];
  let [from, to] = [0, characters.length];
  if (method !== 'rstrip') while (from < to && set.has(characters[from]!)) from++;
  if (method !== 'lstrip') while (to > from && set.has(characters[to - 1]!)) to--;
  return characters.slice(from, to).join('');
}

/** A name that no template can write. */
const STRIP = 'str.strip';

interface AstNode {
  type?: unknown;
  value?: unknown;
  callee?: AstNode;
  computed?: unknown;
  object?: AstNode;
  property?: AstNode;
  args?: AstNode[];
}

/** Turns every call `x.lstrip(…)` of a parsed template into a call of our own function. */
function replaceStrips(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  const { type, callee, args } = node as AstNode;
  const method = callee?.type === 'MemberExpression' && callee.computed !== true ? callee.property?.value : undefined;
  if (type === 'CallExpression' && (method === 'strip' || method === 'lstrip' || method === 'rstrip')) {
    const call = node as AstNode;
    call.args = [{ type: 'StringLiteral', value: method }, callee!.object!, ...args!];
    call.callee = { type: 'Identifier', value: STRIP };
  }
  const parts = node instanceof Map ? [...node].flat() : Object.values(node);
  for (const part of parts) replaceStrips(part);
}

const globals = {
  [STRIP]: (method: StripMethod, text: unknown, chars: unknown): string => {
    if (typeof text !== 'string') throw new Error(`${method}() of what is no text`);
    if (chars !== undefined && chars !== null && typeof chars !== 'string') throw new Error(`${method}() of characters that are no text`);
    return pythonStrip(method, text, chars ?? undefined);
  },
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception: (message: unknown): never => {
    throw new Error(String(message));
  },
  range: (first: number, second?: number, step = 1): number[] => {
    const [start, stop] = second === undefined ? [0, first] : [first, second];
    const count = Math.max(0, Math.ceil((stop - start) / step));
    if (!Number.isFinite(count) || count > MAX_RANGE) throw new Error(`range() of more than ${MAX_RANGE}`);
    return Array.from({ length: count }, (_, i) => start + i * step);
  },
};
