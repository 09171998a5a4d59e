/** Text written line by line into a file that is there whole or not at all, with its hash; a buffer spares system calls. */
import { createHash } from 'node:crypto';
import { AtomicFile } from './atomic.ts';

const BUFFER_BYTES = 2 ** 20;

export class LineWriter {
  readonly #file: AtomicFile;
  readonly #hash = createHash('sha256');
  #held: Buffer[] = [];
  #heldBytes = 0;
  #bytes = 0;

  constructor(path: string) {
    this.#file = new AtomicFile(path);
  }

  /** Bytes written so far, those in the buffer too. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws InputError or ResourceError; then nothing is left. */
  write(text: string | Uint8Array): void {
    const bytes = typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    this.#bytes += bytes.length;
    if (this.#heldBytes >= BUFFER_BYTES) this.#flush();
  }

  commit(): { bytes: number; sha256: string } {
    this.#flush();
    this.#file.commit();
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  /** Leaves the place as it was. Does nothing after `commit`. */
  abort(): void {
    this.#file.abort();
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#held);
    this.#hash.update(bytes);
    this.#file.write(bytes);
    this.#held = [];
    this.#heldBytes = 0;
  }
}
