/** Errors as the OpenAI API writes them. */
import { InputError, ResourceError, RoslinError } from '../errors.ts';

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

  constructor({ status, code, message, param = null, retryAfter }: ApiErrorParts) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
    this.body = { error: { message, type: TYPES[status] ?? 'invalid_request_error', param, code } };
  }
}

export const unsupported = (param: string, message: string) => new ApiError({ status: 400, code: 'unsupported_parameter', param, message });
export const invalid = (param: string | null, message: string) => new ApiError({ status: 400, code: 'invalid_value', param, message });

/** Any error for a client: what it can mend is told in full, a fault of ours is not. */
export function apiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof InputError) return new ApiError({ status: 400, code: 'invalid_value', message: error.message });
  if (error instanceof ResourceError) return new ApiError({ status: 503, code: 'unavailable', message: error.message, retryAfter: 2 });
  if (error instanceof RoslinError) return new ApiError({ status: 400, code: null, message: error.message });
  return new ApiError({ status: 500, code: 'internal_error', message: 'The server made a mistake; its log says more.' });
}
