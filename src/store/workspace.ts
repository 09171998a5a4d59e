/** A workspace's store: on DATABASE_URL where that is set, else on the embedded database in the workspace's folder. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Cluster } from './cluster.ts';
import { tidyRestores } from './restore.ts';
import { connectionFromUrl, openStore, type Store, type StoreOptions } from './store.ts';

export interface WorkspaceOptions extends StoreOptions {
  /** Default: DATABASE_URL of the environment. */
  readonly databaseUrl?: string | undefined;
}

export interface Workspace extends AsyncDisposable {
  readonly folder: string;
  readonly store: Store;
  /** Undefined on one's own PostgreSQL. */
  readonly cluster: Cluster | undefined;
  close(): Promise<void>;
}

/** Opens or makes it. Throws ResourceError or InputError with what to do. */
export async function openWorkspace(path: string, { databaseUrl = process.env['DATABASE_URL'], ...options }: WorkspaceOptions = {}): Promise<Workspace> {
  const folder = resolve(path);
  // The database makes it where there is one, and takes it back where it cannot be.
  const cluster = databaseUrl ? undefined : await Cluster.open(join(folder, 'postgres'), { onLost: options.onBroken });
  mkdirSync(folder, { recursive: true });
  try {
    const store = await openStore(cluster?.connection() ?? connectionFromUrl(databaseUrl!), options);
    await tidyRestores(store, folder).catch(async (error: unknown) => {
      await store.close();
      throw error;
    });
    const close = async () => {
      await store.close();
      await cluster?.close();
    };
    return { folder, store, cluster, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await cluster?.close();
    throw error;
  }
}
