/** Errors as the OpenAI API writes them. */
import { InputError, ResourceError } from '../errors.ts';

export interface ApiErrorParts {
  readonly status: number;
  readonly code: string | null;
  readonly message: string;
  /** The field at fault. */
  readonly param?: string | null;
  /** Seconds. */
  readonly retryAfter?: number;
}

const TYPES: Readonly<Record<number, string>> = { 401: 'authentication_error', 403: 'permission_error', 429: 'rate_limit_error', 500: 'server_error', 503: 'server_error' };

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly retryAfter: number | undefined;
  readonly body: { readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string | null } };

  constructor({ status, code, message, param = null, retryAfter }: ApiErrorParts, options?: { cause?: unknown }) {
    super(message, options);
    this.status = status;
    this.retryAfter = retryAfter;
    this.body = { error: { message, type: TYPES[status] ?? 'invalid_request_error', param, code } };
  }
}

export const unsupported = (param: string, message: string) => new ApiError({ status: 400, code: 'unsupported_parameter', param, message });
/** Not the client's fault; why, is for the server's log. */
export const unusableAdapter = (name: string, cause: unknown) =>
  new ApiError({ status: 500, code: 'adapter_unusable', param: 'model', message: `The adapter "${name}" cannot be used; the server's log says why.` }, { cause });
export const invalid = (param: string | null, message: string) => new ApiError({ status: 400, code: 'invalid_value', param, message });

/** A field of a request, and no place on this machine: those are nobody's business. */
const FIELD = /^[a-z_]+([.[][\w.[\]$/]*)?$/;

/** Any error for a client: what it can mend is told in full, a fault of ours is not. */
export function apiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ResourceError) return new ApiError({ status: 503, code: 'unavailable', message: 'The model is not there at the moment. Try again.', retryAfter: 2 }, { cause: error });
  if (error instanceof InputError) {
    const { expected, found, where, remedy } = error.parts;
    const param = where !== undefined && FIELD.test(where) ? where : null;
    return new ApiError({ status: 400, code: 'invalid_value', param, message: `${param === null ? '' : `"${param}": `}expected ${expected}, found ${found}.${remedy === undefined ? '' : ` ${remedy}`}` }, { cause: error });
  }
  return new ApiError({ status: 500, code: 'internal_error', message: 'The server made a mistake; its log says more.' });
}
