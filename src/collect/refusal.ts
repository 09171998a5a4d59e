/** What is refused, for programs by `code` and for people as a fallback sentence. Not a fault of ours: nothing is logged. */
import type { ErrorCode } from './rules/error-codes.ts';
import type { Sentence } from './rules/machine.ts';

export interface RefusalParts {
  readonly values?: Readonly<Record<string, string | number>>;
  readonly fields?: Readonly<Record<string, string>>;
  /** Beside the error in the answer: a conflict brings what is there. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** Seconds after which it may be tried again. */
  readonly retryAfter?: number;
}

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ErrorCode;
  readonly parts: RefusalParts;

  constructor(code: ErrorCode, message: string, parts: RefusalParts = {}) {
    super(message);
    this.code = code;
    this.parts = parts;
  }
}

export const notFound = (): Refusal => new Refusal('not_found', 'There is nothing of that kind here.');

/** A move of a state machine that is refused, with its reason. */
export const refusedMove = (code: string, why: Sentence): Refusal => new Refusal('state_move', why.en, { values: { move: code, why_en: why.en, why_ru: why.ru } });
export const closedFor = (why: Sentence): Refusal => new Refusal('campaign_closed', why.en, { values: { why_en: why.en, why_ru: why.ru } });
