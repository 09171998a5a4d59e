/** The body of a request as JSON: bounded in bytes, whatever its headers promise. */
import type { IncomingMessage } from 'node:http';
import { ApiError } from '../serve/errors.ts';

export const MOST_BODY_BYTES = 4 * 1024 * 1024;

export async function readJson(request: IncomingMessage): Promise<unknown> {
  // Also keeps web pages out: a browser asks first before it sends JSON to another origin, and is not answered.
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) throw new ApiError({ status: 415, code: 'unsupported_media_type', message: 'Send JSON, with "Content-Type: application/json".' });
  if (request.headers['content-encoding'] !== undefined) throw new ApiError({ status: 415, code: 'unsupported_media_type', message: 'Send the body as it is, without Content-Encoding.' });
  const tooLarge = () => new ApiError({ status: 413, code: 'request_too_large', message: `A body may have ${MOST_BODY_BYTES} bytes.` });
  if (Number(request.headers['content-length'] ?? 0) > MOST_BODY_BYTES) throw tooLarge();
  const parts: Buffer[] = [];
  let bytes = 0;
  // Left alone where it is too long: the answer still has to go out.
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MOST_BODY_BYTES) throw tooLarge();
    parts.push(part);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    throw new ApiError({ status: 400, code: 'invalid_json', message: 'The body is not UTF-8.' });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ApiError({ status: 400, code: 'invalid_json', message: `The body is not JSON: ${(error as Error).message.slice(0, 200)}` });
  }
}

/** Reads on what nobody wants, for a moment: a connection that is closed on a client that still sends takes the answer with it. */
export async function passOver(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 2000);
    for (const event of ['end', 'close', 'error']) request.once(event, () => (clearTimeout(timer), resolve()));
    request.resume();
  });
}
