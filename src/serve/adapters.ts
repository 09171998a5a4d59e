/**
 * Adapters of the served model, by name: given when the server starts, or found in a folder whenever one is asked for, so that a run that has
 * just ended can be tried without a restart. A name from a request only chooses among what is there.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RunManifest } from '../artefacts/run.ts';
import { InputError } from '../errors.ts';
import type { EngineName } from './model-process.ts';

export interface FoundAdapter {
  readonly name: string;
  readonly path: string;
  /** Changes with its content. */
  readonly state: string;
  /** Seconds since 1970. */
  readonly created: number;
}

const NAME = /^[A-Za-z0-9][\w.-]{0,99}$/;

export class Adapters {
  readonly #engine: EngineName;
  readonly #given: ReadonlyMap<string, string>;
  readonly #folder: string | undefined;

  /** Throws InputError for a name that is none, or a path that holds no adapter for this engine. */
  constructor(engine: EngineName, given: ReadonlyMap<string, string>, folder: string | undefined) {
    this.#engine = engine;
    this.#given = given;
    this.#folder = folder;
    for (const [name, path] of given) {
      if (!NAME.test(name)) throw new InputError({ expected: 'a name of letters, digits, ".", "_" and "-"', found: JSON.stringify(name), where: '--adapter' });
      if (!this.#at(name, path)) throw new InputError({ ...this.#wanted(), found: path, where: `--adapter ${name}` });
    }
    if (folder !== undefined && !statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new InputError({ expected: 'a folder of adapters', found: 'none', where: folder, remedy: 'Make it, or leave --adapters out.' });
  }

  #wanted(): { expected: string; remedy: string } {
    return this.#engine === 'roslin'
      ? { expected: 'a LoRA run or a folder in PEFT\'s format', remedy: 'A whole model is served with --model, an adapter GGUF with --engine llama.cpp.' }
      : { expected: 'an adapter GGUF', remedy: 'Make it with "roslin export --to adapter --out NAME.gguf", or serve with --engine roslin.' };
  }

  list(): FoundAdapter[] {
    const found = [...this.#given].map(([name, path]) => this.#at(name, path));
    for (const entry of this.#folder === undefined ? [] : readdirSync(this.#folder).sort()) {
      const name = entry.replace(/\.gguf$/, '');
      if (NAME.test(name) && !this.#given.has(name)) found.push(this.#at(name, join(this.#folder!, entry)));
    }
    return found.filter((a) => a !== undefined);
  }

  find(name: string): FoundAdapter | undefined {
    return NAME.test(name) ? this.list().find((a) => a.name === name) : undefined;
  }

  #at(name: string, path: string): FoundAdapter | undefined {
    const file = this.#engine === 'roslin' ? join(path, 'adapter_model.safetensors') : path;
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile() || (this.#engine === 'llama.cpp' && !path.endsWith('.gguf'))) return undefined;
    return { name, path, state: `${stat.ino}-${stat.mtimeMs}-${stat.size}`, created: Math.floor(stat.mtimeMs / 1000) };
  }
}

/** What the run beside an adapter says of it, without opening anything; nothing where there is none that can be read. */
export function runOf({ path }: FoundAdapter): RunManifest | undefined {
  const file = join(path, 'run.json');
  try {
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RunManifest) : undefined;
  } catch {
    return undefined;
  }
}
