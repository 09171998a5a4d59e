/** Waivers: findings that someone let pass, with the reason. They are recorded with the finding, never instead of it. */
import { InputError } from '../errors.ts';
import { readJsonl } from '../formats/jsonl.ts';
import { printable } from '../formats/printable.ts';

export interface Waiver {
  readonly check: string;
  readonly kind?: string;
  /** Beginning of a record's hash, eight characters at least; without it every record. */
  readonly record?: string;
  readonly reason: string;
}

const NAME = /^[a-z][a-z0-9-]*$/;

/** Throws InputError; `where` is for its message. */
function toWaiver(value: Readonly<Record<string, unknown>>, where: string): Waiver {
  const refuse = (found: string): never => {
    throw new InputError({ expected: 'a waiver: "check" and "reason", and perhaps "kind" and "record" (the beginning of its hash)', found, where, remedy: 'The reason is kept with the finding.' });
  };
  const { check, kind, record, reason, ...more } = value;
  if (typeof check !== 'string' || !NAME.test(check)) return refuse(`check ${printable(JSON.stringify(check) ?? 'missing', 60)}`);
  if (typeof reason !== 'string' || !/\S/.test(reason) || reason.length > 400 || /\p{Cc}/u.test(reason) || !reason.isWellFormed()) return refuse('a reason that is missing, longer than 400 characters or with control characters');
  if (kind !== undefined && (typeof kind !== 'string' || !NAME.test(kind))) return refuse(`kind ${printable(JSON.stringify(kind), 60)}`);
  if (record !== undefined && (typeof record !== 'string' || !/^[0-9a-f]{8,64}$/.test(record))) return refuse(`record ${printable(JSON.stringify(record), 60)}`);
  if (Object.keys(more).length > 0) return refuse(`a field ${printable(Object.keys(more)[0]!, 60)}`);
  return { check, reason, ...(kind === undefined ? {} : { kind }), ...(record === undefined ? {} : { record }) };
}

/** `duplicates/answer@0123abcd=REASON` */
export function parseWaiver(text: string): Waiver {
  const [, check, kind, record, reason] = /^([^/@=]+)(?:\/([^@=]+))?(?:@([^=]+))?=([\s\S]*)$/u.exec(text) ?? [];
  if (check === undefined) throw new InputError({ expected: 'check=reason, check/kind=reason or check/kind@hash=reason', found: printable(text, 80), where: '--waive' });
  return toWaiver({ check, reason, ...(kind === undefined ? {} : { kind }), ...(record === undefined ? {} : { record }) }, '--waive');
}

/** Waivers of a file of JSON lines. Throws InputError with its line. */
export const readWaivers = (path: string): Waiver[] => Array.from(readJsonl(path), ({ line, value }) => toWaiver(value, `${path} line ${line}`));

/** Says which waiver a finding has, and which have been used. */
export class Waivers {
  readonly #waivers: readonly Waiver[];
  readonly #used = new Set<Waiver>();

  constructor(waivers: readonly Waiver[]) {
    this.#waivers = waivers;
  }

  /** The reason of the first that fits. */
  of(check: string, kind: string, record: string | undefined): string | undefined {
    const waiver = this.#waivers.find((w) => w.check === check && (w.kind === undefined || w.kind === kind) && (w.record === undefined || record?.startsWith(w.record)));
    if (waiver) this.#used.add(waiver);
    return waiver?.reason;
  }

  get unused(): Waiver[] {
    return this.#waivers.filter((waiver) => !this.#used.has(waiver));
  }
}
