/** The family of errors that people see. Each says what was expected, what was found, where, and what to do. */

export interface ErrorParts {
  /** What would have been right, e.g. "a JSON object on every line". */
  expected: string;
  /** What is there instead, e.g. "an array". */
  found: string;
  /** File, line, byte, record or option, e.g. "train.jsonl line 12". */
  where?: string;
  /** What the reader can do about it, as an imperative sentence. */
  remedy?: string;
}

export class RoslinError extends Error {
  override readonly name: string = 'RoslinError';
  /** Exit code of the command line: 1 failed, 2 wrong use. */
  readonly exitCode: 1 | 2 = 1;
  readonly parts: ErrorParts;

  constructor(parts: ErrorParts, options?: { cause?: unknown }) {
    const { expected, found, where, remedy } = parts;
    super(`${where ? `${where}: ` : ''}expected ${expected}, found ${found}.${remedy ? ` ${remedy}` : ''}`, options);
    this.parts = parts;
  }
}

/** A file, record, model or dataset that cannot be used as it is. */
export class InputError extends RoslinError {
  override readonly name = 'InputError';
}

/** A command, flag or option used wrongly: exit code 2. */
export class UsageError extends RoslinError {
  override readonly name = 'UsageError';
  override readonly exitCode = 2;
}

/** The machine lacks something: memory, disk, a device, a network. */
export class ResourceError extends RoslinError {
  override readonly name = 'ResourceError';
}
