/**
 * API keys: who may ask, for what, how much. The file holds a hash of each; a key is shown once, when it is made. A key is 256 random bits, so a plain
 * hash is enough: nobody can try them out. The file is read again when it has changed, so that a key is good, or no longer, at once.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.ts';
import { writeFileAtomic } from '../formats/atomic.ts';

/** `generate`: chat and text completions. `embed`: embeddings. `metrics`: /metrics. The list of models is open to every key. */
export const SCOPES = ['generate', 'embed', 'metrics'] as const;
export type Scope = (typeof SCOPES)[number];

const recordSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  scopes: z.array(z.enum(SCOPES)),
  created: z.iso.datetime(),
  expires: z.iso.datetime().nullable(),
  revoked: z.iso.datetime().nullable(),
  /** Prompt and answer together. */
  tokens_per_minute: z.number().int().positive().nullable(),
  /** Requests at once. */
  concurrency: z.number().int().positive().nullable(),
});
const fileSchema = z.strictObject({ schema: z.literal('roslin.keys/1'), keys: z.array(recordSchema) });

export type KeyRecord = Readonly<z.infer<typeof recordSchema>>;

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Days from now. */
  readonly days?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  readonly concurrency?: number | undefined;
}

const hashOf = (key: string) => createHash('sha256').update(key).digest();

export type KeyState = 'valid' | 'expired' | 'revoked';

export function stateOf({ expires, revoked }: KeyRecord, now = Date.now()): KeyState {
  return revoked !== null ? 'revoked' : expires !== null && Date.parse(expires) <= now ? 'expired' : 'valid';
}

export class KeyFile {
  readonly path: string;
  #seen: string | undefined;
  #keys: readonly KeyRecord[] = [];

  constructor(path: string) {
    this.path = path;
  }

  /** All that were ever made, revoked ones too. Throws InputError for a file that is no list of keys. */
  list(): readonly KeyRecord[] {
    const stat = statSync(this.path, { throwIfNoEntry: false });
    const seen = stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : 'none';
    if (seen !== this.#seen) {
      this.#keys = stat ? read(this.path) : [];
      this.#seen = seen;
    }
    return this.#keys;
  }

  /** Gives the key itself: it is nowhere else. */
  create({ name, scopes, days, tokensPerMinute, concurrency }: NewKey, now = new Date()): { key: string; record: KeyRecord } {
    const key = `rk-${randomBytes(32).toString('base64url')}`;
    const record: KeyRecord = {
      id: randomBytes(4).toString('hex'), name, sha256: hashOf(key).toString('hex'), scopes: [...scopes], created: now.toISOString(),
      expires: days === undefined ? null : new Date(now.getTime() + days * 86_400_000).toISOString(), revoked: null,
      tokens_per_minute: tokensPerMinute ?? null, concurrency: concurrency ?? null,
    };
    this.#write([...this.list(), record]);
    return { key, record };
  }

  /** By its id or its name. Throws InputError where no valid key has it, or more than one. */
  revoke(which: string, now = new Date()): KeyRecord {
    const found = this.list().filter((k) => (k.id === which || k.name === which) && k.revoked === null);
    if (found.length !== 1) throw new InputError({ expected: 'the id or the name of one key that is not revoked', found: found.length === 0 ? 'none' : `${found.length}: ${found.map(({ id }) => id).join(', ')}`, where: this.path, remedy: 'See "roslin serve keys list", and give the id.' });
    const revoked: KeyRecord = { ...found[0]!, revoked: now.toISOString() };
    this.#write(this.list().map((k) => (k.id === revoked.id ? revoked : k)));
    return revoked;
  }

  find(key: string): KeyRecord | undefined {
    const hash = hashOf(key);
    return this.list().find(({ sha256 }) => timingSafeEqual(Buffer.from(sha256, 'hex'), hash));
  }

  #write(keys: readonly KeyRecord[]): void {
    mkdirSync(dirname(this.path), { recursive: true });
    writeFileAtomic(this.path, `${JSON.stringify({ schema: 'roslin.keys/1', keys }, null, 2)}\n`);
    chmodSync(this.path, 0o600);
    this.#seen = undefined;
  }
}

function read(path: string): readonly KeyRecord[] {
  if (!existsSync(path)) return [];
  const refuse = (found: string, cause?: unknown): never => {
    throw new InputError({ expected: 'a file of keys that "roslin serve keys" wrote', found, where: path, remedy: 'Put the file right, or move it away and make new keys.' }, { cause });
  };
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    return refuse('no JSON', cause);
  }
  const result = fileSchema.safeParse(value);
  return result.success ? result.data.keys : refuse(`${result.error.issues[0]!.path.join('.')}: ${result.error.issues[0]!.message}`);
}
