/** What every part of the campaign works with: the store, the clock and chance, which tests set. */
import type { SimilarRecords } from './checks/similar-records.ts';
import type { Store } from '../store/store.ts';

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export interface Mailer {
  /** Throws if the mail could not be handed over. */
  send(to: string, subject: string, text: string): Promise<void>;
  /** Hands many over without anybody waiting, and again where the server has a bad moment. */
  later(mails: readonly Mail[]): void;
  /** What could not be handed over; undefined: nothing. */
  readonly trouble: string | undefined;
}

export interface Context {
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly similar: SimilarRecords;
  /** Undefined: links are shown to whoever makes them. */
  readonly mail: Mailer | undefined;
  /** Where people reach the studio, e.g. `https://studio.example.org`. */
  readonly publicUrl: string;
}

export const instantOf = (context: Pick<Context, 'now'>): Date => new Date(context.now());
