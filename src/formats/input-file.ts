/**
 * One file opened for reading at given positions, its size fixed at the opening: every read outside it is refused
 * before it happens. Not a stream, and never the whole file at once.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { InputError } from '../errors.ts';

/** Bytes at given positions, as InputFile has them: what a reader of a format asks for. */
export type FileBytes = Pick<InputFile, 'path' | 'size' | 'read'>;

export class InputFile {
  readonly path: string;
  readonly size: number;
  #descriptor: number | undefined;

  /** @param kind what the caller wants there, e.g. "a GGUF file", for the messages. Throws InputError. */
  constructor(path: string, kind: string) {
    const refuse = (found: string, remedy: string, cause?: unknown): never => {
      throw new InputError({ expected: kind, found, where: path, remedy }, { cause });
    };
    try {
      // Looked at before it is opened: opening a named pipe would wait for a writer for ever.
      const stats = statSync(path);
      if (stats.isDirectory()) refuse('a folder', 'Give the path of a file.');
      if (!stats.isFile()) refuse('something that is not a regular file', 'Give the path of a regular file.');
      this.#descriptor = openSync(path, 'r');
      this.size = fstatSync(this.#descriptor).size;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ELOOP') refuse('links that lead in a circle', 'Check the path.', error);
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') refuse('nothing there', 'Check the path.', error);
      if (code === 'EACCES' || code === 'EPERM') refuse('a file that may not be read', 'Give read permission.', error);
      throw error;
    }
    this.path = path;
  }

  /** Fills `target` from `position`. Throws InputError where the file ends before. */
  read(position: number, target: Uint8Array): void {
    if (this.#descriptor === undefined) throw new Error(`${this.path} was read after it was closed`);
    let done = 0;
    while (done < target.length) {
      const count = readSync(this.#descriptor, target, done, target.length - done, position + done);
      if (count === 0) {
        throw new InputError({
          expected: `${target.length} bytes from byte ${position}`,
          found: `the end of the file at byte ${position + done}`,
          where: this.path,
          remedy: 'The file is truncated or changed while it was read: get it again.',
        });
      }
      done += count;
    }
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
