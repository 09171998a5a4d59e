/**
 * Drafts on this device: IndexedDB, one row a draft and person. What a person typed is here within half a second, whatever
 * the network does; the row stays until the text was handed in or thrown away.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';

/** A draft as this device knows it. `B` is what the form holds. */
export interface LocalDraft<B = unknown> {
  /** Person and draft: two people at one device never see each other's. */
  readonly key: string;
  readonly userId: string;
  readonly draftId: string;
  readonly body: B;
  /** The server's revision that `body` began from or was saved as. */
  readonly revision: number;
  /** Whether `body` holds what the server has not acknowledged. */
  readonly dirty: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Where drafts are kept on a device; the browser's is IndexedDB. */
export interface LocalDrafts {
  get(userId: string, draftId: string): Promise<LocalDraft | undefined>;
  put(draft: Omit<LocalDraft, 'key'>): Promise<void>;
  remove(userId: string, draftId: string): Promise<void>;
  /** Everything of one person that the server has not. */
  unsaved(userId: string): Promise<LocalDraft[]>;
}

interface Schema extends DBSchema {
  drafts: { key: string; value: LocalDraft; indexes: { userId: string } };
}

const keyOf = (userId: string, draftId: string): string => `${userId}/${draftId}`;

/** Drafts in the browser's database. A browser that has none, or refuses it, gets memory: then the server alone keeps. */
export function openLocalDrafts(name = 'roslin'): LocalDrafts {
  let opened: Promise<IDBPDatabase<Schema>> | undefined;
  const database = () => {
    opened ??= openDB<Schema>(name, 1, {
      upgrade(db) {
        db.createObjectStore('drafts', { keyPath: 'key' }).createIndex('userId', 'userId');
      },
      terminated() {
        opened = undefined;
      },
    });
    return opened;
  };
  return {
    async get(userId, draftId) {
      return await (await database()).get('drafts', keyOf(userId, draftId));
    },
    async put(draft) {
      await (await database()).put('drafts', { ...draft, key: keyOf(draft.userId, draft.draftId) });
    },
    async remove(userId, draftId) {
      await (await database()).delete('drafts', keyOf(userId, draftId));
    },
    async unsaved(userId) {
      return (await (await database()).getAllFromIndex('drafts', 'userId', userId)).filter(({ dirty }) => dirty);
    },
  };
}
