/**
 * The bytes that each token stands for, so that text can be put together token by token: a character may be spread over several
 * tokens, and a decoder of whole texts cannot say what one of them adds. Not for encoding.
 */
import { BYTE_CHARACTERS } from './bytes.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface TokenBytes {
  /** By id. A special token stands for no text; so does an id without a token. */
  readonly bytes: readonly Uint8Array[];
  /** Whether the vocabulary begins a text with a space that was not written (SentencePiece). */
  readonly beginsWithSpace: boolean;
}

interface Decoder {
  readonly type: string;
  readonly decoders?: readonly Decoder[];
}

const BYTE_OF = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));
const SPACE = '\u2581';

export function tokenBytes(tokenizer: Tokenizer): TokenBytes {
  const file = JSON.parse(tokenizer.toJson()) as { model: { vocab: Record<string, number> }; added_tokens?: { id: number; content: string; special: boolean }[]; decoder?: Decoder | null };
  const decoders = file.decoder ? [file.decoder, ...(file.decoder.decoders ?? [])].map(({ type }) => type) : [];
  const ofToken = decoders.includes('ByteLevel') ? ofByteLevel : decoders.some((type) => type === 'ByteFallback' || type === 'Metaspace') ? ofSentencePiece : (token: string) => Buffer.from(token);
  const none = new Uint8Array(0);
  const bytes = Array.from({ length: tokenizer.size }, (): Uint8Array => none);
  for (const [token, id] of Object.entries(file.model.vocab)) bytes[id] = ofToken(token);
  for (const { id, content, special } of file.added_tokens ?? []) bytes[id] = special ? none : ofToken(content);
  return { bytes, beginsWithSpace: decoders.includes('Strip') || decoders.includes('Metaspace') };
}

/** A token that has a character outside the table was added as text and stands for itself. */
function ofByteLevel(token: string): Uint8Array {
  const bytes = [...token].map((character) => BYTE_OF.get(character));
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : Buffer.from(token);
}

function ofSentencePiece(token: string): Uint8Array {
  const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
  return byte ? Uint8Array.of(parseInt(byte[1]!, 16)) : Buffer.from(token.replaceAll(SPACE, ' '));
}
