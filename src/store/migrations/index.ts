/** All migrations, in their order. One that was released is never edited: a change is a new one at the end. */
import type { Migration } from '../migrate.ts';
import { sql as foundation } from './0001-foundation.ts';
import { sql as singleSignOn } from './0010-single-sign-on.ts';
import { sql as typingCanBeErased } from './0011-typing-can-be-erased.ts';
import { sql as questionsAudit } from './0020-questions-audit.ts';
import { sql as thousands } from './0030-thousands.ts';

export const MIGRATIONS: readonly Migration[] = [
  { id: '0001-foundation', sql: foundation },
  { id: '0010-single-sign-on', sql: singleSignOn },
  { id: '0011-typing-can-be-erased', sql: typingCanBeErased },
  { id: '0020-questions-audit', sql: questionsAudit },
  { id: '0030-thousands', sql: thousands },
];
