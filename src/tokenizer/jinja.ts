/**
 * Renders a chat template, which comes out of a model file and so is not trusted: bounded in source, time and output,
 * without a clock (a date in a prompt would make two runs differ), and with `range` bounded. Otherwise as transformers
 * does it: trim_blocks, lstrip_blocks, one newline at the very end of the source dropped.
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
    this.#program = this.#guard(() => parse(tokenize(source, { trim_blocks: true, lstrip_blocks: true })));
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

const globals = {
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
