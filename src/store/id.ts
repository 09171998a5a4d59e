/** Identifiers and secrets. An id is a UUIDv7 (RFC 9562): later ones sort after earlier ones, so new rows lie together in an index. */
import { createHash, randomBytes } from 'node:crypto';

/** A new UUIDv7: 48 bits of Unix milliseconds, then random ones. */
export function newId(now: number = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export const isId = (text: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text);

/** 256 random bits as 43 characters that an address can hold. */
export const newToken = (): string => randomBytes(32).toString('base64url');

/**
 * What is kept of a token. A token has 256 random bits, so one round of SHA-256 is enough, and looking it up by its hash tells a
 * guesser nothing by its time.
 */
export const tokenHash = (token: string): string => createHash('sha256').update(token).digest('hex');
