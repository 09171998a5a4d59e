/** GPT-2's table: a printable character for each byte, in which byte-level vocabularies write their tokens. */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters();

export const occursInUtf8 = (byte: number): boolean => byte < 0xc0 || (byte >= 0xc2 && byte <= 0xf4);

function byteCharacters(): string[] {
  let shifted = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCharCode(printable ? byte : 256 + shifted++);
  });
}
